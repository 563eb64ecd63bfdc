# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The bands that flickering lamps draw down an image through a rolling shutter.

Knows two images of one scene; knows nothing of exposure, blocks or what is bought.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_CYCLES = np.arange(0.5, 6.01, 0.1)  # per image height: 100 Hz and 5 to 60 ms of readout
_LEAST, _MOST = 0.01, 0.4  # amplitudes of bands that are worth it, and believed
_EXPLAINED = 0.75  # of the variance of the rows' brightness
_FEWEST_ROWS = 16
_FEWEST_SAMPLES = 8  # in a row


@dataclass(frozen=True)
class Band:
    """Brightness down the image: 1 + a sinusoid + its first overtone.

    Attributes:
        cycles: of the sinusoid, in one image height.
        weights: float64 [4]: cosine, sine, and both again at twice the frequency.
    """

    cycles: float
    weights: np.ndarray

    def __call__(self, height: np.ndarray) -> np.ndarray:
        """Brightness at heights from 0 (top) to 1: float32."""
        waves = _waves(np.array([self.cycles]), height)[0]
        return (1 + waves[:, 1:] @ self.weights).astype(np.float32)


def fit_band(x: np.ndarray, y: np.ndarray, usable: np.ndarray) -> Band | None:
    """The bands in y against x; None unless a sinusoid explains how bright the rows are.

    A row's brightness is the median over its columns, which a thing that moves does not sway
    unless it is wider than half of the image; and then it is no sinusoid.  All frequencies are
    fitted at once, by least squares.

    Args:
        x, y: float32 [h, w, 3], the same scene.
        usable: bool [h, w], samples that count.
    """
    counts = usable.sum(axis=1)
    rows = counts >= _FEWEST_SAMPLES
    if np.count_nonzero(rows) < _FEWEST_ROWS:
        return None
    x, y = x.sum(axis=2), y.sum(axis=2)
    sums = (y * usable).sum(axis=1)[rows] / (x * usable).sum(axis=1)[rows]
    if sums.std() < 0.5 * _LEAST:
        return None  # nothing moves, there are no bands: most frames
    ratio = np.where(usable, y, np.inf) / np.maximum(x, 1)
    profile = np.sort(ratio, axis=1)[
        np.arange(rows.size), np.minimum(counts // 2, ratio.shape[1] - 1)
    ]
    profile = np.where(rows, profile, 1.0)
    profile = np.where(rows, profile / np.median(profile[rows]) - 1, 0).clip(-0.5, 0.5)
    if profile[rows].std() < 0.5 * _LEAST:
        return None
    waves = _sampled_waves(rows.size)
    weighted = (waves * rows[:, None]).transpose(0, 2, 1)
    fits = np.linalg.solve(weighted @ waves + 1e-6 * np.eye(5), (weighted @ profile)[..., None])
    errors = (((waves @ fits)[..., 0] - profile) ** 2 * rows).sum(axis=1)
    best = int(errors.argmin())
    if errors[best] > (1 - _EXPLAINED) * ((profile - profile[rows].mean()) ** 2 * rows).sum():
        return None
    level, *weights = fits[best, :, 0]
    band = Band(float(_CYCLES[best]), np.array(weights) / (1 + level))
    amplitude = float(np.hypot(*band.weights[:2]))
    overtone = float(np.hypot(*band.weights[2:]))
    return band if _LEAST <= amplitude <= _MOST and overtone < 0.5 * amplitude else None


@lru_cache(maxsize=8)
def _sampled_waves(samples: int) -> np.ndarray:
    """All frequencies at once, for an image of so many sampled rows."""
    return _waves(_CYCLES, np.arange(samples) / samples)


def _waves(cycles: np.ndarray, height: np.ndarray) -> np.ndarray:
    """1, cosine, sine and their overtones: float64 [cycles, heights, 5]."""
    angle = 2 * np.pi * cycles[:, None] * height
    return np.stack(
        [np.ones_like(angle), np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)],
        axis=2,
    )
