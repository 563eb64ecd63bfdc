# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Per block, the pixels that its rows were computed from, and their stamps.

Change is measured against these, never against the previous frame, so slow drift cannot hide.
Knows which pixels are in use and since when; knows nothing of why a block was bought.
"""

from __future__ import annotations

import cv2
import numpy as np

from vlmaxxing_ros.engine.errors import InvalidFrame
from vlmaxxing_ros.engine.seeing.frame import Frame


class Reference:
    """What the blocks in use were computed from.

    Attributes:
        grid: the block grid.
        anchor: number of the lattice that they stand on.
        pixels: uint8 [height, width, 3]; changed in place by `admit`.
        stamps: int64 [rows, cols], nanoseconds, of the frame each block came from.
    """

    def __init__(self, frame: Frame) -> None:
        """Every block from `frame`."""
        self.grid = frame.grid
        self.anchor = frame.anchor
        self.pixels = frame.pixels.copy()
        self.stamps = np.full((frame.grid.rows, frame.grid.cols), frame.stamp, np.int64)

    def fits(self, frame: Frame) -> bool:
        """Whether a frame's blocks stand where these do."""
        return frame.grid == self.grid and frame.anchor == self.anchor

    def admit(self, frame: Frame, fresh: np.ndarray) -> None:
        """Move the reference of the fresh blocks (bool [rows, cols]) to `frame`, of no other.

        Raises:
            InvalidFrame: `frame` is on another grid, or its lattice stands elsewhere.
        """
        if not self.fits(frame):
            raise InvalidFrame(
                f'frame on {frame.grid}, lattice {frame.anchor}; reference on {self.grid}, '
                f'lattice {self.anchor}: start a new one'
            )
        cv2.copyTo(frame.pixels, cell_mask(fresh, self.grid.block), self.pixels)
        self.stamps[fresh] = frame.stamp

    def oldest_age(self, stamp: int) -> float:
        """Age of the oldest block at `stamp` (nanoseconds), in seconds."""
        return (stamp - int(self.stamps.min())) * 1e-9


def cell_mask(blocks: np.ndarray, side: int) -> np.ndarray:
    """Enlarge a mask of blocks (bool [rows, cols]) to uint8 [rows * side, cols * side]."""
    size = (blocks.shape[1] * side, blocks.shape[0] * side)
    return cv2.resize(blocks.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
