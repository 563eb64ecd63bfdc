# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How far the whole image moved since the frame before.

Phase correlation (Kuglin and Hines, 1975) on a small grey image, believed only where moving the
earlier image by the answer really explains the later one, refined by least squares.  Knows
nothing of blocks.

OpenCV's `phaseCorrelate` is not used: at some image sizes its answer is off by half a pixel.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

_WIDTH = 80  # pixels of the small image, about
_MULTIPLE = 8  # its sides are multiples of this, which keeps the transforms fast
_COARSE = 9  # pixels of the small image
_CLIP = 24.0  # grey levels: beyond, a pixel belongs to something that moves by itself
_STILL = 0.1  # of the gradient's energy: a motion of a third of a pixel
_BELIEVED = 0.8  # of the difference may be left after moving the earlier image

_RECENT = 0.2  # weight of the newest frame in what is known of the shake
_STEADY = 0.25  # pixels of shake that are no shake


class MotionEstimator:
    """Holds the previous small image, and nothing else."""

    def __init__(self) -> None:
        self._grey: np.ndarray | None = None

    def update(self, image: np.ndarray) -> tuple[float, float]:
        """Motion of the image content since the last call: (right, down) in pixels of `image`.

        The first image, and the first of a new
        size, has not moved; nor has one smaller than 16 pixels.

        Args:
            image: uint8 [h, w, 3].
        """
        factor = max(1, round(image.shape[1] / _WIDTH))
        height, width = (side // factor // _MULTIPLE * _MULTIPLE for side in image.shape[:2])
        if min(height, width) < 2 * _MULTIPLE:
            return 0.0, 0.0
        # Green is most of the grey.  Cut to a whole multiple of the factor: area averaging is fast.
        green = cv2.extractChannel(image, 1)[: height * factor, : width * factor]
        scale = factor
        while scale > 1:
            scale = scale // 2 if scale % 2 == 0 else 1  # halving is by far the fastest
            size = (width * scale, height * scale)
            green = cv2.resize(green, size, interpolation=cv2.INTER_AREA)
        grey: np.ndarray = green.astype(np.float32)
        # Without the coarse brightness: lamps and their bands do not move the camera.
        grey = cv2.subtract(grey, cv2.blur(grey, (_COARSE, _COARSE)))
        before, self._grey = self._grey, grey
        if before is None or before.shape != grey.shape:
            return 0.0, 0.0
        motion, still = _refine(before, grey)
        if not still:
            right, down = _peak(before, grey)
            now, moved, unmoved = _overlaps(before, grey, right, down)
            if _distance(now, moved) < _BELIEVED * _distance(now, unmoved):
                rest, _ = _refine(moved, now)
                motion = right + rest[0], down + rest[1]
        return motion[0] * factor, motion[1] * factor


class Shake:
    """Tells a camera that shakes from one that stands or goes somewhere.

    Attributes:
        shakes: what was told last.
    """

    def __init__(self) -> None:
        self.shakes = False
        self._right = self._down = self._square = self._weight = 0.0

    def update(self, motion: tuple[float, float]) -> bool:
        """Whether the recent motions, in pixels, go to and fro about one place."""
        right, down = motion
        # Weighted means over the recent frames, however few there have been.
        self._weight = 1 + (1 - _RECENT) * self._weight
        newest = 1 / self._weight
        self._right += newest * (right - self._right)
        self._down += newest * (down - self._down)
        self._square += newest * (right**2 + down**2 - self._square)
        to_and_fro = self._right**2 + self._down**2 < 0.3 * self._square
        self.shakes = to_and_fro and self._square**0.5 > _STEADY
        return self.shakes


def _peak(before: np.ndarray, now: np.ndarray) -> tuple[int, int]:
    """Whole pixels (right, down) by which the second image's content has moved."""
    window = _window(*now.shape)
    after, first = np.fft.rfft2(np.stack((now, before)) * window)
    cross = after * first.conj()
    magnitude = np.abs(cross)
    # Frequencies that carry nothing but noise get little say.
    cross /= magnitude + np.float32(1e-3) * magnitude.mean() + np.float32(1e-6)
    height, width = now.shape
    down, right = divmod(int(np.fft.irfft2(cross, now.shape).argmax()), width)
    return (
        right - width if right > width // 2 else right,
        down - height if down > height // 2 else down,
    )


@lru_cache(maxsize=4)
def _window(height: int, width: int) -> np.ndarray:
    """Fades the image out towards its borders, which do not move with it."""
    return np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)


def _overlaps(
    before: np.ndarray, now: np.ndarray, right: int, down: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What both images show if the content moved; `before` there, moved and unmoved."""
    height, width = now.shape
    x, y = right, down
    seen = np.s_[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
    source = np.s_[max(0, -y) : height + min(0, -y), max(0, -x) : width + min(0, -x)]
    return now[seen], before[source], before[seen]


def _refine(before: np.ndarray, now: np.ndarray) -> tuple[tuple[float, float], bool]:
    """A motion of less than a pixel (Lucas and Kanade, 1981), and whether it is no more than that.

    A motion of a pixel or more changes the image by about as much as its own gradient.
    """
    height, width = now.shape
    middle = now + before
    parts = np.empty((3, height - 2, width - 2), np.float32)
    across, along, change = parts
    np.subtract(middle[1:-1, 2:], middle[1:-1, :-2], out=across)
    np.subtract(middle[2:, 1:-1], middle[:-2, 1:-1], out=along)
    np.subtract(now[1:-1, 1:-1], before[1:-1, 1:-1], out=change)
    np.minimum(change, _CLIP, out=change)
    np.maximum(change, -_CLIP, out=change)
    across, along, change = parts.reshape(3, -1)
    # The gradients are four times too large, for the sum of two images over two pixels.
    xx, yy, xy = float(across @ across), float(along @ along), float(across @ along)
    xx, yy, xy = xx / 16, yy / 16, xy / 16
    x, y = -float(across @ change) / 4, -float(along @ change) / 4
    xx, yy = xx + change.size, yy + change.size  # a blank wall does not move
    scale = 1 / (xx * yy - xy * xy)
    right, down = (yy * x - xy * y) * scale, (xx * y - xy * x) * scale
    still = float(change @ change) < _STILL * (xx + yy)
    return (min(max(right, -1), 1), min(max(down, -1), 1)), still


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Mean difference, clipped."""
    return float(np.minimum(np.abs(a - b), _CLIP).mean())
