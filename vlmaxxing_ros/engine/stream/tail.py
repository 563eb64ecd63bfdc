# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The tail: the newest frame, whole, at the end of the context.

Replaced exactly, or kept up to date by per-block refresh: rows are recomputed at every layer, in
place, attending causally to the current keys and values of all other rows.  With each frame those
of the fresh blocks; those that went stale with them, and the frame's closing row (it gathers the
frame), when somebody wants to know (`catch_up`).  Settling repeats the exact prefill.
Knows what its rows were computed from; does not decide what is fresh.
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families.base import Family, Features
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.reference import Reference
from vlmaxxing_ros.engine.stream.budget import Stopwatch
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.engine.stream.staleness import RefreshRule


@dataclass(frozen=True)
class Paid:
    """What one change of the tail cost."""

    blocks: int = 0
    rows: int = 0
    windows_computed: int = 0
    windows_total: int = 0


class Tail:
    """The newest frame of one stream, in whatever generation is current.

    Attributes:
        shown: the features that its rows were computed from; None before the first prefill.
        rule: what is looked at and what has gone stale besides the fresh blocks.
        caught_up: whether the rows that went stale, and the closing row, have been recomputed.
    """

    def __init__(self, family: Family, frame: Frame) -> None:
        self._family = family
        self._encoder = IncrementalEncoder(family)
        self._encoded: Features | None = None
        self.shown: Features | None = None
        self.frame = frame
        self.reference = Reference(frame)
        self.rule = RefreshRule(frame.grid.blocks)
        self.caught_up = True
        self.refreshed_rows = 0
        self.exact_stamp = frame.stamp
        self._prefilled: Frame | None = None

    @property
    def exact(self) -> bool:
        """Whether its rows are what an exact prefill of them would give."""
        return self.refreshed_rows == 0

    @property
    def settled(self) -> bool:
        """Whether they are also, to the last pixel, the newest frame."""
        return self.exact and self.shows(self.frame)

    def shows(self, frame: Frame) -> bool:
        """Whether its last exact prefill was of these very pixels."""
        return frame.shows_the_same(self._prefilled)

    def replace(
        self,
        cache: RollingCache,
        frame: Frame,
        watch: Stopwatch,
        delta: np.ndarray | None = None,
    ) -> Paid:
        """Encode and prefill a frame whole, in place of the last one.

        Args:
            cache: the current generation.
            frame: the new frame.
            watch: counts the seconds.
            delta: blocks (int [n]) to put on the history first, as a delta frame.
        """
        with watch.stage('vision'):
            encoding = self._encoder.encode(frame)
        rows = 0
        with watch.stage('prefill'):
            if delta is not None:
                shown = encoding.features.take(delta)
                rows = len(cache.append(Kind.DELTA, frame, shown, delta).rows)
            rows += len(cache.append(Kind.TAIL, frame, encoding.features).rows)
        self.frame = frame
        if self.reference.grid == frame.grid:
            self.reference.admit(frame, np.ones((frame.grid.rows, frame.grid.cols), bool))
        else:
            self.reference = Reference(frame)
        self._prefilled = frame
        self._encoded = encoding.features
        self.carried_over()
        return Paid(frame.grid.blocks, rows, encoding.windows_computed, encoding.windows_total)

    def carried_over(self) -> None:
        """Note that its rows have just been prefilled whole."""
        self.refreshed_rows = 0
        self.exact_stamp = self.frame.stamp
        self.shown = self._encoded
        self.caught_up = True
        self.rule.reset()

    def refresh(
        self, cache: RollingCache, frame: Frame, fresh: np.ndarray, watch: Stopwatch
    ) -> Paid:
        """Recompute the rows of the blocks in `fresh` (bool [rows, cols]); see `catch_up`.

        A caption that has changed its length has moved every block: the tail is replaced whole.
        """
        self.frame = frame
        if self.settled:
            # The very same pixels: nothing to compute, and nothing is old.
            self.reference.admit(frame, np.ones_like(fresh))
            return Paid()
        if not fresh.any():
            return Paid()
        if not cache.tail_fits(frame):
            return self.replace(cache, frame, watch)
        looked_at = self.rule.look(fresh, self._family.windows(frame.grid))
        with watch.stage('vision'):
            encoding = self._encoder.encode(frame, looked_at)
            self._encoded = encoding.features
            moved = self._moved()
        with watch.stage('prefill'):
            rows = self._recompute(cache, frame, fresh, moved, closing=False)
        self.reference.admit(frame, fresh)
        self.caught_up = bool(fresh.all())
        computed, total = encoding.windows_computed, encoding.windows_total
        return Paid(int(fresh.sum()), rows, computed, total)

    def catch_up(self, cache: RollingCache) -> int:
        """Recompute the rows that have gone stale since they were computed, and the closing row.

        The reference stays where it was, so that plans do not depend on when somebody asks.

        Returns:
            How many rows went through the model.
        """
        if self.caught_up:
            return 0
        tail = cache.ledger.tail
        assert tail is not None
        assert tail.frame is not None
        moved = self._moved()
        stale = self.rule.stale(moved).reshape(self.reference.stamps.shape)
        rows = self._recompute(cache, tail.frame, stale, moved, closing=True)
        self.caught_up = True
        return rows

    def _recompute(
        self,
        cache: RollingCache,
        frame: Frame,
        which: np.ndarray,
        moved: np.ndarray,
        *,
        closing: bool,
    ) -> int:
        """Recompute the rows of the blocks in `which` (bool [rows, cols]); how many those are."""
        assert self._encoded is not None
        assert self.shown is not None
        rows = cache.refresh_tail(frame, self._encoded, np.flatnonzero(which), closing=closing)
        self.rule.recomputed(which.ravel(), moved)
        self.shown = _choose(which, self._encoded, self.shown)
        self.refreshed_rows += rows
        return rows

    def _moved(self) -> np.ndarray:
        """Squared change of each block's features over their mean squared norm: float [blocks]."""
        assert self._encoded is not None
        assert self.shown is not None
        embeds = self._encoded.embeds.astype(mx.float32)
        change = mx.square(embeds - self.shown.embeds.astype(mx.float32)).sum(axis=-1)
        return np.array(change / mx.square(embeds).sum(axis=-1).mean())

    def settle(self, cache: RollingCache) -> None:
        """Make the tail exact, and the newest frame to the last pixel."""
        self.replace(cache, self.frame, Stopwatch())


def _choose(mask: np.ndarray, yes: Features, no: Features) -> Features:
    """`yes` for the blocks in `mask` (bool [rows, cols]), `no` for the others."""
    column = mx.array(mask.ravel())[:, None]
    return Features(
        mx.where(column, yes.embeds, no.embeds),
        tuple(mx.where(column, y, n) for y, n in zip(yes.deep, no.deep, strict=True)),
    )
