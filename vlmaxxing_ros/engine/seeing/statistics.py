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

from vlmaxxing_ros.engine.seeing.frame import Grid

TILE = 4
"""Side of the smallest change that `tile_mean` promises to see whole, in pixels."""

CHANGED = 8
"""Difference beyond which `changed_pixel_fraction` counts a pixel, in grey levels."""

TOP_K = 0.05
"""Share of a block's pixels that `top_k_mean` averages."""


@dataclass(frozen=True)
class Compared:
    """Two images to compare.

    Attributes:
        seen, reference: int16 [cell rows, cell cols, 3], in the same light.
        grid: the block grid.
        cell: side of one cell, in pixels.
        levels: the darkest and the brightest that the images may hold.
        shakes: whether the camera may have shaken by about a cell between the two.
    """

    seen: np.ndarray
    reference: np.ndarray
    grid: Grid
    cell: int
    levels: tuple[int, int] = (0, 255)
    shakes: bool = False

    @property
    def side(self) -> int:
        """Side of one block, in cells."""
        return self.grid.block // self.cell

    def rows_of_blocks(self, image: np.ndarray) -> np.ndarray:
        """One of the images, a row of blocks at a time: [rows, side, values]."""
        return image.reshape(self.grid.rows, self.side, -1)

    @property
    def difference(self) -> np.ndarray:
        """Seen less reference: int16 [cell rows, cell cols, 3]."""
        return self.seen - self.reference


@dataclass(frozen=True)
class Statistic:
    """One way to measure change.

    Attributes:
        fine: compare every pixel; otherwise means of 2x2 pixels where the block's side is even.
        adaptive: whether noise raises the thresholds.
        compare: the change of every block, float32 [rows, cols], in the statistic's unit.
    """

    fine: bool
    adaptive: bool
    compare: Callable[[Compared], np.ndarray]

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


def tile_mean(images: Compared) -> np.ndarray:
    """Largest mean difference of any tile of the block, in any channel, in grey levels.

    Tiles are 4x4 pixels at every cell, so a change need not be aligned with anything.  Signed
    differences are averaged: noise cancels, a small lamp does not.  Smaller tiles (2x2, and
    single pixels where cells are pixels) catch fine patterns whose mean stays the same; they are
    weighted by their side so that noise weighs the same at every size.

    Where the camera shakes only the largest tiles count, and they may also look like the tiles
    one cell away in the other image: what an edge does when it moves by a pixel is no change.
    """
    if images.shakes:
        return _beyond_shake(images)
    change = np.zeros((images.grid.rows, images.grid.cols), np.float32)
    sums = images.rows_of_blocks(images.difference)
    tile = 1  # in cells
    while True:
        largest = np.maximum(sums.max(axis=1), -sums.min(axis=1))
        np.maximum(change, _own(largest, images, tile), out=change)
        if tile * images.cell >= TILE:
            return change
        sums = _widen(sums, tile)
        tile *= 2


def _beyond_shake(images: Compared) -> np.ndarray:
    """What is left of the differences beyond what either image's surroundings explain."""
    tile = 1
    seen, before = (images.rows_of_blocks(image) for image in (images.seen, images.reference))
    while tile * images.cell < TILE:
        seen, before = _widen(seen, tile), _widen(before, tile)
        tile *= 2
    # Eight bits, mostly whole grey levels, are half the work of sixteen.
    darkest, brightest = images.levels
    scale = 255 / max(255, brightest - darkest) / tile**2
    seen, before = (
        cv2.convertScaleAbs(
            sums.reshape(-1, sums.shape[2]), alpha=scale, beta=-scale * tile**2 * darkest
        )
        for sums in (seen, before)
    )
    # Both ways: what came is seen in one image, what went in the other.
    left = np.maximum(_beyond(seen, before, tile), _beyond(before, seen, tile))
    largest = left.reshape(images.grid.rows, -1, left.shape[1]).max(axis=1)
    return _own(largest, images, tile) / np.float32(scale)


def _beyond(image: np.ndarray, other: np.ndarray, tile: int) -> np.ndarray:
    """By how much pixels are outside of what the other image shows within a pixel of them.

    All are uint8 [rows, values]; the last pixels of a row, less than a tile's width, are 0.
    """
    highest = _around(other, np.maximum, tile, 0)
    lowest = _around(other, np.minimum, tile, 255)
    # Subtraction that stops at 0: numpy's is several times faster than OpenCV's.
    left = np.maximum(image, highest)
    left -= highest
    below = np.minimum(image, lowest)
    np.subtract(lowest, below, out=below)
    np.maximum(left, below, out=left)
    left[:, left.shape[1] - 3 * (tile - 1) :] = 0
    return left


