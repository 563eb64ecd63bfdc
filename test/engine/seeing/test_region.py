# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A region in fractions of an image, on grids."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vlmaxxing_ros.engine.seeing.frame import Grid
from vlmaxxing_ros.engine.seeing.region import Region, touched_by

GRID = Grid(4, 10, 28)


@pytest.mark.parametrize(
    ('region', 'meets'),
    [(Region(0.0, 0.1, 0.1, 0.1), False), (Region(0.1, 0.7, 0.2, 0.2), True), (Region(), True)],
)
def test_a_view_meets_the_regions_that_it_shows_some_of(region: Region, meets: bool) -> None:
    assert region.meets(VIEW) is meets


@pytest.mark.parametrize(
    ('region', 'rows', 'cols'),
    [
        (Region(), (0, 4), (0, 10)),
        (Region(0.0, 0.0, 0.5, 0.5), (0, 2), (0, 5)),
        (Region(0.1, 0.25, 0.2, 0.25), (1, 2), (1, 3)),  # 0.1 + 0.2 is no more than 0.3
        (Region(0.15, 0.3, 0.1, 0.1), (1, 2), (1, 3)),  # every block that it touches
        (Region(0.7, 0.5, 0.3, 0.5), (2, 4), (7, 10)),
        (Region(0.5, 0.5, 1e-9, 1e-9), (2, 3), (5, 6)),
        (Region(1.0 - 1e-9, 1.0 - 1e-9, 1e-9, 1e-9), (3, 4), (9, 10)),
    ],
)
def test_it_has_the_blocks_that_it_touches(
    region: Region, rows: tuple[int, int], cols: tuple[int, int]
) -> None:
    assert region.blocks(GRID) == (slice(*rows), slice(*cols))


@pytest.mark.parametrize(
    'numbers',
    [
        (-0.1, 0.0, 0.5, 0.5),
        (0.0, 0.0, 0.0, 0.5),
        (0.0, 0.0, 1.1, 0.5),
        (0.6, 0.0, 0.5, 0.5),
        (math.nan, 0.0, 0.5, 0.5),
        (0.0, 0.0, 0.5, math.inf),
        (100, 50, 200, 100),
    ],
)
def test_what_is_not_within_the_image_is_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r'fractions of the image.*\[0.0, 0.0, 1.0, 1.0\]'):
        Region(*numbers)


def test_several_have_the_blocks_that_any_of_them_touches() -> None:
    touched = touched_by([Region(0.0, 0.0, 0.2, 0.25), Region(0.1, 0.0, 0.2, 0.5)], GRID)
    assert np.argwhere(touched).tolist() == [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2]]
    assert not touched_by([], GRID).any()


VIEW = Region(0.2, 0.0, 0.8, 0.75)


@pytest.mark.parametrize(
    ('region', 'shown'),
    [
        (Region(), Region()),
        (Region(0.2, 0.0, 0.4, 0.75), Region(0.0, 0.0, 0.5, 1.0)),
        (Region(0.6, 0.375, 0.4, 0.625), Region(0.5, 0.5, 0.5, 0.5)),
    ],
)
def test_a_view_shows_what_of_a_region_is_within_it(region: Region, shown: Region) -> None:
    assert region.within(VIEW).corner_and_size == pytest.approx(shown.corner_and_size)


@pytest.mark.parametrize(
    ('region', 'rows', 'cols'),
    [
        (Region(0.0, 0.1, 0.1, 0.1), (0, 2), (0, 1)),
        (Region(0.3, 0.9, 0.2, 0.1), (3, 4), (0, 2)),
    ],
)
def test_of_a_region_that_it_does_not_show_the_nearest_edge_counts(
    region: Region, rows: tuple[int, int], cols: tuple[int, int]
) -> None:
    assert region.within(VIEW).blocks(Grid(4, 4, 28)) == (slice(*rows), slice(*cols))


def test_a_box_in_a_view_is_mapped_back_to_the_image() -> None:
    box = Region(0.5, 0.5, 0.25, 0.25)
    assert box.of(VIEW).corner_and_size == pytest.approx((0.6, 0.375, 0.2, 0.1875))
    assert box.of(VIEW).within(VIEW).corner_and_size == pytest.approx(box.corner_and_size)
