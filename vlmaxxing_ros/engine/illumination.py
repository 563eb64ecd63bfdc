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

from vlmaxxing_ros.engine.bands import deviation, fit_band

MID_GREY = 128.0
_ROWS, _COLUMNS = 40, 25  # samples, about; bands need many rows
_FEWEST = 32  # usable samples, without which nothing is fitted
_ROUNDS = 4
_SETTLED = 0.01  # change of gain from one round to the next
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

    def beyond(self, gain: float, offset: float) -> bool:
        """Whether some gain, up or down, or some offset is larger than this."""
        gains, offsets = self.gain.tolist(), self.offset.tolist()
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
        levels = _scaled(levels, 1 / self.band[rows, None], np.zeros(1, np.float32))
        if (self.gain != 1).any() or self.offset.any():
            levels = _scaled(levels, 1 / self.gain, -self.offset / self.gain)
        # 255 stands for more in a darker row.
        np.minimum(levels, np.tile(self.brightest, image.shape[1]), out=levels)
        return levels.reshape(image.shape)


def _scaled(levels: np.ndarray, factor: np.ndarray, summand: np.ndarray) -> np.ndarray:
    """Multiply and add, to a quarter of a level, in fixed point: faster than in floats.

    Args:
        levels: int16 [h, values].
        factor, summand: float32, [h, 1] or of one pixel.
    """
    # levels + (levels - middle) * more + rest: what is multiplied is small, many bits fit.
    middle, more = int(MID_GREY), factor - 1
    rest = summand + middle * more
    reach = max(middle, int(levels.max()) - middle)
    bits = int(np.log2(32767 / (reach * np.abs(more).max() + np.abs(rest).max() + 1)))
    more, rest = (np.rint(v * 2**bits).astype(np.int16) for v in (more, rest + 0.5))
    if factor.ndim == 1:
        more, rest = (np.tile(v, levels.shape[1] // v.size) for v in (more, rest))
    scaled = levels - np.int16(middle)
    scaled *= more
    scaled += rest
    scaled >>= bits
    scaled += levels
    return scaled


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
    down, right = max(1, seen.shape[0] // _ROWS), max(1, seen.shape[1] // _COLUMNS)
    x, y = (
        image[::down, ::right].transpose(2, 0, 1).astype(np.float32, order='C')
        for image in (reference, seen)
    )
    lights = [UNCHANGED]
    if previous.band is None and not previous.unchanged:
        lights.append(previous)
    for light in lights:
        if _plainly_holds(light, x, y):
            return light
    usable = (np.minimum(x, y).min(axis=0) > _DARK) & (np.maximum(x, y).max(axis=0) < _BRIGHT)
    if np.count_nonzero(usable) < _FEWEST:
        return UNCHANGED
    band = fit_band(x, y, usable)
    if band is None:
        return _fit_even(*_by_brightness(x, y, usable), lights)
    y = y / band(np.arange(x.shape[1]) / x.shape[1])[:, None]
    light = _fit_even(*_by_brightness(x, y, usable), [UNCHANGED])
    rows = np.arange(seen.shape[0]) / (down * x.shape[1])
    return Light(light.gain, light.offset, band(rows))


def _plainly_holds(light: Light, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether dark and bright parts, and all parts of the image, are where this light puts them.

    A quick look at means, in which what moves counts for little: enough for most frames.  Where
    it says no, the medians decide.

    Args:
        x, y: float32 [3, h, w], the reference and what is seen.
    """
    difference = y - light.gain[:, None, None] * x
    difference -= light.offset[:, None, None]
    np.clip(difference, -_SWAY, _SWAY, out=difference)
    contrast = float(np.vdot(difference, x > MID_GREY)) / x.size
    rows = difference @ np.full(x.shape[2], 1 / x.shape[2], np.float32)
    channels = rows.sum(axis=1) / x.shape[1]
    return bool(
        abs(contrast) < 0.5 * _PLAIN
        and np.abs(channels).max() < _PLAIN
        and deviation(rows.sum(axis=0) / 3) < _PLAIN
    )


def _by_brightness(
    x: np.ndarray, y: np.ndarray, usable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The usable samples, the darker half first: float32 [3, samples], an even number."""
    samples = np.flatnonzero(usable)
    # By both images: bright in a noisy one alone means, on average, brighter than it is.
    brightness = (x + y).sum(axis=0).take(samples)
    half = samples.size // 2
    order = samples[np.argpartition(brightness, half)[: 2 * half]]
    x, y = (image.reshape(3, -1).take(order, axis=1) for image in (x, y))
    return x, y


def _fit_even(x: np.ndarray, y: np.ndarray, lights: list[Light]) -> Light:
    """Gain and offset of samples by brightness; one of the lights, to the bit, if it holds."""
    for light in lights:
        # Both halves are where it puts them.
        difference = y - light.gain[:, None] * x - light.offset[:, None]
        if np.abs(_middle(difference.reshape(6, -1))).max() <= _NEGLIGIBLE:
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
        limit = np.maximum(2.0, 2.5 * 1.4826 * _middle(residual))[:, None]
        weight = (residual <= limit).astype(np.float32)
        total = weight.sum(axis=1)
        x_mean, y_mean = _dot(weight, x) / total, _dot(weight, y) / total
        dx = weight * (x - x_mean[:, None])
        variance, covariance = _dot(dx, x) / total, _dot(dx, y) / total
        # Noise in x alone would pull the gain down (errors in variables): both images have it.
        noise = _dot(weight * residual, residual) / total / (1 + gain[:, 0] ** 2)
        variance = np.maximum(variance - noise, 0.5 * variance)
        # The 1 keeps a flat image at gain 1.
        before, gain = gain, np.maximum((covariance + 1) / (variance + 1), 0.05)[:, None]
        offset = y_mean[:, None] - gain * x_mean[:, None]
        residual = np.abs(y - gain * x - offset)
        if np.abs(gain - before).max() < _SETTLED:
            break
    return Light(gain[:, 0], offset[:, 0]), residual


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row: [3] of two [3, samples]."""
    product: np.ndarray = np.einsum('cn,cn->c', a, b)
    return product


def _middle(values: np.ndarray) -> np.ndarray:
    """The median of each row, without interpolation: half the time of numpy's."""
    rank = values.shape[1] // 2
    return np.partition(values, rank, axis=1)[:, rank]
