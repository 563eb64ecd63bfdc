# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Hard tables: the same truth, harder to see."""

from __future__ import annotations

import math

import numpy as np

from vlmaxxing_ros.demo.hard import HARD, Hardness, HardTabletop

EASY = Hardness(scale=1.0, contrast=1.0, noise=0.0, clutter=0, rods=0)


def test_hardness_changes_pixels_but_not_the_truth() -> None:
    easy, hard = (HardTabletop(seed=7, hardness=hardness) for hardness in (EASY, HARD))
    assert easy.state(4.0) == hard.state(4.0)
    assert easy.events == hard.events
    assert not np.array_equal(easy.render(4.0), hard.render(4.0))


def test_blocks_become_smaller_and_paler() -> None:
    def painted(hardness: Hardness) -> tuple[int, float]:
        """Pixels that the blocks cover, and how far they stand out from the table."""
        world = HardTabletop(seed=11, size=(224, 224), pause=math.inf, hardness=hardness)
        empty = np.median(world.clean(0.0).reshape(-1, 3), axis=0)
        apart = np.abs(world.clean(0.0).astype(float) - empty).max(2)
        return int((apart > 25).sum()), float(np.percentile(apart, 99))

    (size, contrast), (less, paler) = painted(EASY), painted(Hardness(0.6, 0.6, 0.0, 0, 0))
    assert less < size
    assert paler < contrast


def test_rods_hide_part_of_the_table_for_good() -> None:
    bare, barred = (
        HardTabletop(seed=3, pause=math.inf, hardness=Hardness(1.0, 1.0, 0.0, 0, rods))
        for rods in (0, 2)
    )
    hidden = (bare.clean(0.0) != barred.clean(0.0)).any(2)
    assert 0.02 < hidden.mean() < 0.4
    assert np.array_equal(barred.clean(0.0), barred.clean(5.0))
