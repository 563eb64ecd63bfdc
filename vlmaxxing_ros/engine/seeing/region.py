# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A rectangle of an image, whatever its size, and the blocks that it touches.

Knows fractions and grids; knows nothing of pixels or of what is in them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.seeing.frame import Grid

_PLACES = 6  # decimals; 0.1 * 3 is no more than 0.3
_SLIVER = 1e-3  # of a view: less than any block of it


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

    @property
    def corner_and_size(self) -> tuple[float, float, float, float]:
        """`x`, `y`, `width`, `height`."""
        return self.x, self.y, self.width, self.height

    def blocks(self, grid: Grid) -> tuple[slice, slice]:
        """The rows and columns of blocks that it touches."""
        return _touched(self.y, self.height, grid.rows), _touched(self.x, self.width, grid.cols)

    def within(self, view: Region) -> Region:
        """What of this region a view of the image shows, in fractions of that view.

        Where that is nothing, the sliver of the view that is nearest to it.
        """
        x, width = _shown(self.x, self.width, view.x, view.width)
        y, height = _shown(self.y, self.height, view.y, view.height)
        return Region(x, y, width, height)

    def meets(self, view: Region) -> bool:
        """Whether a view of the image shows any of it."""
        across = self.x < view.x + view.width and view.x < self.x + self.width
        return across and self.y < view.y + view.height and view.y < self.y + self.height

    def of(self, view: Region) -> Region:
        """This region of a view of the image, in fractions of the image: a box mapped back."""
        return Region(
            view.x + self.x * view.width,
            view.y + self.y * view.height,
            self.width * view.width,
            self.height * view.height,
        )


WHOLE = Region()
"""All of an image."""


def _shown(start: float, size: float, first: float, length: float) -> tuple[float, float]:
    """One axis of `Region.within`: where it starts, and how much it is."""
    begin = min(max((start - first) / length, 0.0), 1.0 - _SLIVER)
    end = min((start + size - first) / length, 1.0)
    return begin, max(end - begin, _SLIVER)


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
