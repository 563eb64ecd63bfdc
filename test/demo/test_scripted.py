# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The scripted table: something happens in every slot, and the pixels show it."""

from __future__ import annotations

import numpy as np

from vlmaxxing_ros.demo.scripted import BRIEF, LEAD, SLOT, ScriptedTabletop
from vlmaxxing_ros.demo.tabletop import changed_blocks


def test_something_happens_in_every_slot_and_every_third_is_brief() -> None:
    world = ScriptedTabletop(seed=1, slots=6)
    assert world.duration == LEAD + 6 * SLOT
    for slot in range(6):
        start = LEAD + slot * SLOT
        inside = [event for event in world.events if start <= event.start <= start + 1.0]
        assert len(inside) == 1
        assert (round(inside[0].end - inside[0].start, 6) == BRIEF) == (slot % 3 == 2)


def test_the_camera_never_moves() -> None:
    world = ScriptedTabletop(seed=2, slots=2)
    first = world.events[0].start
    assert not changed_blocks(world.clean(0.0), world.clean(first - 0.05), level=0).any()


def test_a_visitor_is_there_for_a_fifth_of_a_second() -> None:
    worlds = [ScriptedTabletop(seed=seed, slots=6) for seed in range(6)]
    visits = [(w, e) for w in worlds for e in w.events if e.kind == 'visit']
    assert visits
    for world, visit in visits:
        there = [
            visit.color in world.state(visit.start + offset).blocks
            for offset in (-0.1, 0.0, 0.1, BRIEF + 0.01)
        ]
        assert there == [False, True, True, False]


def test_the_same_seed_gives_the_same_pixels() -> None:
    one, other = (ScriptedTabletop(seed=5, slots=2) for _ in range(2))
    assert np.array_equal(one.render(9.3), other.render(9.3))
