# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A lattice on a canvas larger than itself."""

from __future__ import annotations

import numpy as np
import pytest

from vlmaxxing_ros.engine.seeing.frame import Grid
from vlmaxxing_ros.engine.seeing.lattice import Lattice
from vlmaxxing_ros.engine.seeing.pieces import Place
from vlmaxxing_ros.engine.seeing.region import Region

LATTICE = Lattice(Grid(12, 16, 28), 56)


def test_a_piece_at_whole_pixels_is_a_piece_of_the_canvas() -> None:
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    canvas = LATTICE.canvas(image)
    assert canvas.shape == (392, 504, 3)
    assert np.array_equal(LATTICE.cut(canvas, (56.0, 7.0)), canvas[7:343, 56:504])


def test_a_view_says_what_of_the_image_is_shown() -> None:
    assert LATTICE.view((0.0, 0.0)) == Region(0.0, 0.0, 448 / 504, 336 / 392)
    right = LATTICE.view((56.0, 28.0))
    assert right.x + right.width == pytest.approx(1.0)
    assert right.y == pytest.approx(28 / 392)


@pytest.mark.parametrize(
    ('motion', 'rests', 'place'),
    [
        ((-5.0, 0.0), False, (56.0, 28.0)),
        ((5.0, 0.0), False, (0.0, 28.0)),
        ((3.0, -3.0), False, (0.0, 56.0)),
        ((9.0, 9.0), True, (28.0, 28.0)),
    ],
)
def test_it_stands_where_the_content_has_the_longest_way_to_go(
    motion: Place, rests: bool, place: Place
) -> None:
    assert LATTICE.anchor(motion, rests=rests) == place


def test_a_place_is_held_within_the_margin_and_a_little_beyond() -> None:
    assert LATTICE.holds((0.0, 56.0))
    assert LATTICE.holds((-0.3, 56.3))
    assert not LATTICE.holds((-1.0, 20.0))
    assert LATTICE.holds((-7.0, 20.0), slack=8.0)


def test_the_margin_has_to_fit_into_the_shorter_side_three_times() -> None:
    assert Lattice(Grid(6, 8, 28), 56).fits
    assert not Lattice(Grid(5, 8, 28), 56).fits
