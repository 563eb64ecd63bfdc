# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What came and went while nobody paid: keyframes to be.

A burst begins with the first frame in which something is novel and ends with the first in which
nothing is.  If nothing was paid in between, its most novel frame waits here: the newest frame no
longer shows what happened.  Knows plans and stamps; knows nothing of caches.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.plan import Plan, Verdict


@dataclass(frozen=True, eq=False)
class Brief:
    """A brief event.

    Attributes:
        frame: the one that showed most of it.
        blocks: bool [rows, cols], those of it that were novel.
    """

    frame: Frame
    blocks: np.ndarray


class Bursts:
    """One stream's.

    Args:
        kept: brief events that wait at most; the oldest goes first.
    """

    def __init__(self, kept: int) -> None:
        self.waiting: deque[Brief] = deque(maxlen=kept)
        self._most: Brief | None = None

    def note(self, plan: Plan) -> None:
        """Take in a frame's plan."""
        novel = plan.fresh if plan.whole else plan.verdicts == Verdict.NOVEL
        if not novel.any():
            if self._most is not None:
                self.waiting.append(self._most)
            self._most = None
        elif self._most is None or np.count_nonzero(novel) > np.count_nonzero(self._most.blocks):
            self._most = Brief(plan.look.frame, novel)

    def paid(self) -> None:
        """Of what goes on now something has been paid: it is no brief event that nobody saw."""
        self._most = None

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels that wait."""
        return sum(brief.frame.pixels.nbytes for brief in list(self.waiting))
