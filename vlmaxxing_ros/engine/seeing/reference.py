# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Per block, the pixels that its rows were computed from.

Change is measured against these, never against the previous frame, so slow drift cannot hide.
Knows which pixels are in use and since when; knows nothing of why a block was bought.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vlmaxxing_ros.engine.errors import InvalidFrame
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.light import UNCHANGED, Light


@dataclass
class Comparison:
    """The reference as the planner compares it, in the light of its last whole frame.

    Attributes:
        statistic: name of the statistic that it was prepared for.
        image: int16 [cell rows, cell cols, 3].
        darkest, brightest: int16 [rows, cols, 3], what could be told apart when a block was seen.
        mid_grey: float32 [rows, cols, 3], what middle grey looked like then.
        even: every block was seen in the light of the last whole frame.
    """

    statistic: str
    image: np.ndarray
    darkest: np.ndarray
    brightest: np.ndarray
    mid_grey: np.ndarray
    even: bool = True

    @classmethod
    def start(cls, statistic: str, image: np.ndarray, rows: int, cols: int) -> Comparison:
        """Every block in the same light.  `image` is uint8 [cell rows, cell cols, 3]."""
        return cls(
            statistic,
            image.astype(np.int16),
            np.tile(UNCHANGED.darkest, (rows, cols, 1)),
            np.tile(UNCHANGED.brightest, (rows, cols, 1)),
            np.tile(UNCHANGED.mid_grey, (rows, cols, 1)),
        )

    def admit(self, seen: Seen, fresh: np.ndarray) -> None:
        """Take the fresh blocks, in the reference's light."""
        image, light = seen.light.undo(seen.image), seen.light
        cv2.copyTo(image, cell_mask(fresh, image.shape[0] // fresh.shape[0]), self.image)
        if light.unchanged and self.even:
            return
        self.even = False
        self.darkest[fresh] = light.darkest
        self.brightest[fresh] = light.brightest
        self.mid_grey[fresh] = light.mid_grey


@dataclass(frozen=True)
class Seen:
    """What the planner found out about the frame that it planned last.

    Attributes:
        frame: that frame; image: as it is compared, uint8 [cell rows, cell cols, 3].
        light: against the reference's.
    """

    frame: Frame
    image: np.ndarray
    light: Light


class Reference:
    """What the blocks in use were computed from.

    Attributes:
        grid: the block grid.
        pixels: uint8 [height, width, 3]; changed in place by `admit`.
        stamps: int64 [rows, cols], nanoseconds, of the frame each block came from.
        index: number of frames planned against this reference so far.
        admitted_at: int64 [rows, cols], the `index` at which each block was admitted.
        unsettled: int32 [rows, cols], frames below `low` still missing until a dirty block is
            static again; 0: not dirty.
        active: bool [rows, cols], dirty because it was novel.
        interval: seconds between planned frames, smoothed; 0 before the first.
        planned_stamp: nanoseconds, of the frame planned last.
        comparison, seen: the planner's working copies; None until it needs them.
    """

    def __init__(self, frame: Frame) -> None:
        """Every block from `frame`."""
        self.grid = frame.grid
        shape = (frame.grid.rows, frame.grid.cols)
        self.pixels = frame.pixels.copy()
        self.stamps = np.full(shape, frame.stamp, np.int64)
        self.index = 0
        self.admitted_at = np.zeros(shape, np.int64)
        self.unsettled = np.zeros(shape, np.int32)
        self.active = np.zeros(shape, bool)
        self.interval = 0.0
        self.planned_stamp = frame.stamp
        self.comparison: Comparison | None = None
        self.seen: Seen | None = None

    def admit(self, frame: Frame, fresh: np.ndarray) -> None:
        """Move the reference of the fresh blocks (bool [rows, cols]) to `frame`, of no other.

        Raises:
            InvalidFrame: `frame` is on another grid.
        """
        if frame.grid != self.grid:
            raise InvalidFrame(f'frame on {frame.grid}, reference on {self.grid}: start a new one')
        whole = bool(fresh.all())
        if self.comparison is None or self.seen is None or self.seen.frame is not frame:
            # Not the frame that was planned: its light is unknown.
            self.comparison, self.seen = None, None
        elif whole:
            self.comparison = Comparison.start(
                self.comparison.statistic, self.seen.image, *fresh.shape
            )
            self.seen = None
        else:
            self.comparison.admit(self.seen, fresh)
        if whole:
            self.pixels = frame.pixels.copy()
            self.unsettled[:] = 0
            self.active[:] = False
        else:
            cv2.copyTo(frame.pixels, cell_mask(fresh, self.grid.block), self.pixels)
        self.stamps[fresh] = frame.stamp
        self.admitted_at[fresh] = self.index

    def oldest_age(self, stamp: int) -> float:
        """Age of the oldest block at `stamp` (nanoseconds), in seconds."""
        return (stamp - int(self.stamps.min())) * 1e-9


def cell_mask(blocks: np.ndarray, side: int) -> np.ndarray:
    """Enlarge a mask of blocks (bool [rows, cols]) to uint8 [rows * side, cols * side]."""
    size = (blocks.shape[1] * side, blocks.shape[0] * side)
    return cv2.resize(blocks.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
