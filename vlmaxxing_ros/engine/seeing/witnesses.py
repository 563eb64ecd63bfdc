# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whether it is the camera that moves, or something before it.

When a camera turns, all that has texture moves with it.  A belt, a hand or a person leaves what
is around them where it was.  So small tiles are asked whether they moved as far as the image is
thought to have, or stood still; a tile without texture cannot tell, and where too few can tell,
the camera is not believed to move.  Knows two images and a motion; knows nothing of lattices or
of what it costs to follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vlmaxxing_ros.engine.seeing.pieces import Place, cut

CONTRADICTED = 0.1
"""Share of the tiles that can tell, which may have stood still where a camera moves."""

_TILE = 8  # pixels of the halved image
_QUIET = 0.3  # squared grey levels that are never more than noise
_TELLS = 4.0  # times the noise: the least that a tile's texture makes of a motion
_CLEAR = 3.0  # how many times better one of both explains it
_NEARLY = 2.0  # pixels of a tile that may have come from beyond
_PARTS = 4  # into which each side is divided
_PARTS_AGREE = 2  # of each side,
_ALL_AGREE = 10  # and of all four
_SHARE = 0.3  # of a part's tiles


@dataclass(frozen=True)
class Testimony:
    """What the tiles say.

    Attributes:
        moved: bool [rows, cols], those that moved as far as the image is thought to have.
        still: bool [rows, cols], those that stood still.
    """

    moved: np.ndarray
    still: np.ndarray

    @property
    def contradicted(self) -> bool:
        """Whether much of what can tell stood still."""
        moved, still = np.count_nonzero(self.moved), np.count_nonzero(self.still)
        return still > CONTRADICTED * (moved + still)

    @property
    def camera_moves(self) -> bool:
        """Whether the camera is believed to move: something does, along all sides of the image.

        What passes before a camera leaves at least one side as it was.
        """
        if self.contradicted or min(self.moved.shape) < _PARTS:
            return False
        sides = self.moved[0], self.moved[-1], self.moved[:, 0], self.moved[:, -1]
        agree = [
            sum(part.mean() >= _SHARE for part in np.array_split(side, _PARTS)) for side in sides
        ]
        return min(agree) >= _PARTS_AGREE and sum(agree) >= _ALL_AGREE


def hear(before: np.ndarray, now: np.ndarray, gone: Place) -> Testimony:
    """Ask the tiles of two images, both uint8 [h, w, 3].

    Args:
        gone: how far the content is thought to have moved between them, in pixels.  What came in
            from beyond an edge is not asked.
    """
    before, now = _halved(before), _halved(now)
    right, down = gone[0] / 2, gone[1] / 2
    moved = cut(before, (-right, -down), now.shape[1], now.shape[0])
    rows, cols = _within(now.shape[0], down), _within(now.shape[1], right)
    if not rows.any() or not cols.any():
        return Testimony(np.zeros((0, 0), bool), np.zeros((0, 0), bool))
    if_moved, if_still = (_unlike(now, then)[rows][:, cols] for then in (moved, before))
    least = np.minimum(if_moved, if_still)
    noise = max(_QUIET, float(np.median(least)))
    tells = np.maximum(if_moved, if_still) > np.maximum(_TELLS * noise, _CLEAR * least)
    return Testimony(tells & (if_moved < if_still), tells & (if_still < if_moved))


def _halved(image: np.ndarray) -> np.ndarray:
    """The green channel at half the size: float32 [h, w]."""
    return cv2.pyrDown(cv2.extractChannel(image, 1)).astype(np.float32)


def _unlike(now: np.ndarray, then: np.ndarray) -> np.ndarray:
    """Variance of each tile's difference, so that another light is none: float32 [rows, cols]."""
    rows, cols = (side // _TILE for side in now.shape)
    apart = (now - then)[: rows * _TILE, : cols * _TILE]
    mean, square = (
        cv2.resize(values, (cols, rows), interpolation=cv2.INTER_AREA)
        for values in (apart, apart * apart)
    )
    unlike: np.ndarray = square - mean * mean
    return unlike


def _within(size: int, moved: float) -> np.ndarray:
    """Which tiles along one axis came from within the image: bool [n]."""
    starts = np.arange(size // _TILE) * _TILE - moved
    within: np.ndarray = (starts >= -_NEARLY) & (starts + _TILE <= size + _NEARLY)
    return within
