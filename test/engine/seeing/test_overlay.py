# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The overlay shows what was paid for."""

from __future__ import annotations

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.overlay import WHITE, draw_overlay
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.seeing.region import Region

GRID = Grid(12, 18, 28)


def planned(change: int, *protected: Region) -> Plan:
    """A flat red frame of which block (2, 3) alone has changed by `change`."""
    before = np.full((GRID.height, GRID.width, 3), (120, 60, 60), np.uint8)
    after = before.copy()
    after[60:80, 90:110] += np.uint8(change)
    frame = Frame(after, GRID, 1)
    config = EngineConfig()
    planner = Planner(config)
    planner.admit(planner.plan(planner.look(Frame(before, GRID, 0))))
    return planner.plan(planner.look(frame, protected=protected))


def block(picture: np.ndarray, row: int, col: int) -> np.ndarray:
    """Mean colour of the middle of a block."""
    y, x = row * 28, col * 28
    return picture[y + 4 : y + 24, x + 4 : x + 24].mean(axis=(0, 1))


def test_fresh_blocks_are_orange_and_static_ones_grey() -> None:
    plan = planned(60)
    picture = draw_overlay(plan, [])
    assert plan.fresh[2, 3]
    red, green, blue = block(picture, 2, 3)
    assert red > green + 20 > blue + 40
    still = np.argwhere(~plan.fresh)[0]
    red, green, blue = block(picture, *still)
    assert red == green == blue


def test_shifted_blocks_keep_their_colours() -> None:
    plan = planned(5)
    assert not plan.fresh[2, 3]
    assert (block(draw_overlay(plan, []), 2, 3) > (115, 55, 55)).all()


def test_every_line_of_numbers_adds_to_the_panel() -> None:
    plan = planned(60)
    none, two = (draw_overlay(plan, lines) for lines in ([], ['a', 'b']))
    assert two.shape[0] > none.shape[0] > GRID.height
    assert two.shape[1] == GRID.width
    assert two.dtype == np.uint8


def test_a_small_frame_is_enlarged() -> None:
    small = Grid(4, 4, 28)
    frame = Frame(np.zeros((112, 112, 3), np.uint8), small, 0)
    planner = Planner(EngineConfig())
    picture = draw_overlay(planner.plan(planner.look(frame)), [])
    assert picture.shape[1] == 560


def test_the_frame_itself_is_left_alone() -> None:
    plan = planned(60)
    frame = plan.look.frame
    before = frame.pixels.copy()
    draw_overlay(plan, ['x'])
    assert (frame.pixels == before).all()


def test_a_white_line_runs_around_what_is_protected_and_the_legend_counts_it() -> None:
    plan = planned(60, Region(2 / 18, 1 / 12, 3 / 18, 2 / 12))
    assert plan.protected.sum() == 6
    picture, without = draw_overlay(plan, []), draw_overlay(planned(60), [])
    left, top, right, bottom = 2 * 28, 1 * 28, 5 * 28 - 1, 3 * 28 - 1
    for x, y in ((left, top + 40), (right, top + 40), (left + 40, top), (left + 40, bottom)):
        assert tuple(picture[y, x]) == WHITE
    assert (block(picture, 1, 3) == block(without, 1, 3)).all(), 'what is inside is as it was'
    assert picture.shape[0] > without.shape[0]
