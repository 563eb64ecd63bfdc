# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The light of a frame against the light its reference was seen in.

A robust gain and offset per channel, so that exposure and lamps do not look like change.  Knows
images; knows nothing of blocks, thresholds or what is bought.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

MID_GREY = 128.0
_SAMPLES = 2500
_FEWEST = 32
_ROUNDS = 6
_NEGLIGIBLE = 0.75  # grey levels: the light is taken as unchanged
_POOR = 12.0  # grey levels of median residual: no light explains this
_DARK, _BRIGHT = 3, 252  # a pixel outside has been clipped: it says nothing about the gain


@dataclass(frozen=True)
class Light:
    """seen = gain * reference + offset, per channel.

    Attributes:
        gain: float32 [3].
        offset: float32 [3], grey levels.
    """

    gain: np.ndarray
    offset: np.ndarray

    @property
    def unchanged(self) -> bool:
        """Whether this is the reference's own light."""
        return bool((self.gain == 1).all() and (self.offset == 0).all())

    @property
    def mid_grey(self) -> np.ndarray:
        """What middle grey has become: float32 [3], grey levels."""
        return self.gain * np.float32(MID_GREY) + self.offset

    @property
    def darkest(self) -> np.ndarray:
        """What black stands for in the reference's light: int16 [3]."""
        return np.round((0 - self.offset) / self.gain).astype(np.int16)

    @property
    def brightest(self) -> np.ndarray:
        """What 255 stands for in the reference's light: int16 [3]."""
        return np.round((255 - self.offset) / self.gain).astype(np.int16)

    def undo(self, image: np.ndarray) -> np.ndarray:
        """Show an image (uint8 [h, w, 3]) in the reference's light: int16, may pass 255."""
        if self.unchanged:
            return image.astype(np.int16)
        levels = (np.arange(256, dtype=np.float32)[:, None] - self.offset) / self.gain
        return cv2.LUT(image, np.round(levels).astype(np.int16)[None])


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
    x: np.ndarray = reference[::step, ::step].reshape(-1, 3).T.astype(np.float32)
    y: np.ndarray = seen[::step, ::step].reshape(-1, 3).T.astype(np.float32)
    usable = ((np.minimum(x, y) > _DARK) & (np.maximum(x, y) < _BRIGHT)).all(axis=0)
    if np.count_nonzero(usable) < _FEWEST:
        return UNCHANGED
    x, y = x[:, usable], y[:, usable]
    for light in (UNCHANGED, previous):
        if _holds(light, x, y):
            return light
    light, residual = _trimmed_fit(x, y)
    before = np.median(np.abs(y - x), axis=1)
    after = np.median(residual, axis=1)
    explained = (residual <= np.maximum(4.0, 4 * after)[:, None]).mean(axis=1)
    if after.mean() > 0.9 * before.mean() or after.max() > _POOR or explained.min() < 0.5:
        return UNCHANGED
    return light


def _trimmed_fit(x: np.ndarray, y: np.ndarray) -> tuple[Light, np.ndarray]:
    """The fit and its absolute residuals.  x, y and residuals are float32 [3, samples]."""
    gain: np.ndarray = np.ones((3, 1), np.float32)
    offset = np.median(y - x, axis=1, keepdims=True)
    residual = np.abs(y - x - offset)
    for _ in range(_ROUNDS):
        spread = 1.4826 * np.median(residual, axis=1, keepdims=True)
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
    bright = brightness > brightness.mean()
    return all(
        np.abs(np.median(difference[:, half], axis=1)).max() <= _NEGLIGIBLE
        for half in (bright, ~bright)
        if half.any()
    )
