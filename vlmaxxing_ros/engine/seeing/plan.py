# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the planner says of a frame: how it looks, what became of its blocks, what to do with it.

Values only; knows nothing of how they are found.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

import numpy as np

from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.light import Light


class Verdict(IntEnum):
    """What became of a block since it was bought.

    STATIC: no change.  SHIFTED: a little, or dirty and not yet settled; reused but for a few.
    NOVEL: changed.  EXPIRED: unchanged as far as can be seen, but older than the staleness bound.
    """

    STATIC = 0
    SHIFTED = 1
    NOVEL = 2
    EXPIRED = 3


class Take(Enum):
    """What is to be done with a frame."""

    NOTHING = 'nothing'
    BLOCKS = 'blocks'  # those that are fresh
    WHOLE = 'whole'  # nothing at the same position may be reused


@dataclass(frozen=True)
class Look:
    """A frame as the planner compares it.

    Attributes:
        frame: the frame.
        image: uint8 [cell rows, cell cols, 3].
        motion: of the image content since the frame looked at before, (right, down) in pixels.
        shakes: whether the recent motions go to and fro about one place.
        protected: bool [rows, cols], blocks of protected regions.
    """

    frame: Frame
    image: np.ndarray
    motion: tuple[float, float]
    shakes: bool
    protected: np.ndarray


@dataclass(frozen=True)
class Plan:
    """What of one frame is to be bought.

    Attributes:
        look: the frame, as it was compared.
        take: what to do with it.
        reason: why it is taken whole, for people; '' where it is not.
        verdicts: uint8 [rows, cols], values of `Verdict`.
        fresh: bool [rows, cols], what differs from what was bought: novel blocks and a few shifted
            ones; or every block of a whole frame.
        change: float32 [rows, cols], the statistic.
        light: against that of the last whole frame.
    """

    look: Look
    take: Take
    reason: str
    verdicts: np.ndarray
    fresh: np.ndarray
    change: np.ndarray
    light: Light

    @property
    def whole(self) -> bool:
        """Whether the frame is taken whole."""
        return self.take is Take.WHOLE

    @property
    def protected(self) -> np.ndarray:
        """Blocks of protected regions: bool [rows, cols]."""
        return self.look.protected

    @property
    def motion(self) -> tuple[float, float]:
        """Of the image content, (right, down) in pixels."""
        return self.look.motion
