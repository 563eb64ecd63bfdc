# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Incremental vision encoding: only windows that contain a fresh block are computed.

Holds one stream's encoder state; knows windows and blocks, nothing of the tower's inside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vlmaxxing_ros.engine.families.base import Family, Features
from vlmaxxing_ros.engine.memory import require
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.steps import Piece, Steps, finish


@dataclass(frozen=True)
class Encoding:
    """A frame's features and what they cost.

    Attributes:
        features: of the whole frame.
        windows_computed, windows_total: of the tower.
        stands, state: grid and lattice, and the tower's memory, for `IncrementalEncoder.take`.
    """

    features: Features
    windows_computed: int
    windows_total: int
    stands: tuple[Grid, int]
    state: Any


class IncrementalEncoder:
    """The vision tower with a memory of the last frame."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._state: Any = None
        self._stands: tuple[Grid, int] | None = None

    def encode(self, frame: Frame, fresh: np.ndarray | None = None) -> Encoding:
        """As `encoding`, at once, and remembered."""
        encoding = finish(self.encoding(frame, fresh))
        self.take(encoding)
        return encoding

    def encoding(
        self, frame: Frame, fresh: np.ndarray | None = None, *, after: Encoding | None = None
    ) -> Steps[Encoding]:
        """Encode the windows with a block in `fresh` (bool [rows, cols]); None: all of them.

        The others are those of `after`, by default what is remembered.  A frame of another size,
        or on another lattice, is always encoded whole.

        Raises:
            MemoryError: there is not enough for it.
        """
        windows = self._family.windows(frame.grid)
        total = int(windows.max()) + 1
        state, stands = (after.state, after.stands) if after else (self._state, self._stands)
        if fresh is None or (frame.grid, frame.anchor) != stands:
            active = np.arange(total)
        else:
            active = np.unique(windows[fresh])
        reused = None if len(active) == total else state
        need = self._family.frame_bytes(frame.grid) * len(active) // total
        require(need, 'encoding a frame')
        features, state = self._family.encode(frame, reused, active)
        blocks = np.isin(windows, active).sum()
        share = float(blocks) / (len(features.milestones) + 1)
        for array in features.milestones:
            yield Piece('vision', share, [array])
        yield Piece('vision', share, features.arrays())
        features = replace(features, milestones=())
        return Encoding(features, len(active), total, (frame.grid, frame.anchor), state)

    def take(self, encoding: Encoding) -> None:
        """Remember an encoding: the next one goes on from it."""
        self._state, self._stands = encoding.state, encoding.stands
