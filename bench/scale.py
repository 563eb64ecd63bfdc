# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How large a benchmark is, and the frames it runs on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlmaxxing_ros.engine.seeing.frame import Frame, Grid

PERIOD = 100_000_000
"""Nanoseconds between frames."""


@dataclass(frozen=True)
class Scale:
    """Sizes of one run.

    Attributes:
        model: a key of `random_models.sizes.SIZES`.
        bits: of the quantised weights; 0: not quantised.
        rows, cols: the frame's grid.
        history: frames in the window.
        rounds: of every measurement.
        stream: frames of the growth measurement.
    """

    model: str
    bits: int
    rows: int
    cols: int
    history: int
    rounds: int
    stream: int

    def describe(self) -> str:
        """For the table."""
        bits = f', {self.bits} bit' if self.bits else ', float32'
        return (
            f'random {self.model} Qwen2.5-VL{bits}, {self.history} frames of '
            f'{self.rows * self.cols} blocks'
        )


CPU = Scale(model='small', bits=0, rows=8, cols=12, history=32, rounds=7, stream=5000)
GPU = Scale(model='7b', bits=4, rows=17, cols=23, history=32, rounds=7, stream=1000)


def frames_of(scale: Scale, count: int, *, seed: int = 0) -> list[Frame]:
    """Noise, every frame another one."""
    random = np.random.default_rng(seed)
    grid = Grid(scale.rows, scale.cols, 28)
    shape = (grid.height, grid.width, 3)
    return [
        Frame(random.integers(0, 256, shape, np.uint8), grid, (i + 1) * PERIOD)
        for i in range(count)
    ]


def cluster_changes(scale: Scale, count: int, share: float) -> list[Frame]:
    """A still scene in which one cluster of about `share` of the blocks changes in every frame."""
    random = np.random.default_rng(1)
    grid = Grid(scale.rows, scale.cols, 28)
    pixels = random.integers(60, 190, (grid.height, grid.width, 3), np.uint8)
    side = max(1, round((share * grid.blocks) ** 0.5))
    frames = []
    for index in range(count):
        pixels = pixels.copy()
        row, col = (
            random.integers(0, grid.rows - side + 1),
            random.integers(0, grid.cols - side + 1),
        )
        window = np.s_[row * 28 : (row + side) * 28, col * 28 : (col + side) * 28]
        pixels[window] = random.integers(60, 190, pixels[window].shape, np.uint8)
        frames.append(Frame(pixels, grid, (index + 1) * PERIOD))
    return frames
