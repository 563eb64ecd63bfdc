# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the planner remembers of a stream's blocks between frames, and whose turn it is.

Knows counts of frames and stamps; knows nothing of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.reference import Reference

_TURNS_FROM = 3
"""Frames that must be left to the oldest blocks if their turns are to begin a frame later."""

_NEVER = np.iinfo(np.int64).max
_ROUNDING = 1e-3  # frames: an interval is not a round number


@dataclass
class BlockMemory:
    """One stream's.

    Attributes:
        index: number of frames planned since the stream began.
        admitted_at: int64 [rows, cols], the `index` at which each block was admitted.
        unsettled: int32 [rows, cols], frames below `low` still missing until a dirty block is
            static again; 0: not dirty.
        active: bool [rows, cols], dirty because it was novel.
        interval: seconds between planned frames, smoothed; 0 before the first.
        planned_stamp: nanoseconds, of the frame planned last.
    """

    index: int
    admitted_at: np.ndarray
    unsettled: np.ndarray
    active: np.ndarray
    interval: float
    planned_stamp: int

    @classmethod
    def start(cls, stamp: int, shape: tuple[int, ...]) -> BlockMemory:
        """Every block of the frame with this stamp (nanoseconds) has just been admitted."""
        return cls(
            0,
            np.zeros(shape, np.int64),
            np.zeros(shape, np.int32),
            np.zeros(shape, bool),
            0.0,
            stamp,
        )

    def count(self, stamp: int) -> None:
        """Count one planned frame, and average the time between them."""
        interval = max(0.0, (stamp - self.planned_stamp) * 1e-9)
        self.planned_stamp = stamp
        self.index += 1
        smooth = self.interval
        self.interval = interval if smooth == 0 else smooth + 0.2 * (interval - smooth)

    def note(self, changed: np.ndarray, novel: np.ndarray, settle_frames: int) -> None:
        """Remember which blocks (bool [rows, cols]) have changed, and which were novel."""
        settling = np.where(changed | novel, settle_frames, self.unsettled - 1)
        self.unsettled = np.maximum(settling, 0).astype(np.int32)
        self.active = (self.active | novel) & (self.unsettled > 0)

    def admit(self, fresh: np.ndarray) -> None:
        """The fresh blocks (bool [rows, cols]) have been admitted."""
        if fresh.all():
            self.unsettled[:] = 0
            self.active[:] = False
        self.admitted_at[fresh] = self.index


def expire(
    memory: BlockMemory,
    reference: Reference,
    novel: np.ndarray,
    stamp: int,
    config: EngineConfig,
) -> tuple[np.ndarray, np.ndarray]:
    """Blocks past the staleness bound, and with them those whose turn it is.

    Each block has a number of planned frames left.  A frame takes just as many as spread the
    work evenly over the frames that are left, oldest first: after a keyframe that is an equal
    share of the blocks in turn; a block bought for being novel waits for its next turn.  Turns
    begin with the second frame: a tail that is settled after each never pays for them.
    """
    left: np.ndarray = memory.admitted_at + (config.max_age_frames - memory.index)
    spare = config.max_age - reference.oldest_age(stamp)
    if spare < config.max_age_frames * memory.interval:
        time_left = config.max_age - (stamp - reference.stamps) * 1e-9
        in_frames = np.floor(time_left / memory.interval + _ROUNDING)
        left = np.minimum(left, in_frames.clip(-1, 1e6).astype(np.int64))
    np.maximum(left, 0, out=left)
    overdue = left == 0
    just_whole = memory.admitted_at.min() == memory.index - 1
    if just_whole and left.min() >= _TURNS_FROM:
        return overdue, overdue
    # The k blocks with at most f frames left need k / (f + 1) of this frame.
    waiting = np.bincount(np.minimum(left, left.size)[~novel], minlength=1).cumsum()
    needed = (waiting // np.arange(1, waiting.size + 1)).max()
    if needed == 0:
        return overdue, overdue
    urgency = left * left.size + _turns(*left.shape)
    urgency[novel] = _NEVER
    last = np.partition(urgency, needed - 1, axis=None)[needed - 1]
    return overdue, overdue | (urgency <= last)


@lru_cache(maxsize=8)
def _turns(rows: int, cols: int) -> np.ndarray:
    """Order in which blocks take their turns: int64 [rows, cols], 0 first.

    The Z-order curve (Morton, 1966): the turns of one frame are neighbours, aligned as the windows
    of a vision tower are, whatever their size.  Spread over the image they would make most
    windows active in every frame.
    """
    row, col = np.mgrid[:rows, :cols]
    bits = np.arange(max(rows, cols).bit_length())[:, None, None]
    place = ((row >> bits & 1) << 2 * bits + 1) + ((col >> bits & 1) << 2 * bits)
    turns = np.empty(rows * cols, np.int64)
    turns[np.argsort(place.sum(axis=0), axis=None)] = np.arange(rows * cols)
    return turns.reshape(rows, cols)
