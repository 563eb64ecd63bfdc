# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A block lattice that stands anywhere on an image a little larger than itself.

The image is resized onto a canvas that is larger than the grid by a margin, and the frame is a
piece of it.  Knows where a piece may stand and what it shows; knows nothing of how the camera
moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlmaxxing_ros.engine.seeing.frame import Grid, resize
from vlmaxxing_ros.engine.seeing.pieces import Place, cut
from vlmaxxing_ros.engine.seeing.region import Region

LEAST_VIEW = 3
"""How many margins the shorter side of a grid has at least: less would leave too little view."""

_SLACK = 0.5  # pixels beyond the margin that count as within: less than is seen


@dataclass(frozen=True)
class Lattice:
    """A grid and its margin, in pixels along each axis."""

    grid: Grid
    margin: int

    @property
    def fits(self) -> bool:
        """Whether the grid is large enough for such a margin."""
        return min(self.grid.width, self.grid.height) >= LEAST_VIEW * self.margin

    @property
    def _size(self) -> tuple[int, int]:
        """Width and height of the canvas."""
        return self.grid.width + self.margin, self.grid.height + self.margin

    @property
    def zoom(self) -> Place:
        """Pixels of the canvas per pixel of a frame that shows all of the image."""
        width, height = self._size
        return width / self.grid.width, height / self.grid.height

    def canvas(self, image: np.ndarray) -> np.ndarray:
        """An image (uint8 [height, width, 3]) on the canvas."""
        return np.ascontiguousarray(resize(image, *self._size))

    def holds(self, place: Place, slack: float = _SLACK) -> bool:
        """Whether a piece at this place is on the canvas, or that near to it."""
        return all(-slack <= at <= self.margin + slack for at in place)

    def cut(self, canvas: np.ndarray, place: Place) -> np.ndarray:
        """The piece at a place that it holds: uint8 [grid.height, grid.width, 3]."""
        width, height = self.grid.width, self.grid.height
        return cut(canvas, self._clamped(place), width, height, sharp=True)

    def view(self, place: Place) -> Region:
        """What of the image the piece at a place shows."""
        (right, down), (width, height) = self._clamped(place), self._size
        return Region(
            right / width, down / height, self.grid.width / width, self.grid.height / height
        )

    def anchor(self, motion: Place, *, rests: bool) -> Place:
        """Where to stand for the longest way to go.

        Args:
            motion: of the image content, (right, down) in pixels per frame.
            rests: it goes nowhere, or to and fro: the middle.
        """
        right, down = (
            float(round(self.margin / 2))
            if rests or abs(way) < 1
            else float(self.margin * (way < 0))
            for way in motion
        )
        return right, down

    def _clamped(self, place: Place) -> Place:
        right, down = (min(max(at, 0.0), float(self.margin)) for at in place)
        return right, down
