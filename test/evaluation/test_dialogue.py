# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Long sessions with prompts that vary."""

from __future__ import annotations

import itertools

import pytest

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.evaluation.dialogue import (
    QUESTIONS,
    DialogueTurn,
    anchored_prompt,
    figures,
    session,
)
from vlmaxxing_ros.evaluation.grid_frames import grid_frames
from vlmaxxing_ros.evaluation.recordings import StampedImage

CONFIG = EngineConfig(max_tokens=4)


@pytest.fixture(scope='module')
def frames(images: list[StampedImage], family: Family) -> list[Frame]:
    return list(grid_frames(images, family, CONFIG))


def test_every_turn_carries_cold_dense_s_previous_answer(
    frames: list[Frame], family: Family
) -> None:
    turns = list(session('exact', frames, family, CONFIG, anchored=True, turns=12))
    assert [turn.number for turn in turns] == list(range(12))
    assert turns[0].prompt == QUESTIONS[0]
    for before, turn in itertools.pairwise(turns):
        question = QUESTIONS[turn.number % len(QUESTIONS)]
        assert turn.prompt == anchored_prompt(question, before.dense)


def test_an_exact_arm_does_not_drift(frames: list[Frame], family: Family) -> None:
    turns = list(session('exact', frames, family, CONFIG, anchored=True, turns=12))
    assert not any(turn.differs for turn in turns)
    assert max(turn.divergence for turn in turns) < 1e-4
    assert all(turn.exact for turn in turns)


def test_drift_is_counted_by_horizon() -> None:
    def turn(number: int, answer: str) -> DialogueTurn:
        return DialogueTurn(number, f'{number % 3}', answer, 'red', 0.1 * number, True, False)

    report = figures([[turn(n, 'red' if n < 15 else 'blue') for n in range(20)]])
    assert [report[h]['drifted'] for h in ('1', '10', '20', '50')] == [0, 0, 5, 5]
    assert report['10']['turns'] == 10
    assert report['10']['prompts'] == 3
    assert report['20']['divergence_max'] == pytest.approx(1.9)
