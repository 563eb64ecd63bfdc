# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A rectangle of an image, whatever its size, and the blocks that it touches.

Knows fractions and grids; knows nothing of pixels or of what is in them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass

import numpy as np

from vlmaxxing_ros.engine.seeing.frame import Grid

_PLACES = 6  # decimals; 0.1 * 3 is no more than 0.3


@dataclass(frozen=True)
class Region:
    """Fractions of an image's width (`x`, `width`) and height, from its top left corner.

    Raises:
        ValueError: it is empty, or not within the image.
    """

    x: float = 0.0
    y: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def __post_init__(self) -> None:
        ends = ((self.x, self.width), (self.y, self.height))
        # `not >=` rather than `<`, so that NaN is refused too.
        if not all(
            start >= 0.0 and size > 0.0 and round(start + size, _PLACES) <= 1.0
            for start, size in ends
        ):
            raise ValueError(
                'a region is [x, y, width, height] in fractions of the image, within 0 and 1, '
                f'not {list(astuple(self))}: [0.0, 0.0, 1.0, 1.0] is all of it'
            )

    def blocks(self, grid: Grid) -> tuple[slice, slice]:
        """The rows and columns of blocks that it touches."""
        return _touched(self.y, self.height, grid.rows), _touched(self.x, self.width, grid.cols)


def touched_by(regions: Iterable[Region], grid: Grid) -> np.ndarray:
    """The blocks that any of some regions touches: bool [rows, cols]."""
    touched = np.zeros((grid.rows, grid.cols), bool)
    for region in regions:
        touched[region.blocks(grid)] = True
    return touched


def _touched(start: float, size: float, count: int) -> slice:
    first = min(math.floor(round(start * count, _PLACES)), count - 1)
    last = math.ceil(round((start + size) * count, _PLACES))
    return slice(first, max(first + 1, last))
