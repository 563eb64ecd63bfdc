# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How the tabletop's camera spoils the picture: noise, light, jitter and pan, repeatable by seed.

Knows nothing of what is on the table.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TabletopCamera:
    """How the picture is spoilt.

    Drift, flicker, steps (since, factor) and tint are gains; `noise` is a sigma in grey levels,
    `jitter` is in pixels, `pan` in fractions of the picture, times are in seconds.
    """

    noise: float
    jitter: float
    pan: tuple[float, float]
    pan_period: float
    drift: float
    drift_period: float
    flicker: float
    flicker_hz: float
    steps: tuple[tuple[float, float], ...]
    tint: tuple[float, float, float]


QUIET = TabletopCamera(0.0, 0.0, (0.0, 0.0), 1.0, 0.0, 1.0, 0.0, 0.0, (), (1.0, 1.0, 1.0))
"""A camera that spoils nothing."""


def instant_number(seed: int, stamp: float, salt: int) -> int:
    """A repeatable number per instant (splitmix64), much cheaper than a generator each."""
    value = seed * 0x9E3779B97F4A7C15 + round(stamp * 1e6) * 0xBF58476D1CE4E5B9 + salt
    value &= 2**64 - 1
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
    return value ^ (value >> 31)


@functools.lru_cache(maxsize=1)
def _bank() -> np.ndarray:
    """Standard normal float32 samples from which every frame cuts a piece."""
    return np.random.default_rng(20260).standard_normal(3_500_000, dtype=np.float32)


def noise(shape: tuple[int, ...], number: int) -> np.ndarray:
    """The piece that `number` picks; a picture larger than the bank repeats it."""
    bank, size = _bank(), math.prod(shape)
    if size >= bank.size:
        return np.resize(np.roll(bank, number % bank.size), shape)
    first = number % (bank.size - size)
    return bank[first : first + size].reshape(shape)


def draw_camera(rng: np.random.Generator, duration: float) -> TabletopCamera:
    """A camera as the training data has them, for a stream of `duration` seconds."""
    panning = rng.random() < 0.2
    stepping = rng.random() < 0.25
    steps = tuple(
        (float(rng.uniform(0, max(duration, 0.1))), float(rng.uniform(0.75, 1.3)))
        for _ in range(int(rng.integers(1, 3)) if stepping else 0)
    )
    noises = [0.0, rng.uniform(0.5, 4.0), rng.uniform(4.0, 8.0)]
    return TabletopCamera(
        noise=float(rng.choice(noises, p=[0.1, 0.6, 0.3])),
        jitter=float(rng.choice([0.0, 1.0], p=[0.6, 0.4])),
        pan=(float(rng.uniform(-0.05, 0.05)), float(rng.uniform(-0.04, 0.04)))
        if panning
        else (0.0, 0.0),
        pan_period=float(rng.uniform(20, 60)),
        drift=float(rng.uniform(0, 0.12)),
        drift_period=float(rng.uniform(8, 40)),
        flicker=float(rng.choice([0.0, rng.uniform(0.0, 0.05)])),
        flicker_hz=float(rng.choice([99.7, 100.3, 119.6])),
        steps=steps,
        tint=tuple(float(v) for v in rng.uniform(0.94, 1.06, 3)),  # type: ignore[arg-type]
    )
