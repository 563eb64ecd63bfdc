# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the change of a block is measured: differences of pixels in, one number per block out.

Knows nothing of references, light or thresholds.  `mean`, `max_abs`, `changed_pixel_fraction`
and `top_k_mean` are the statistics of "VLMaxxing through FrameMogging" (arXiv 2605.03351);
`tile_mean` is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from vlmaxxing_ros.engine.frame import Grid

TILE = 4
"""Side of the smallest change that `tile_mean` promises to see whole, in pixels."""

CHANGED = 8
"""Difference beyond which `changed_pixel_fraction` counts a pixel, in grey levels."""

TOP_K = 0.05
"""Share of a block's pixels that `top_k_mean` averages."""

_NOISE_SAMPLES = 4096


@dataclass(frozen=True)
class Measured:
    """The change of every block, and how much of it noise alone explains.

    Attributes:
        change: float32 [rows, cols], in the statistic's unit.
        noise: standard deviation of `change`'s ingredients where nothing changed; 0 where the
            statistic does not estimate it.
    """

    change: np.ndarray
    noise: float


@dataclass(frozen=True)
class Statistic:
    """One way to measure change.

    Attributes:
        fine: compare every pixel; otherwise means of 2x2 pixels where the block's side is even.
        measure: from a difference (int16 [cell rows, cell cols, 3]), the grid and the cell's side.
    """

    fine: bool
    measure: Callable[[np.ndarray, Grid, int], Measured]

    def cell(self, grid: Grid) -> int:
        """Side of one cell of the compared image, in pixels."""
        return 1 if self.fine or grid.block % 2 else 2

    def prepare(self, pixels: np.ndarray, grid: Grid) -> np.ndarray:
        """The image that is compared: uint8 [height / cell, width / cell, 3]."""
        cell = self.cell(grid)
        if cell == 1:
            return pixels
        return cv2.resize(
            pixels, (grid.width // cell, grid.height // cell), interpolation=cv2.INTER_AREA
        )


def tile_mean(difference: np.ndarray, grid: Grid, cell: int) -> Measured:
    """Largest mean difference of any tile of the block, in any channel, in grey levels.

    Tiles are 4x4 pixels at every cell, so a change need not be aligned with anything.  Signed
    differences are averaged: noise cancels, a small lamp does not.  Smaller tiles (2x2, and
    single pixels where cells are pixels) catch fine patterns whose mean stays the same; they are
    weighted by their side so that noise weighs the same at every size.
    """
    side = grid.block // cell
    sums = difference.reshape(grid.rows, side, grid.cols * side * 3)
    change = np.zeros((grid.rows, grid.cols), np.float32)
    step, tile = 1, 1  # in cells
    while True:
        # The mean is sums / tile^2; its weight tile * cell / TILE.
        weight = cell / (tile * TILE)
        largest = _largest(sums, grid, side, tile)
        np.maximum(change, largest * np.float32(weight), out=change)
        if tile * cell >= TILE:
            flat = sums.reshape(-1)
            samples = np.abs(flat[:: max(1, flat.size // _NOISE_SAMPLES)])
            return Measured(change, 1.4826 * _median(samples) * weight)
        vertical = sums[:, :-step] + sums[:, step:]
        sums = vertical[:, :, : -3 * step] + vertical[:, :, 3 * step :]
        step, tile = 2 * step, 2 * tile


def _largest(sums: np.ndarray, grid: Grid, side: int, tile: int) -> np.ndarray:
    """Largest |sum| of each block's own tiles: float32 [rows, cols]."""
    # Rows first: those are long contiguous runs.
    rows = np.maximum(sums.max(axis=1), -sums.min(axis=1))
    padded = np.zeros((grid.rows, grid.cols * side * 3), rows.dtype)
    padded[:, : rows.shape[1]] = rows
    # The last tiles of a block reach into its neighbour: not its own.
    own = padded.reshape(grid.rows, grid.cols, side, 3)[:, :, : side - tile + 1]
    return own.max(axis=(2, 3)).astype(np.float32)


def _median(values: np.ndarray) -> float:
    """Median of rounded values, finer than their steps."""
    values = np.sort(values)
    middle = values[values.size // 2]
    if middle == 0:
        return 0.0
    below, upto = np.searchsorted(values, middle, 'left'), np.searchsorted(values, middle, 'right')
    return float(middle) - 0.5 + float(values.size / 2 - below) / float(upto - below)


def mean(difference: np.ndarray, grid: Grid, cell: int) -> Measured:
    """Mean absolute difference over pixels and channels, in grey levels."""
    return Measured(_blocks(np.abs(difference), grid).mean(axis=2, dtype=np.float32), 0.0)


def max_abs(difference: np.ndarray, grid: Grid, cell: int) -> Measured:
    """Largest absolute difference of any pixel in any channel, in grey levels."""
    return Measured(_blocks(np.abs(difference), grid).max(axis=2).astype(np.float32), 0.0)


def changed_pixel_fraction(difference: np.ndarray, grid: Grid, cell: int) -> Measured:
    """Pixels that differ by more than `CHANGED` in some channel, in per cent of the block."""
    changed = (np.abs(difference).max(axis=2, keepdims=True) > CHANGED).astype(np.float32)
    return Measured(100 * _blocks(changed, grid).mean(axis=2), 0.0)


def top_k_mean(difference: np.ndarray, grid: Grid, cell: int) -> Measured:
    """Mean of the `TOP_K` largest pixels' absolute differences, in grey levels."""
    values = _blocks(np.abs(difference).max(axis=2, keepdims=True), grid)
    keep = max(1, round(TOP_K * values.shape[2]))
    top = np.partition(values, values.shape[2] - keep, axis=2)[:, :, -keep:]
    return Measured(top.mean(axis=2, dtype=np.float32), 0.0)


def _blocks(image: np.ndarray, grid: Grid) -> np.ndarray:
    """Values block by block: [rows, cols, values of one block]."""
    side = image.shape[0] // grid.rows
    tiles = image.reshape(grid.rows, side, grid.cols, side, -1)
    return tiles.transpose(0, 2, 1, 3, 4).reshape(grid.rows, grid.cols, -1)


STATISTICS = {
    'tile_mean': Statistic(fine=False, measure=tile_mean),
    'mean': Statistic(fine=True, measure=mean),
    'max_abs': Statistic(fine=True, measure=max_abs),
    'changed_pixel_fraction': Statistic(fine=True, measure=changed_pixel_fraction),
    'top_k_mean': Statistic(fine=True, measure=top_k_mean),
}
"""Every statistic by the name that the setting `statistic` takes."""
