# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The built-in model answers about change from a history that was carried, and is right."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import load_family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame, fit_grid
from vlmaxxing_ros.evaluation.arms.live import LiveArm

FPS, SPEED = 10, 30.0  # a whole frame takes about a second


@pytest.mark.parametrize(('seed', 'moves'), [(7_000_508, 'green'), (7_000_511, 'none')])
def test_which_block_moves_is_answered_rightly_from_a_carried_history(
    seed: int, moves: str
) -> None:
    world = Tabletop(seed=seed, size=(112, 112), duration=20.0, pause=2.0)
    arm = LiveArm(load_family('nano'), EngineConfig(), SPEED)
    grid = fit_grid(112, 112, block=28, max_blocks=16)
    replies = {}
    for index in range(16 * FPS + 1):
        arm.admit(Frame(world.render(index / FPS), grid, round((index + 1) / FPS * 1e9)))
        if index in (6 * FPS, 11 * FPS, 16 * FPS):
            for text in ('Which block moves?', 'Which block is moving?'):
                replies[index, text] = arm.ask('', Question(text=text, max_tokens=8))
    first, _, _, _, last, again = replies.values()
    assert first.exact
    assert (last.exact, last.answer) == (False, moves)
    assert (again.exact, again.answer) == (False, moves)
    assert again.simulated < last.simulated, 'nothing has moved'
