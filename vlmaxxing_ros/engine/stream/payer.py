# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Pays: history and tail are brought up to date on a branch, which then takes the cache's place.

Knows how to pay; what, and when, comes from `decision`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from weakref import WeakSet

import numpy as np

from vlmaxxing_ros.engine.cache.generations import Generations
from vlmaxxing_ros.engine.cache.ledger import Kind, Segment
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.families.excerpt import Excerpt
from vlmaxxing_ros.engine.seeing.bursts import Brief
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.note import Note
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.sight import Owed, Past, Sight
from vlmaxxing_ros.engine.steps import Steps
from vlmaxxing_ros.engine.stream.accounting import Paid
from vlmaxxing_ros.engine.stream.encoder import Encoding
from vlmaxxing_ros.engine.stream.payment import Payment
from vlmaxxing_ros.engine.stream.tail import Tail

_BRIEF_IS_WHOLE = 0.5  # share of the blocks from which a brief event is a keyframe


@dataclass(frozen=True)
class Aside:
    """What was paid for one answer alone.

    Attributes:
        paid: what it cost.
        cache: a branch that shows the plan's frame, for that answer.
        plan: of the frame.
        blocks: bool [rows, cols], of the frame, that were paid.
        partial: others were owed as well.
        beside: the cache that it is a branch of.
    """

    paid: Paid
    cache: RollingCache
    plan: Plan
    blocks: np.ndarray
    partial: bool
    beside: RollingCache


