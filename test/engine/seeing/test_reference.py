# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The reference moves where blocks are admitted, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from vlmaxxing_ros.engine.errors import InvalidFrame
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.reference import Reference

GRID = Grid(2, 3, 28)


def flat(level: int, stamp: int, grid: Grid = GRID) -> Frame:
    return Frame(np.full((grid.height, grid.width, 3), level, np.uint8), grid, stamp)


def test_only_admitted_blocks_move() -> None:
    reference = Reference(flat(10, 0))
    fresh = np.zeros((2, 3), bool)
    fresh[1, 2] = True
    reference.admit(flat(200, 5), fresh)
    expected = np.full((56, 84, 3), 10, np.uint8)
    expected[28:, 56:] = 200
    assert (reference.pixels == expected).all()
    assert reference.stamps.tolist() == [[0, 0, 0], [0, 0, 5]]


def test_the_frame_itself_is_never_written_to() -> None:
    first = flat(10, 0)
    reference = Reference(first)
    reference.admit(flat(200, 5), np.eye(2, 3, dtype=bool))
    assert (first.pixels == 10).all()


def test_oldest_age_is_that_of_the_oldest_block() -> None:
    reference = Reference(flat(10, 1_000_000_000))
    fresh = np.ones((2, 3), bool)
    fresh[0, 0] = False
    reference.admit(flat(10, 3_000_000_000), fresh)
    assert reference.oldest_age(4_000_000_000) == pytest.approx(3.0)


def test_a_frame_of_another_size_is_refused() -> None:
    reference = Reference(flat(10, 0))
    with pytest.raises(InvalidFrame, match='start a new one'):
        reference.admit(flat(10, 1, Grid(3, 3, 28)), np.ones((3, 3), bool))
