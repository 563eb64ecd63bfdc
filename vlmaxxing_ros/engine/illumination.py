# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The light of a frame against the light its reference was seen in.

A robust gain and offset per channel, and the bands that flickering lamps draw through a rolling
shutter, so that exposure and lamps do not look like change.  Knows images; knows nothing of
blocks, thresholds or what is bought.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vlmaxxing_ros.engine.bands import fit_band

MID_GREY = 128.0
_SAMPLES = 1500
_FEWEST = 32  # usable samples, without which nothing is fitted
_ROUNDS = 4
_NEGLIGIBLE = 0.75  # grey levels: the light is taken as unchanged
_PLAIN = 0.3  # grey levels, of means: the light is taken as unchanged at first sight
_SWAY = 6.0  # grey levels that one pixel may add to such a mean
_POOR = 12.0  # grey levels of median residual: no light explains this
_DARK, _BRIGHT = 3, 252  # a pixel outside has been clipped: it says nothing about the gain


@dataclass(frozen=True)
class Light:
    """seen = (gain * reference + offset) * band, per channel and row.

    Attributes:
        gain: float32 [3].
        offset: float32 [3], grey levels.
        band: brightness of each row of the compared image, about 1: float32 [h]; None: even.
    """

    gain: np.ndarray
    offset: np.ndarray
    band: np.ndarray | None = None

    @cached_property
    def unchanged(self) -> bool:
        """Whether this is the reference's own light."""
        even = bool((self.gain == 1).all() and (self.offset == 0).all())
        return even and self.band is None

    @cached_property
    def mid_grey(self) -> np.ndarray:
        """What middle grey has become: float32 [3], grey levels."""
        return self.gain * np.float32(MID_GREY) + self.offset

    @cached_property
    def darkest(self) -> np.ndarray:
        """What black stands for in the reference's light: int16 [3]."""
        return np.round((0 - self.offset) / self.gain).astype(np.int16)

    @cached_property
    def brightest(self) -> np.ndarray:
        """What 255 stands for in the reference's light, in the brightest row: int16 [3]."""
        white = 255.0 if self.band is None else 255.0 / float(self.band.max())
        return np.round((white - self.offset) / self.gain).astype(np.int16)

    def undo(self, image: np.ndarray, rows: slice = slice(None)) -> np.ndarray:
        """Show `rows` of an image (uint8 [h, w, 3]) in the reference's light: int16, unclipped."""
        if self.unchanged:
            return image.astype(np.int16)
        if self.band is None:
            levels = (np.arange(256, dtype=np.float32)[:, None] - self.offset) / self.gain
            return cv2.LUT(image, np.round(levels).astype(np.int16)[None])
        levels = image * (1 / (self.band[rows, None] * self.gain))[:, None]
        levels -= self.offset / self.gain
        return np.rint(levels, out=levels).astype(np.int16)


UNCHANGED = Light(np.ones(3, np.float32), np.zeros(3, np.float32))


def fit_light(seen: np.ndarray, reference: np.ndarray, previous: Light = UNCHANGED) -> Light:
    """Fit the light by iteratively trimmed least squares, per channel, on a subsample.

    Trimming drops pixels whose residual exceeds 2.5 robust standard deviations, so what really
    changed, up to nearly half of the image, has no say.  Where no light explains most of the
    image the answer is `UNCHANGED`: what is left then is change.

    Args:
        seen: uint8 [h, w, 3].
        reference: int16 [h, w, 3], the same scene in its own light.
        previous: kept, to the bit, while it still holds: a light that jitters adds noise.
    """
    step = max(1, round((seen.shape[0] * seen.shape[1] / _SAMPLES) ** 0.5))
    x: np.ndarray = reference[::step, ::step].astype(np.float32)
    y: np.ndarray = seen[::step, ::step].astype(np.float32)
    if _plainly_unchanged(x, y):
        return UNCHANGED
    usable = ((np.minimum(x, y) > _DARK) & (np.maximum(x, y) < _BRIGHT)).all(axis=2)
    if np.count_nonzero(usable) < _FEWEST:
        return UNCHANGED
    band = fit_band(x, y, usable)
    if band is not None:
        y = y / band(np.arange(x.shape[0]) / x.shape[0])[:, None, None]
        light = _fit_even(_columns(x, usable), _columns(y, usable), UNCHANGED)
        rows = np.arange(seen.shape[0]) / (step * x.shape[0])
        return Light(light.gain, light.offset, band(rows))
    return _fit_even(_columns(x, usable), _columns(y, usable), previous)