def _around(image: np.ndarray, extreme: np.ufunc, tile: int, neutral: int) -> np.ndarray:
    """The extreme of each pixel and the eight around it: uint8 [rows, values].

    The last pixels of a row, whose tiles would reach beyond it, have no say; they part one row
    from the next, so that what is done along the rows is one long run.
    """
    pairs = extreme(image[:-1], image[1:])
    tall = np.empty_like(image)
    tall[0], tall[-1] = pairs[0], pairs[-1]
    extreme(pairs[:-1], pairs[1:], out=tall[1:-1])
    tall[:, tall.shape[1] - 3 * (tile - 1) :] = neutral
    flat = tall.ravel()
    wide = flat.copy()
    extreme(wide[3:], flat[:-3], out=wide[3:])
    extreme(wide[:-3], flat[3:], out=wide[:-3])
    return wide.reshape(image.shape)


def _widen(sums: np.ndarray, tile: int) -> np.ndarray:
    """Sums over tiles of twice the side: [rows, side - tile, values] of [rows, side, values].

    The last tiles of an image row would reach beyond it; they are no block's own.
    """
    vertical = sums[:, :-tile] + sums[:, tile:]
    # Without its axes: one long run is twice as fast as many short ones.
    flat, reach = vertical.ravel(), 3 * tile
    wide = np.empty_like(flat)
    np.add(flat[:-reach], flat[reach:], out=wide[:-reach])
    wide[-reach:] = 0
    return wide.reshape(vertical.shape)


def _own(largest: np.ndarray, images: Compared, tile: int) -> np.ndarray:
    """Largest weighted mean of each block's own tiles, of sums [rows, values]: float32."""
    grid, side = images.grid, images.side
    # The last tiles of a block reach into its neighbour: not its own.
    own = largest.reshape(grid.rows, grid.cols, side * 3)[:, :, : (side - tile + 1) * 3]
    # The mean is sum / tile^2; its weight tile * cell / TILE.
    return own.max(axis=2) * np.float32(images.cell / (tile * TILE))


def mean(images: Compared) -> np.ndarray:
    """Mean absolute difference over pixels and channels, in grey levels."""
    return _blocks(np.abs(images.difference), images.grid).mean(axis=2, dtype=np.float32)


def max_abs(images: Compared) -> np.ndarray:
    """Largest absolute difference of any pixel in any channel, in grey levels."""
    return _blocks(np.abs(images.difference), images.grid).max(axis=2).astype(np.float32)


def changed_pixel_fraction(images: Compared) -> np.ndarray:
    """Pixels that differ by more than `CHANGED` in some channel, in per cent of the block."""
    changed = np.abs(images.difference).max(axis=2, keepdims=True) > CHANGED
    return 100 * _blocks(changed, images.grid).mean(axis=2, dtype=np.float32)


def top_k_mean(images: Compared) -> np.ndarray:
    """Mean of the `TOP_K` largest pixels' absolute differences, in grey levels."""
    values = _blocks(np.abs(images.difference).max(axis=2, keepdims=True), images.grid)
    keep = max(1, round(TOP_K * values.shape[2]))
    top = np.partition(values, values.shape[2] - keep, axis=2)[:, :, -keep:]
    return top.mean(axis=2, dtype=np.float32)


def _blocks(image: np.ndarray, grid: Grid) -> np.ndarray:
    """Values block by block: [rows, cols, values of one block]."""
    side = image.shape[0] // grid.rows
    tiles = image.reshape(grid.rows, side, grid.cols, side, -1)
    return tiles.transpose(0, 2, 1, 3, 4).reshape(grid.rows, grid.cols, -1)


STATISTICS = {
    'tile_mean': Statistic(fine=False, adaptive=True, compare=tile_mean),
    'mean': Statistic(fine=True, adaptive=False, compare=mean),
    'max_abs': Statistic(fine=True, adaptive=False, compare=max_abs),
    'changed_pixel_fraction': Statistic(fine=True, adaptive=False, compare=changed_pixel_fraction),
    'top_k_mean': Statistic(fine=True, adaptive=False, compare=top_k_mean),
}
"""Every statistic by the name that the setting `statistic` takes."""
