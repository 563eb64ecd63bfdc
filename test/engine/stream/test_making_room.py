# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What making room costs a question is told by its answer, to the row."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from engine.counting import counting_rows
from engine.scenes import GRID, answer, moving_scene

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Answer
from vlmaxxing_ros.engine.stream.session import StreamSession

FRAME = GRID.blocks + 2
TEXT = 'what is there?'


def asked_of_each(family: Family, **settings: Any) -> list[tuple[Answer, int, int]]:
    """Answers about one frame after the other, with the rows that each took and the generation."""
    config = EngineConfig(keyframe_interval=0.0, max_duty=0.0, audit_interval=0.0, **settings)
    session, found = StreamSession(family, config), []
    question = len(family.text.question_ids(TEXT, ()))
    with counting_rows(family) as counted:
        for frame in moving_scene(20):
            session.see(frame)
            counted.clear()
            told = answer(session, TEXT, max_tokens=1)
            found.append((told, sum(counted) - question, session.stream.cache.number))
    return found


@pytest.mark.parametrize(
    'settings',
    [
        {'token_budget': 256, 'keep_keyframes': 100},
        {'token_budget': 256, 'keep_keyframes': 100, 'compression': 'infinipot'},
        {'keep_keyframes': 2},
    ],
    ids=['full', 'compressed', 'outgrown'],
)
def test_every_row_that_went_through_the_model_is_on_the_answer(
    qwen: Family, settings: dict[str, Any]
) -> None:
    found = asked_of_each(qwen, **settings)
    first = len(qwen.text.prefix_ids)  # computed as the stream begins
    assert [told.rows_paid for told, _, _ in found] == [
        rows - (first if index == 0 else 0) for index, (_, rows, _) in enumerate(found)
    ]
    assert max(told.rows_paid for told, _, _ in found) >= 2 * FRAME, 'room was made'


def test_a_generation_that_a_question_has_built_reuses_what_opens_every_one(qwen: Family) -> None:
    found = asked_of_each(qwen, keep_keyframes=2)
    swapped = [now for before, now in itertools.pairwise(found) if now[2] > before[2]]
    assert swapped
    for told, _, _ in swapped:
        assert told.reused_tokens == len(qwen.text.prefix_ids)