def _plainly_unchanged(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether dark and bright parts, and all parts of the image, are where they were: most frames.

    A quick look at means, in which what moves counts for little; where it says no, the medians
    decide.
    """
    difference = (y - x).clip(-_SWAY, _SWAY).reshape(x.shape[0], -1)
    bright = x.reshape(difference.shape) > MID_GREY
    contrast = float((difference * bright).mean())
    rows = difference.mean(axis=1)
    channels = difference.reshape(-1, 3).mean(axis=0)
    return bool(
        abs(contrast) < 0.5 * _PLAIN and np.abs(channels).max() < _PLAIN and rows.std() < _PLAIN
    )


def _columns(image: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """The usable pixels of [h, w, 3], channel by channel: [3, samples]."""
    return np.ascontiguousarray(image[usable].T)


def _fit_even(x: np.ndarray, y: np.ndarray, previous: Light) -> Light:
    """Gain and offset of usable samples, float32 [3, samples]."""
    for light in (UNCHANGED, previous):
        if light.band is None and _holds(light, x, y):
            return light
    light, residual = _trimmed_fit(x, y)
    before = _middle(np.abs(y - x))
    after = _middle(residual)
    explained = (residual <= np.maximum(4.0, 4 * after)[:, None]).mean(axis=1)
    if after.mean() > 0.9 * before.mean() or after.max() > _POOR or explained.min() < 0.5:
        return UNCHANGED
    return light


def _trimmed_fit(x: np.ndarray, y: np.ndarray) -> tuple[Light, np.ndarray]:
    """The fit and its absolute residuals.  x, y and residuals are float32 [3, samples]."""
    gain: np.ndarray = np.ones((3, 1), np.float32)
    offset = _middle(y - x)[:, None]
    residual = np.abs(y - x - offset)
    for _ in range(_ROUNDS):
        spread = 1.4826 * _middle(residual)[:, None]
        weight = (residual <= np.maximum(2.0, 2.5 * spread)).astype(np.float32)
        total = weight.sum(axis=1, keepdims=True)
        x_mean = (weight * x).sum(axis=1, keepdims=True) / total
        y_mean = (weight * y).sum(axis=1, keepdims=True) / total
        dx = weight * (x - x_mean)
        variance = (dx * x).sum(axis=1, keepdims=True) / total
        covariance = (dx * y).sum(axis=1, keepdims=True) / total
        # Noise in x alone would pull the gain down (errors in variables): both images have it.
        noise = (weight * residual**2).sum(axis=1, keepdims=True) / total / (1 + gain**2)
        variance = np.maximum(variance - noise, 0.5 * variance)
        # The 1 keeps a flat image at gain 1.
        gain = np.maximum((covariance + 1) / (variance + 1), 0.05)
        offset = y_mean - gain * x_mean
        residual = np.abs(y - gain * x - offset)
    return Light(gain[:, 0], offset[:, 0]), residual


def _holds(light: Light, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether this light puts dark and bright halves alike where they are."""
    difference = y - light.gain[:, None] * x - light.offset[:, None]
    # By both images: bright in a noisy one alone means, on average, brighter than it is.
    brightness = (x + y).sum(axis=0)
    half = brightness.size // 2
    order = np.argpartition(brightness, half)
    return all(
        np.abs(_middle(difference[:, part])).max() <= _NEGLIGIBLE
        for part in (order[:half], order[half:])
    )


def _middle(values: np.ndarray) -> np.ndarray:
    """The median of each row, without interpolation: half the time of numpy's."""
    rank = values.shape[1] // 2
    return np.partition(values, rank, axis=1)[:, rank]
