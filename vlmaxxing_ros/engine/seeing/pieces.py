# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A piece of an image, at a fraction of a pixel.

Columns and rows one after the other: OpenCV's `warpAffine` takes about ten times as long for the
same, and knows only every 32nd of a pixel.  Knows images; knows nothing of what they show.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

_SHARP = -0.75  # of the cubic kernel, as OpenCV has it
_BEFORE, _MORE = 1, 3  # pixels that a kernel reaches before the piece, and in all

Place = tuple[float, float]
"""Where a piece's top left corner lies, (right, down) in pixels."""


def further(place: Place, by: Place, sign: int = 1) -> Place:
    """A place, or a motion, so much further; `sign` -1: so much back."""
    return place[0] + sign * by[0], place[1] + sign * by[1]


def cut(
    image: np.ndarray, place: Place, width: int, height: int, *, sharp: bool = False
) -> np.ndarray:
    """Cut a piece out.

    Args:
        image: uint8 or float32, [h, w] or [h, w, 3].
        place: of the piece; what of it is not on the image shows the image's edge.
        width, height: of the piece.
        sharp: cubic between the pixels rather than linear.
    """
    left, top = (math.floor(at) for at in place)
    taps = _cubic if sharp else _linear
    around = _around(image, left - _BEFORE, top - _BEFORE, width + _MORE, height + _MORE)
    across, along = taps(place[0] - left), taps(place[1] - top)
    found: np.ndarray = cv2.sepFilter2D(around, -1, across, along, anchor=(_BEFORE, _BEFORE))
    return np.ascontiguousarray(found[_BEFORE : _BEFORE + height, _BEFORE : _BEFORE + width])


def _around(image: np.ndarray, left: int, top: int, width: int, height: int) -> np.ndarray:
    """Whole pixels of an image, and its edge beyond it."""
    rows, cols = image.shape[:2]
    # Further away there is nothing but the edge, either.
    left, top = min(max(left, 1 - width), cols - 1), min(max(top, 1 - height), rows - 1)
    below, behind = top + height, left + width
    inside = image[max(top, 0) : below, max(left, 0) : behind]
    lacks = (-top, below - rows, -left, behind - cols)
    if max(lacks) <= 0:
        return inside
    over, under, before, after = (max(0, lack) for lack in lacks)
    return cv2.copyMakeBorder(inside, over, under, before, after, cv2.BORDER_REPLICATE)


def _linear(part: float) -> np.ndarray:
    """Weights of the pixels before, at, behind and two behind a fraction of a pixel."""
    return np.array([0, 1 - part, part, 0], np.float32)


def _cubic(part: float) -> np.ndarray:
    """As `_linear`, of the cubic convolution (Keys, 1981)."""
    near = [((_SHARP + 2) * x - (_SHARP + 3)) * x * x + 1 for x in (part, 1 - part)]
    far = [((x - 5) * x + 8) * x * _SHARP - 4 * _SHARP for x in (1 + part, 2 - part)]
    return np.array([far[0], near[0], near[1], far[1]], np.float32)