class Payer:
    """One stream's.

    Args:
        family: the model.
        sight: told what has been paid.
        tail: of the stream.
        generations: of the stream.
    """

    def __init__(self, family: Family, sight: Sight, tail: Tail, generations: Generations) -> None:
        self._family = family
        self._sight = sight
        self._tail = tail
        self._generations = generations
        # Branches that are not the cache yet, as long as anybody holds them: two may be under way,
        # a question's and the background's, and an answer keeps one that was paid aside.
        self._branches: WeakSet[RollingCache] = WeakSet()
        self._aside: Aside | None = None  # the last one, for whoever asks the next question

    def pay(self, payment: Payment, *, grown: bool) -> Steps[Paid | Aside]:
        """Pay, on a branch; the last step puts it in place of the cache that there is.

        Args:
            payment: what to pay.
            grown: the generation that there is has grown enough to be replaced.
        """
        plan, frame = payment.plan, payment.plan.look.frame
        same = payment.blocks.all() and self._tail.shows(self._generations.current, frame)
        adds = payment.briefs or payment.notes or payment.afresh or payment.promote
        if same and not adds:
            # The very same pixels: nothing to compute, and nothing is old.
            self._sight.paid(plan, payment.blocks)
            return Paid()
        beside = self._generations.current
        # Before what is of the past, which needs only what differs from it.
        prefills = payment.past and not payment.carried
        newest = (yield from self._tail.encoding(frame)) if prefills else None
        cache, paid = yield from self._prepare(payment, newest, grown)
        if payment.whole:
            keep = not payment.aside
            paid += yield from self._tail.replacing(cache, frame, encoding=newest, keep=keep)
        else:
            asks = payment.why.asks
            if payment.blocks.any():
                paid += yield from self._tail.refreshing(
                    cache, frame, payment.blocks, catch_up=asks, keep=not payment.aside
                )
            elif asks or payment.carried:
                newest_too = frame if payment.carried else None
                paid += yield from self._tail.catching_up(cache, newest_too, keep=True)
        if payment.aside:
            paid = replace(paid, keyframes=0)  # nothing has come onto the history that there is
            self._aside = Aside(paid, cache, plan, payment.blocks, payment.partial, beside)
            return self._aside
        self.forget()
        self._generations.replace(cache)
        self._branches.discard(cache)
        for brief in payment.briefs:
            self._sight.remembered(brief)
        self._sight.noted(payment.notes)
        tail = cache.ledger.tail
        whole = payment.blocks.any() and tail is not None and tail.refreshed is None
        taken = np.ones_like(payment.blocks) if whole else payment.blocks
        if taken.any():
            self._sight.paid(plan, taken)
        return paid

    def paid_aside(self, wanted: Payment, owed: Owed) -> Aside | None:
        """What was paid for the last answer alone, where it shows all that another one wants."""
        aside = self._aside
        if aside is None or aside.partial or not wanted.aside:
            return None
        alike = owed.whole_view is None and not (owed.blocks & ~aside.blocks).any()
        still = not (aside.blocks & self._sight.changes_since(aside.plan.look.frame.stamp)).any()
        stands = aside.beside is self._generations.current
        return aside if alike and still and stands else None

    def forget(self) -> None:
        """Hold nothing that was paid for an answer alone."""
        self._aside = None

    def _prepare(
        self, payment: Payment, newest: Encoding | None, grown: bool
    ) -> Steps[tuple[RollingCache, Paid]]:
        """A branch, or a new generation, with its history as it is to be."""
        generations = self._generations
        # A generation that lacks only its tail gets it now, where it is taken whole anyway; where
        # the tail that there is becomes a keyframe, that has to be copied: only if it is high time.
        fits = payment.whole and not (payment.afresh or payment.aside)
        ready = generations.ready if fits and (grown or not payment.promote) else None
        afresh, rows = (yield from generations.afresh()) if payment.afresh else (None, 0)
        cache = ready or afresh or generations.current.branch()
        paid = Paid(rows=rows)
        self._branches.add(cache)
        source, tail = generations.current, generations.current.ledger.tail
        for _, part in sorted(self._history(cache, payment, newest), key=lambda part: part[0]):
            paid += yield from part
        if payment.carried and not payment.whole and tail is not None:
            yield from cache.carrying(tail, source.excerpt(tail))
        return cache, paid

    @property
    def nbytes(self) -> int:
        """Bytes of the branches that are being worked on or answered from."""
        return sum(branch.nbytes for branch in self._branches)

    def _history(
        self, cache: RollingCache, payment: Payment, newest: Encoding | None
    ) -> Iterator[tuple[int, Steps[Paid]]]:
        """What comes onto the history, each with the stamp of its frame; notes last of equals."""
        source = self._generations.current
        tail = source.ledger.tail
        if payment.past is not None:
            behind = source if payment.turns_back and source.tail_fits(payment.past.frame) else None
            now = payment.plan.look.frame.stamp
            recalled = self._recall(cache, payment.past, now, newest, behind)
            yield payment.past.frame.stamp, recalled
        for segment in payment.kept(source.ledger) if payment.afresh else ():
            carried = source.excerpt(segment) if payment.carried and segment.frame else None
            yield segment.stamp, self._copy(cache, segment, carried)
        for brief in payment.briefs:
            yield brief.frame.stamp, self._remember(cache, brief)
        # What is protected may have been paid in place since it was decided.
        exact = tail is not None and tail.refreshed is None
        if payment.promote and tail is not None and tail.frame and (exact or payment.carried):
            carried = source.excerpt(tail) if payment.carried else None
            yield tail.frame.stamp, self._promote(cache, tail, carried)
        for note in payment.notes:
            yield note.stamp, self._note(cache, note)

    def _copy(
        self, cache: RollingCache, segment: Segment, carried: Excerpt | None = None
    ) -> Steps[Paid]:
        """Put on a branch or a new generation what another one has, or its rows as they are."""
        if carried is not None:
            yield from cache.carrying(segment, carried)
            return Paid()
        copied = yield from cache.appending_copy(segment)
        return Paid(rows=len(copied.rows))

    def _note(self, cache: RollingCache, note: Note) -> Steps[Paid]:
        """Put a note on it."""
        noted = yield from cache.noting(note)
        return Paid(rows=len(noted.rows))

    def _promote(self, cache: RollingCache, tail: Segment, carried: Excerpt | None) -> Steps[Paid]:
        """Make the tail the newest keyframe: where it stands, or as a copy."""
        until = max(tail.stamp, self._sight.owed().accounted)
        if cache.ledger.tail is tail:
            cache.promote_tail(until)
            return Paid(keyframes=1)
        keyframe = replace(tail, kind=Kind.KEYFRAME, until=until)
        copied = self._copy(cache, keyframe, carried)
        return (yield from copied) + Paid(keyframes=1)

    def _recall(
        self,
        cache: RollingCache,
        past: Past,
        now: int,
        newest: Encoding | None,
        like: RollingCache | None,
    ) -> Steps[Paid]:
        """Put a frame of the past on the history, encoded where the newest or the tail differs.

        Whole, or as a copy of the tail of `like` in which what has changed since is undone; `now`
        is the newest one's stamp (ns).
        """
        until = past.frame.stamp if past.changed.any() else now
        tail = like.ledger.tail if like else None
        if like is None or tail is None:
            encoding = yield from self._tail.encoding(past.frame, past.changed, after=newest)
            return (yield from self._keyframe(cache, past.frame, encoding, until))
        yield from cache.carrying(tail, like.excerpt(tail))
        paid = yield from self._tail.turning_back(cache, past.frame, past.changed)
        cache.promote_tail(until)
        return paid + Paid(keyframes=1)

    def _remember(self, cache: RollingCache, brief: Brief) -> Steps[Paid]:
        """Put a brief event on the history: the blocks that matter, or all of its frame."""
        whole = (
            np.count_nonzero(brief.blocks) >= _BRIEF_IS_WHOLE * brief.blocks.size
            or not self._family.capabilities.delta_frames
            or not self._stand_alike(cache, brief.frame)
        )
        if whole:
            encoding = yield from self._tail.encoding(brief.frame)
            return (yield from self._keyframe(cache, brief.frame, encoding, brief.frame.stamp))
        encoding = yield from self._tail.encoding(brief.frame, brief.blocks)
        index = np.flatnonzero(brief.blocks)
        features = encoding.features.take(index)
        yield from cache.appending(Kind.DELTA, brief.frame, features, index)
        return _counted(cache.date(brief.frame.stamp), encoding)

    def _stand_alike(self, cache: RollingCache, frame: Frame) -> bool:
        """Whether a frame's blocks stand where the tail's do, and those of the frame before it."""
        tail = self._generations.current.ledger.tail
        history = [s.frame for s in cache.ledger.history if s.frame is not None]
        shown = [tail.frame if tail else None, *history[-1:]]
        return all(other is None or other.anchor == frame.anchor for other in shown)

    @staticmethod
    def _keyframe(cache: RollingCache, frame: Frame, encoding: Encoding, until: int) -> Steps[Paid]:
        yield from cache.appending(Kind.KEYFRAME, frame, encoding.features)
        return _counted(cache.date(until), encoding) + Paid(keyframes=1)


def _counted(segment: Segment, encoding: Encoding) -> Paid:
    """What it cost to encode and append it."""
    shown = np.count_nonzero(segment.rows.blocks >= 0)
    return Paid(int(shown), len(segment.rows), encoding.windows_computed)
