# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A tower's memory is estimated before it is asked for, and the estimate is near what it takes."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.random_models.families import random_family


@pytest.mark.skipif(mx.default_device() != mx.Device(mx.cpu), reason='measured on a CPU')
@pytest.mark.parametrize(
    ('model_type', 'size'),
    [
        ('qwen2_vl', 'tiny'),
        ('qwen2_5_vl', 'tiny'),
        ('qwen2_5_vl', 'small'),
        ('qwen3_vl', 'tiny'),
        ('gemma4', 'tiny'),
    ],
)
@pytest.mark.parametrize('side', [8, 20])  # pixels count most, then attention
def test_the_estimate_is_near_the_peak(model_type: str, size: str, side: int) -> None:
    family = random_family(model_type, size)
    grid = Grid(side, side, family.block)
    pixels = np.random.default_rng(0).integers(0, 256, (grid.height, grid.width, 3), np.uint8)
    encoder = IncrementalEncoder(family)
    family.windows(grid)  # what is kept for the next frame is there already
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    encoder.encode(Frame(pixels, grid, 1))
    taken = mx.get_peak_memory() - before
    assert 0.75 <= family.frame_bytes(grid) / taken <= 1.33
