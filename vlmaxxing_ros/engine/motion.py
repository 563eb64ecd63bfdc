# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far the whole image moved since the frame before.

Phase correlation (Kuglin and Hines, 1975) on a small grey image, believed only where moving the
earlier image by the answer really explains the later one.  Knows nothing of blocks.
"""

from __future__ import annotations

import cv2
import numpy as np

_WIDTH = 160  # pixels of the small image, about
_CLIP = 24.0  # grey levels: beyond, a pixel belongs to something that moves by itself
_BELIEVED = 0.8  # of the difference may be left after moving the earlier image


class MotionEstimator:
    """Holds the previous small image, and nothing else."""

    def __init__(self) -> None:
        self._previous: np.ndarray | None = None
        self._window: np.ndarray | None = None

    def update(self, image: np.ndarray) -> tuple[float, float]:
        """Motion of the image content since the last call: (right, down) in pixels of `image`.

        Args:
            image: uint8 [h, w, 3].  The first image, and the first of a new size, has not moved.
        """
        factor = max(1, round(image.shape[1] / _WIDTH))
        size = (max(8, image.shape[1] // factor), max(8, image.shape[0] // factor))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        previous, self._previous = self._previous, grey
        if previous is None or previous.shape != grey.shape:
            self._window = cv2.createHanningWindow(size, cv2.CV_32F)
            return 0.0, 0.0
        assert self._window is not None
        (dx, dy), _ = cv2.phaseCorrelate(previous, grey, self._window)
        if dx * dx + dy * dy > 0.25 and not _explains(previous, grey, dx, dy):
            return 0.0, 0.0
        return dx * image.shape[1] / size[0], dy * image.shape[0] / size[1]


def _explains(previous: np.ndarray, grey: np.ndarray, dx: float, dy: float) -> bool:
    """Whether moving `previous` by (dx, dy) brings it clearly nearer to `grey`."""
    height, width = grey.shape
    x, y = round(dx), round(dy)
    if abs(x) >= width // 2 or abs(y) >= height // 2:
        return False
    now = grey[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
    moved = previous[max(0, -y) : height + min(0, -y), max(0, -x) : width + min(0, -x)]
    still = previous[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
    return _distance(now, moved) < _BELIEVED * _distance(now, still)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Clipped mean difference, whatever the light."""
    difference = a - b
    difference -= np.median(difference)
    return float(np.minimum(np.abs(difference), _CLIP).mean())
