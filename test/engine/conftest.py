# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the engine's tests share: tiny random models of the real classes, and random frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.random_models.families import random_family


@pytest.fixture(scope='session', params=['qwen2_5_vl', 'qwen2_vl'])
def family(request: pytest.FixtureRequest) -> Family:
    """A tiny model of each Qwen2 generation."""
    return random_family(request.param)


@pytest.fixture(scope='session')
def qwen() -> Family:
    """A tiny Qwen2.5-VL."""
    return random_family('qwen2_5_vl')


MakeFrames = Callable[..., list[Frame]]


@pytest.fixture(scope='session')
def make_frames() -> MakeFrames:
    """Frames of noise: `make_frames(count, rows=3, cols=4, seed=0)`, 100 ms apart."""

    def make(count: int, *, rows: int = 3, cols: int = 4, seed: int = 0) -> list[Frame]:
        random = np.random.default_rng(seed)
        grid = Grid(rows, cols, 28)
        shape = (grid.height, grid.width, 3)
        return [
            Frame(random.integers(0, 256, shape, np.uint8), grid, (i + 1) * 100_000_000, 'optical')
            for i in range(count)
        ]

    return make
