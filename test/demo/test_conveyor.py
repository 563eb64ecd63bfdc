# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The belt: it never stops, and carries blocks from left to right."""

from __future__ import annotations

import numpy as np

from vlmaxxing_ros.demo.conveyor import EDGE, Conveyor
from vlmaxxing_ros.demo.tabletop import changed_blocks
from vlmaxxing_ros.demo.tabletop_state import COLORS


def test_most_of_the_picture_changes_from_frame_to_frame() -> None:
    world = Conveyor(seed=1, slots=1)
    changed = changed_blocks(world.clean(2.0), world.clean(2.1))
    assert changed[3:].mean() > 0.9
    assert not changed[0].any()  # the gripper's row


def test_a_block_moves_with_the_belt() -> None:
    world = Conveyor(seed=2, slots=2)
    both = [
        (world.state(stamp).blocks, world.state(stamp + 0.5).blocks)
        for stamp in np.arange(1.0, 15.0, 0.5)
    ]
    shifts = [
        later[color][0] - now[color][0] for now, later in both for color in now if color in later
    ]
    assert len(shifts) > 5
    assert np.allclose(shifts, world.speed * 0.5)


def test_what_happens_is_what_the_truth_says() -> None:
    world = Conveyor(seed=3, slots=4)
    kinds = set()
    for event in world.events:
        if not 0.5 < event.start < event.end < world.duration - 0.5:
            continue
        kinds.add(event.kind)
        before = event.color in world.state(event.start - 0.02).blocks
        after = event.color in world.state(event.end + 0.02).blocks
        expected = {'enter': (False, True), 'leave': (True, False), 'cross': (True, True)}
        assert (before, after) == expected.get(event.kind, (False, False))
    assert {'enter', 'leave', 'cross', 'visit'} <= kinds


def test_a_block_has_its_color_where_the_truth_says_and_is_wholly_inside() -> None:
    world = Conveyor(seed=4, slots=2)
    palette = np.array(list(COLORS.values()), float)
    for stamp in np.arange(0.5, 18.0, 1.1):
        if not world.clear(stamp):
            continue
        picture = world.clean(stamp)
        for color, (x, y) in world.state(stamp).blocks.items():
            assert EDGE <= x <= 1 - EDGE
            pixel = picture[round(y * 168) - 2, round(x * 224) - 2].astype(float)
            assert list(COLORS)[int(np.abs(palette - pixel).sum(1).argmin())] == color
