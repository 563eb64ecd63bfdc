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
_SAME = 0.006  # as near to 1 a level is an error of the fit: it would add up from frame to frame
_FEWEST_ROWS = 16
_FEWEST_SAMPLES = 8  # in a row


@dataclass(frozen=True)
class Band:
    """Brightness down the image: a level + a sinusoid + its first overtone.

    Attributes:
        cycles: of the sinusoid, in one image height.
        weights: float64 [5]: the level, cosine, sine, and both again at twice the frequency.
    """

    cycles: float
    weights: np.ndarray

    def __call__(self, height: np.ndarray) -> np.ndarray:
        """Brightness at heights from 0 (top) to 1: float32."""
        wave = np.exp(2j * np.pi * self.cycles * height)
        level, *weights = self.weights.tolist()
        first, second = complex(weights[0], -weights[1]), complex(weights[2], -weights[3])
        return (level + (wave * (first + wave * second)).real).astype(np.float32)


def fit_band(x: np.ndarray, y: np.ndarray, usable: np.ndarray) -> Band | None:
    """The bands in y against x; None unless a sinusoid explains how bright the rows are.

    A row's brightness is the median over its columns, which a thing that moves does not sway
    unless it is wider than half of the image; and then it is no sinusoid.  All frequencies are
    fitted at once, by least squares.

    Args:
        x, y: float32 [h, w], the same scene.
        usable: bool [h, w], samples that count.
    """
    counted = np.empty((3, *x.shape), np.float32)
    counted[0] = usable
    np.multiply(x, usable, out=counted[1])
    np.multiply(y, usable, out=counted[2])
    counts, x_rows, y_rows = counted.sum(axis=2)
    rows = counts >= _FEWEST_SAMPLES
    if np.count_nonzero(rows) < _FEWEST_ROWS:
        return None
    sums = (y_rows / np.maximum(x_rows, 1))[rows]
    # What single pixels that are off by chance make of it.
    x_all = float(x_rows.sum())
    left = (counted[2] - float(y_rows.sum()) / x_all * counted[1]).ravel()
    by_chance = 1.5 * (float(left @ left) * sums.size) ** 0.5 / x_all
    if deviation(sums) < max(0.5 * _LEAST, by_chance):
        return None  # there are no bands: most frames
    ratio = np.sort(np.where(usable, y / np.maximum(x, 1), np.inf), axis=1)
    row, many = np.arange(rows.size), counts.astype(np.intp)
    # Of an even number the middle two: the upper alone is too bright, frame after frame.
    profile = (ratio[row, (many - 1) // 2] + ratio[row, many // 2]) / 2
    level = float(profile[rows].sum()) / sums.size
    profile = np.where(rows, profile / level - 1, 0).clip(-0.5, 0.5)
    right = (_sampled_waves(rows.size) @ profile).reshape(-1, 5)
    # Least squares for all frequencies at once.
    fits = (_inverses(rows.tobytes()) @ right[..., None])[..., 0]
    explained = (fits * right).sum(axis=1)
    # A sinusoid is not to pass for the overtone of one of half the frequency.
    amplitude, overtone = (np.hypot(fits[:, k], fits[:, k + 1]) for k in (1, 3))
    explained[overtone >= 0.5 * amplitude] = 0
    best = int(explained.argmax())
    total = profile @ profile
    variance = total - profile.sum() ** 2 / sums.size
    weights = fits[best]
    weights[0] += 1
    believed = _LEAST <= amplitude[best] / weights[0] <= _MOST
    if not believed or total - explained[best] > (1 - _EXPLAINED) * variance:
        return None
    if abs(weights[0] * level - 1) < _SAME:
        level = 1 / weights[0]
    return Band(float(_CYCLES[best]), weights * level)


@lru_cache(maxsize=8)
def _sampled_waves(samples: int) -> np.ndarray:
    """1, cosine, sine and their overtones over so many sampled rows: [cycles * 5, samples]."""
    angle = 2 * np.pi * _CYCLES[:, None] * (np.arange(samples) / samples)
    waves = [
        np.ones_like(angle),
        np.cos(angle),
        np.sin(angle),
        np.cos(2 * angle),
        np.sin(2 * angle),
    ]
    return np.stack(waves, axis=1).reshape(-1, samples)


@lru_cache(maxsize=64)
def _inverses(rows: bytes) -> np.ndarray:
    """What solves the least squares of each frequency over these rows: float64 [cycles, 5, 5].

    Kept: in most frames every row counts.
    """
    used = np.frombuffer(rows, bool)
    waves = _sampled_waves(used.size)[:, used].reshape(_CYCLES.size, 5, -1)
    return np.linalg.inv(waves @ waves.transpose(0, 2, 1) + 1e-6 * np.eye(5))


def deviation(values: np.ndarray) -> float:
    """Standard deviation; for a few values numpy's own takes far longer."""
    off = values - values.sum() / values.size
    return float((off @ off) / values.size) ** 0.5
