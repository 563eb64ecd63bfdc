# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The patrol: views of a larger table, and turns between them."""

from __future__ import annotations

import numpy as np

from vlmaxxing_ros.demo.patrol import Patrol
from vlmaxxing_ros.demo.tabletop import changed_blocks
from vlmaxxing_ros.demo.tabletop_state import COLORS


def test_the_camera_turns_in_every_second_slot_and_rests_in_between() -> None:
    world = Patrol(seed=1, slots=5)
    turns = [event for event in world.events if event.kind == 'view']
    assert len(turns) == 3
    for turn in turns:
        assert world.clear(turn.start - 0.01)
        assert not world.clear((turn.start + turn.end) / 2)
        assert world.clear(turn.end)
        assert changed_blocks(world.clean(turn.start), world.clean(turn.end)).mean() > 0.3


def test_blocks_do_not_move_when_the_camera_does() -> None:
    world = Patrol(seed=2, slots=3)
    turn = next(event for event in world.events if event.kind == 'view')
    stamps = np.arange(turn.start, turn.end, 0.1)
    for color in COLORS:
        places = {world.state(stamp).placed.get(color) for stamp in stamps} - {None}
        assert len(places) <= 1


def test_a_block_has_its_color_where_the_truth_says() -> None:
    palette = np.array(list(COLORS.values()), float)
    looked = 0
    for seed in range(3):
        world = Patrol(seed=seed, slots=3)
        for stamp in (1.0, 10.5, 17.5):
            if not world.clear(stamp):
                continue
            picture = world.clean(stamp)
            for color, (x, y) in world.state(stamp).blocks.items():
                pixel = picture[round(y * 168), round(x * 224)].astype(float)
                assert list(COLORS)[int(np.abs(palette - pixel).sum(1).argmin())] == color
                looked += 1
    assert looked > 5


def test_the_gripper_comes_along() -> None:
    world = Patrol(seed=4, slots=2)
    turn = next(event for event in world.events if event.kind == 'view')
    x, y = world.state(0.0).gripper
    palm = np.s_[: max(1, int(0.08 * 168)), int(x * 224) - 6 : int(x * 224) + 6]
    before, after = world.clean(turn.start)[palm], world.clean(turn.end)[palm]
    assert np.abs(before.astype(int) - after).max() <= 2
    assert 0 < y < 0.5
