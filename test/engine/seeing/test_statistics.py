# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What each statistic makes of a difference."""

from __future__ import annotations

import numpy as np
import pytest

from vlmaxxing_ros.engine.seeing.frame import Grid
from vlmaxxing_ros.engine.seeing.statistics import STATISTICS, Compared

GRID = Grid(2, 3, 28)


def measure(name: str, before: np.ndarray, after: np.ndarray, grid: Grid = GRID) -> np.ndarray:
    """The change from one uint8 image to another."""
    statistic = STATISTICS[name]
    images = (statistic.prepare(image, grid).astype(np.int16) for image in (after, before))
    return statistic.compare(Compared(*images, grid, statistic.cell(grid)))


def flat(grid: Grid = GRID) -> np.ndarray:
    return np.full((grid.height, grid.width, 3), 100, np.uint8)


@pytest.mark.parametrize('name', STATISTICS)
def test_the_same_image_has_not_changed(name: str) -> None:
    change = measure(name, flat(), flat())
    assert change.shape == (2, 3)
    assert change.dtype == np.float32
    assert (change == 0).all()


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('tile_mean', 60.0),
        ('mean', 60 * 16 / 784 / 3),
        ('max_abs', 60.0),
        ('changed_pixel_fraction', 100 * 16 / 784),
        ('top_k_mean', 60 * 16 / 39),
    ],
)
def test_a_lamp_of_4x4_pixels_in_one_channel(name: str, expected: float) -> None:
    lit = flat()
    lit[28 + 8 : 28 + 12, 56 + 4 : 56 + 8, 1] += 60
    change = measure(name, flat(), lit)
    assert change[1, 2] == pytest.approx(expected, rel=0.01)
    assert np.count_nonzero(change) == 1


@pytest.mark.parametrize('x', range(24))
def test_a_lamp_counts_for_more_than_half_wherever_it_is(x: int) -> None:
    lit = flat()
    lit[28 + x : 32 + x, 28 + x : 32 + x] += 64
    change = measure('tile_mean', flat(), lit)
    assert change[1, 1] >= 64 * 9 / 16
    assert np.count_nonzero(change) == 1


def test_noise_cancels_in_a_tile() -> None:
    rng = np.random.default_rng(0)
    noisy = [
        np.clip(np.round(flat() + rng.normal(0, 3, flat().shape)), 0, 255).astype(np.uint8)
        for _ in range(2)
    ]
    assert measure('tile_mean', *noisy).max() < 6 < measure('max_abs', *noisy).min()


def test_stripes_that_change_places_with_their_gaps_are_seen() -> None:
    stripes = np.where(np.arange(28) // 2 % 2, 30, -30).astype(np.int16)[:, None, None]
    before, after = flat().astype(np.int16), flat().astype(np.int16)
    before[:28, :28] += stripes
    after[:28, :28] -= stripes
    change = measure('tile_mean', before.astype(np.uint8), after.astype(np.uint8))
    assert change[0, 0] == 30


def test_a_change_belongs_to_its_own_block() -> None:
    lit = flat()
    lit[24:28, 52:56] += 60
    assert np.argwhere(measure('tile_mean', flat(), lit)).tolist() == [[0, 1]]


def test_blocks_of_odd_side_are_compared_pixel_by_pixel() -> None:
    grid = Grid(2, 2, 15)
    lit = flat(grid)
    lit[16:20, 17:21] += 60
    change = measure('tile_mean', flat(grid), lit, grid)
    assert change.tolist() == [[0, 0], [0, 60]]


def test_a_shaken_edge_is_no_change_but_a_lamp_is() -> None:
    grid = Grid(1, 2, 28)
    before = np.full((28, 56, 3), 50, np.uint8)
    before[:, 12:28] = 200
    after = np.roll(before, 1, axis=1)
    after[10:14, 40:44] += 60
    statistic = STATISTICS['tile_mean']
    images = [statistic.prepare(image, grid).astype(np.int16) for image in (after, before)]
    still, shaken = (
        statistic.compare(Compared(*images, grid, 2, shakes=shakes))[0] for shakes in (False, True)
    )
    assert still[0] > 30
    assert shaken[0] == 0
    assert shaken[1] == still[1] == 60


def test_beyond_shake_a_lamp_counts_in_levels_above_255_too() -> None:
    grid = Grid(1, 2, 28)
    before = np.full((14, 28, 3), 20, np.int16)
    before[:, 14:] = 500  # seen in much less light than the reference
    seen = before.copy()
    seen[4:6, 20:22] += 60
    change = STATISTICS['tile_mean'].compare(Compared(seen, before, grid, 2, (20, 600), True))
    assert change[0] == pytest.approx([0, 60], abs=3)
