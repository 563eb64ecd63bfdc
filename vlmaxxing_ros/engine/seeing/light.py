# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The light of a frame against the light its reference was seen in.

A gain and an offset per channel, and the bands that flickering lamps draw through a rolling
shutter.  Knows how to undo a light; knows nothing of how it is found, of blocks or of thresholds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

MID_GREY = 128.0
NEGLIGIBLE = 0.75  # grey levels: the light is taken as unchanged
_GREYS = (64.0, 192.0)  # a dark and a bright one


@dataclass(frozen=True)
class Light:
    """seen = (gain * reference + offset) * band, per channel and row.

    Attributes:
        gain: float32 [3].
        offset: float32 [3], grey levels.
        band: brightness of each row of the compared image: float32 [h]; None: 1 in all of them.
    """

    gain: np.ndarray
    offset: np.ndarray
    band: np.ndarray | None = None

    @cached_property
    def unchanged(self) -> bool:
        """Whether this is the reference's own light."""
        even = bool((self.gain == 1).all() and (self.offset == 0).all())
        return even and self.band is None

    @property
    def negligible(self) -> bool:
        """Whether dark and bright levels are, but for a fraction, what they are in no light."""
        lines = zip(self.gain.tolist(), self.offset.tolist(), strict=True)
        moved = ((gain - 1) * grey + offset for gain, offset in lines for grey in _GREYS)
        return max(map(abs, moved)) <= NEGLIGIBLE

    @cached_property
    def brightness(self) -> float:
        """Of all rows together."""
        return 1.0 if self.band is None else float(self.band.mean())

    @cached_property
    def mid_grey(self) -> np.ndarray:
        """What middle grey has become: float32 [3], grey levels."""
        return (self.gain * np.float32(MID_GREY) + self.offset) * np.float32(self.brightness)

    @cached_property
    def darkest(self) -> np.ndarray:
        """What black stands for in the reference's light: int16 [3]."""
        return np.rint((0 - self.offset) / self.gain).astype(np.int16)

    @cached_property
    def brightest(self) -> np.ndarray:
        """What 255 stands for in the reference's light, in the brightest row: int16 [3]."""
        white = 255.0 if self.band is None else 255.0 / float(self.band.max())
        return np.rint((white - self.offset) / self.gain).astype(np.int16)

    def beyond(self, gain: float, offset: float) -> bool:
        """Whether some gain, up or down, or some offset is larger than this."""
        gains, offsets = (self.gain * self.brightness).tolist(), self.offset.tolist()
        return max(max(g, 1 / g) for g in gains) > gain or max(map(abs, offsets)) > offset

    def undo(self, image: np.ndarray, rows: slice = slice(None)) -> np.ndarray:
        """Show `rows` of an image (uint8 [h, w, 3]) in the reference's light.

        int16, from `darkest` to `brightest`.
        """
        if self.unchanged:
            return image.astype(np.int16)
        if self.band is None:
            even = (np.arange(256, dtype=np.float32)[:, None] - self.offset) / self.gain
            return cv2.LUT(image, np.rint(even).astype(np.int16)[None])
        levels: np.ndarray = image.reshape(image.shape[0], -1).astype(np.int16)
        darker = 1 / self.band[rows, None]
        levels = _scaled(levels, 255.0, darker, np.zeros(1, np.float32))
        if (self.gain != 1).any() or self.offset.any():
            highest = 255 * float(darker.max())
            levels = _scaled(levels, highest, 1 / self.gain, -self.offset / self.gain)
        # 255 stands for more in a darker row.
        np.minimum(levels, _along(self.brightest, levels), out=levels)
        return levels.reshape(image.shape)


def _scaled(
    levels: np.ndarray, highest: float, factor: np.ndarray, summand: np.ndarray
) -> np.ndarray:
    """Multiply and add in fixed point: faster than in floats, and off by a level at most.

    By more only in lights that are several times as strong, or as weak, as the reference's.

    Args:
        levels: int16 [h, values], from 0 to `highest`.
        factor, summand: float32, [h, 1] or of one pixel.
    """
    # levels + (levels - middle) * more + rest: what is multiplied is small, many bits fit.
    middle, more = int(MID_GREY), factor - 1
    rest = summand + middle * more
    reach = max(middle, highest - middle)
    most = reach * float(np.abs(more).max()) + float(np.abs(rest).max())
    bits = int(math.log2(32767 / (most + 1)))
    more, rest = (np.rint(v * 2**bits).astype(np.int16) for v in (more, rest + 0.5))
    if factor.ndim == 1:
        more, rest = _along(more, levels), _along(rest, levels)
    scaled = levels - np.int16(middle)
    scaled *= more
    scaled += rest
    scaled >>= bits
    scaled += levels
    return scaled


def _along(pixel: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """One pixel's values again and again, for a whole row of `levels` ([h, values]): [values]."""
    return pixel[None].repeat(levels.shape[1] // pixel.size, axis=0).ravel()


UNCHANGED = Light(np.ones(3, np.float32), np.zeros(3, np.float32))
