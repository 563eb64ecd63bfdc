# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The tail: the newest frame, whole, at the end of the context.

Replaced exactly, or kept up to date by per-block refresh: rows are recomputed at every layer, in
place, attending causally to the current keys and values of all other rows.  With each frame those
of the fresh blocks; when somebody wants to know, in the same pass those that have gone stale and
the frame's closing row (it gathers the frame).  Settling repeats the exact prefill.

How the tail stands is written on its segment of the ledger.  Here is how it is changed, on
whatever cache is given, a branch mostly: until the last step nothing is remembered.  Knows nothing
of plans; does not decide what is fresh.
"""

from __future__ import annotations

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Kind, Refreshed, Segment
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families.base import Family, Features
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.steps import Steps
from vlmaxxing_ros.engine.stream.accounting import Paid
from vlmaxxing_ros.engine.stream.encoder import Encoding, IncrementalEncoder
from vlmaxxing_ros.engine.stream.staleness import WHOLE_ROWS, RefreshRule


class Tail:
    """The newest frame of one stream, in whatever generation is current.

    Args:
        family: the model.
        rule: what is encoded and recomputed besides the fresh blocks.
    """

    def __init__(self, family: Family, rule: RefreshRule | None = None) -> None:
        self._family = family
        self._rule = rule or RefreshRule()
        self._encoder = IncrementalEncoder(family)
        self._encoded: Frame | None = None  # whole, last

    def looked_at(self, grid: Grid, blocks: np.ndarray) -> int:
        """How many blocks the windows of some (bool [rows, cols]) hold."""
        windows = self._family.windows(grid)
        return int(np.isin(windows, np.unique(windows[blocks])).sum())

    def shows(self, cache: RollingCache, frame: Frame) -> bool:
        """Whether the tail is exact and these very pixels, every one of them."""
        tail = cache.ledger.tail
        whole = tail is not None and tail.refreshed is None and tail.frame is self._encoded
        return whole and frame.shows_the_same(self._encoded)

    def encoding(
        self, frame: Frame, blocks: np.ndarray | None = None, *, after: Encoding | None = None
    ) -> Steps[Encoding]:
        """Encode a frame that is not the tail's yet: all of it, or the windows of some blocks.

        The other windows are those of `after`, by default the tail's.
        """
        return (yield from self._encoder.encoding(frame, blocks, after=after))

    def replacing(
        self,
        cache: RollingCache,
        frame: Frame,
        *,
        encoding: Encoding | None = None,
        keep: bool = True,
    ) -> Steps[Paid]:
        """Encode and prefill a frame whole, in place of the last one.

        Args:
            cache: whose tail it is.
            frame: the newest.
            encoding: of the whole frame, where there is one already.
            keep: as in `refreshing`.
        """
        encoding = encoding or (yield from self._encoder.encoding(frame))
        return (yield from self._prefilling(cache, frame, encoding, keep))

    def _prefilling(
        self, cache: RollingCache, frame: Frame, encoding: Encoding, keep: bool
    ) -> Steps[Paid]:
        segment = yield from cache.appending(Kind.TAIL, frame, encoding.features)
        if keep:
            self._encoder.take(encoding)
            self._encoded = frame
        return Paid(frame.grid.blocks, len(segment.rows), encoding.windows_computed)

    def refreshing(
        self,
        cache: RollingCache,
        frame: Frame,
        fresh: np.ndarray,
        *,
        catch_up: bool = False,
        keep: bool = True,
    ) -> Steps[Paid]:
        """Recompute the rows of the blocks in `fresh` (bool [rows, cols]).

        A caption that has changed its length has moved every block: the tail is replaced whole.

        Args:
            cache: whose tail it is.
            frame: the newest.
            fresh: which of its blocks differ.
            catch_up: in the same pass what is stale then, and the closing row; where that is most
                of the frame, the frame whole.
            keep: without it the cache is one that will be dropped, and the next frame goes on from
                the last.
        """
        if not fresh.any():
            return Paid()
        if not cache.tail_fits(frame):
            return (yield from self.replacing(cache, frame, keep=keep))
        looked_at = self._rule.look(fresh, self._family.windows(frame.grid))
        encoding = yield from self._encoder.encoding(frame, looked_at)
        which = self._stale(cache, encoding.features, fresh) if catch_up else fresh
        if looked_at.all() and which.mean() >= WHOLE_ROWS:
            return (yield from self._prefilling(cache, frame, encoding, keep))
        rows = yield from self._recompute(cache, frame, encoding.features, which, closing=catch_up)
        if keep:
            self._encoder.take(encoding)
        return Paid(int(fresh.sum()), rows, encoding.windows_computed)

    def turning_back(self, cache: RollingCache, frame: Frame, changed: np.ndarray) -> Steps[Paid]:
        """Show a frame of the past instead, whose blocks in `changed` differ; nothing is kept."""
        if changed.any():
            return (yield from self.refreshing(cache, frame, changed, catch_up=True, keep=False))
        return (yield from self.catching_up(cache, frame))

    def catching_up(
        self, cache: RollingCache, frame: Frame | None = None, *, keep: bool = False
    ) -> Steps[Paid]:
        """Recompute the rows that have gone stale since they were computed, and the closing row.

        Args:
            cache: whose tail it is.
            frame: that it stands for from now on, though nothing of it differs.
            keep: as in `refreshing`, where the frame's caption makes it another one.
        """
        tail = cache.ledger.tail
        if tail is None or (tail.caught_up and frame is None):
            return Paid()
        assert tail.frame is not None
        assert tail.features is not None
        frame = frame or tail.frame
        if not cache.tail_fits(frame):
            return (yield from self.replacing(cache, frame, keep=keep))
        nothing = np.zeros((frame.grid.rows, frame.grid.cols), bool)
        which = self._stale(cache, tail.features, nothing)
        rows = yield from self._recompute(cache, frame, tail.features, which, closing=True)
        return Paid(0, rows)

    def _stale(self, cache: RollingCache, encoded: Features, fresh: np.ndarray) -> np.ndarray:
        """The fresh blocks and those whose rows are stale once these are recomputed."""
        tail = cache.ledger.tail
        assert tail is not None
        staleness = tail.refreshed.staleness if tail.refreshed else np.zeros(fresh.size)
        which = self._rule.with_stale(staleness, fresh.ravel(), _moved(tail, encoded))
        return which.reshape(fresh.shape)

    def _recompute(
        self,
        cache: RollingCache,
        frame: Frame,
        encoded: Features,
        which: np.ndarray,
        *,
        closing: bool,
    ) -> Steps[int]:
        """Recompute the rows of the blocks in `which` (bool [rows, cols]); how many those are."""
        tail = cache.ledger.tail
        assert tail is not None
        assert tail.shown is not None
        assert tail.frame is not None
        moved = _moved(tail, encoded)
        before = tail.refreshed
        rows = yield from cache.refreshing_tail(
            frame, encoded, np.flatnonzero(which), closing=closing
        )
        staleness = before.staleness if before else np.zeros(which.size)
        cache.note(
            Refreshed(
                rows=rows + (before.rows if before else 0),
                since=before.since if before else tail.frame.stamp,
                shown=_choose(which, encoded, tail.shown),
                staleness=self._rule.recomputed(staleness, which.ravel(), moved),
                caught_up=closing or bool(which.all()),
            )
        )
        return rows


def _moved(tail: Segment, encoded: Features) -> np.ndarray:
    """Squared change of each block's features over their mean squared norm: float [blocks]."""
    assert tail.shown is not None
    embeds = encoded.embeds.astype(mx.float32)
    change = mx.square(embeds - tail.shown.embeds.astype(mx.float32)).sum(axis=-1)
    return np.array(change / mx.square(embeds).sum(axis=-1).mean())


def _choose(mask: np.ndarray, yes: Features, no: Features) -> Features:
    """`yes` for the blocks in `mask` (bool [rows, cols]), `no` for the others."""
    column = mx.array(mask.ravel())[:, None]
    return Features(
        mx.where(column, yes.embeds, no.embeds),
        tuple(mx.where(column, y, n) for y, n in zip(yes.deep, no.deep, strict=True)),
    )
