# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The rolling cache: one generation's ledger and the keys and values that it stands for.

`[text prefix][history][tail]`, and on a fork `[question][answer]`.  At every moment the cache is
what a cold prefill of its ledger gives, but for what has been refreshed or carried since, which the
ledger says.  Knows nothing of planning or of questions.
"""

from __future__ import annotations

import copy
import functools
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.cache.branches import (
    Branch,
    cache_arrays,
    evaluating,
    fork_layers,
    reserve,
    rows_in_use,
)
from vlmaxxing_ros.engine.cache.carrying import moved
from vlmaxxing_ros.engine.cache.compression import RECENT_SHARE, Select, Tags, select, thin
from vlmaxxing_ros.engine.cache.fork import Fork
from vlmaxxing_ros.engine.cache.ledger import Kind, Ledger, Refreshed, Segment
from vlmaxxing_ros.engine.errors import NoEvidence, Unsupported
from vlmaxxing_ros.engine.families.base import Family, Features, Rows
from vlmaxxing_ros.engine.families.excerpt import Excerpt
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.note import Note
from vlmaxxing_ros.engine.steps import Steps, finish

_QUESTION_ROWS = 128  # a question and its answer, mostly


class RollingCache:
    """One generation: append, replace the tail, refresh its rows, fork."""

    def __init__(self, family: Family, number: int = 0, prefix: Excerpt | None = None) -> None:
        self.number = number
        self.ledger = Ledger()
        self._family = family
        self._branch = Branch(family.make_cache())
        self._history: Branch | None = None
        text = Segment(Kind.TEXT, family.text_rows(family.text.prefix_ids, 0))
        if prefix is not None:  # of another generation: there the rows are the same
            prefix.append_to(self._layers, family, 0)
        finish(self._append(text) if prefix is None else self._written(text, 0))

    @property
    def _layers(self) -> list[Any]:
        return self._branch.layers

    @property
    def nbytes(self) -> int:
        """Bytes of keys, values and states, spare capacity and what is kept included."""
        history = self._history.layers if self._history else []
        return sum(a.nbytes for a in cache_arrays([self._layers, history, self._kept]))

    @property
    def _kept(self) -> list[Any]:
        """What is kept of the past, by keyframe."""
        return [s.kept for s in self.ledger.segments if s.kept is not None]

    @property
    def history_rows(self) -> int:
        """Rows before the tail."""
        tail = self.ledger.tail
        return self.ledger.rows - (len(tail.rows) if tail else 0)

    def arrays(self) -> list[mx.array]:
        """Every array of the cache, spare capacity included."""
        return list(cache_arrays(self._layers))

    def contents(self) -> list[mx.array]:
        """Every array of the cache as far as it is in use, and of what is kept of the past."""
        return [*rows_in_use(self._layers, self.ledger.rows), *cache_arrays(self._kept)]

    def branch(self) -> RollingCache:
        """The same cache, to go another way: buffers are shared until one of the two writes."""
        twin = copy.copy(self)
        twin.ledger = Ledger(list(self.ledger.segments))
        twin._branch = Branch(fork_layers(self._layers))
        twin._history = Branch(fork_layers(self._history.layers)) if self._history else None
        return twin

    def append(
        self,
        kind: Kind,
        frame: Frame,
        features: Features,
        blocks: np.ndarray | None = None,
    ) -> Segment:
        """As `appending`, at once."""
        return finish(self.appending(kind, frame, features, blocks))

    def appending(
        self,
        kind: Kind,
        frame: Frame,
        features: Features,
        blocks: np.ndarray | None = None,
    ) -> Steps[Segment]:
        """Prefill a frame behind everything else: whole, or the blocks at `blocks` (int [n]).

        An existing tail is dropped first.  `features` are those of the blocks shown.
        """
        self.drop_tail()
        if kind is Kind.TAIL and not self._family.capabilities.rewind:
            self._history = self._branch
            self._branch = Branch(fork_layers(self._layers))
        rows = self._family.captioned_rows(frame, self.ledger.end, blocks)
        return (yield from self._append(Segment(kind, rows, frame, features)))

    def noting(self, note: Note) -> Steps[Segment]:
        """Prefill a note behind everything else.  An existing tail is dropped first."""
        self.drop_tail()
        rows = self._family.text_rows(list(note.ids), self.ledger.end)
        return (yield from self._append(Segment(Kind.NOTE, rows, note=note)))

    def _append(self, segment: Segment) -> Steps[Segment]:
        self._branch.recall()
        self._family.hidden(segment.rows, segment.features, self._layers)
        return (yield from self._written(segment, len(segment.rows)))

    def excerpt(self, segment: Segment) -> Excerpt:
        """The rows of a segment on the ledger, for another cache or another place."""
        return Excerpt.of(self._layers, self.ledger.place(segment))

    def carrying(self, segment: Segment, excerpt: Excerpt) -> Steps[Segment]:
        """Put a segment and its rows behind everything else, without computing them; see `moved`.

        An existing tail is dropped first.  A family that cannot raises Unsupported.
        """
        self.drop_tail()
        carried, by = moved(segment, self.ledger.end)
        self._branch.recall()
        excerpt.append_to(self._layers, self._family, by)
        return (yield from self._written(carried, 0))

    def _written(self, segment: Segment, rows: int) -> Steps[Segment]:
        """Evaluate what was written to the layers, as `rows` rows' worth of work, and note it."""
        reserve(self._layers, _QUESTION_ROWS)
        yield from evaluating(self._layers, rows)
        self.ledger.segments.append(segment)
        if segment.kind is Kind.KEYFRAME:
            self._keep()
        return self.ledger.segments[-1]

    def _keep(self) -> None:
        """Put on the ledger what it takes to come back to the cache as it is."""
        kept = self._family.kept(self._layers)
        mx.eval(list(cache_arrays(kept)))
        self.ledger.segments[-1] = replace(self.ledger.segments[-1], kept=kept)

    def appending_copy(self, segment: Segment) -> Steps[Segment]:
        """Prefill what another generation has, a frame from its features, at this one's end."""
        if segment.note is not None:
            return (yield from self.noting(segment.note))
        assert segment.frame is not None
        assert segment.features is not None
        shown = segment.rows.blocks[segment.rows.blocks >= 0]
        blocks = shown if segment.kind is Kind.DELTA else None
        yield from self.appending(segment.kind, segment.frame, segment.features, blocks)
        return self.date(segment.until)

    def drop_tail(self) -> None:
        """Take the tail out of ledger and cache; nothing happens where there is none."""
        tail = self.ledger.tail
        if tail is None:
            return
        if self._history is not None:
            self._branch, self._history = self._history, None
        else:
            for layer in self._layers:
                layer.trim(len(tail.rows))
        self.ledger.drop_tail()

    def promote_tail(self, until: int = 0) -> None:
        """Make the tail the newest keyframe; `until` as in `Segment`."""
        if self.ledger.tail is None:
            return
        self.ledger.promote_tail(until)
        self._history = None
        self._keep()

    def date(self, until: int) -> Segment:
        """Put on the ledger until when the newest rows hold; see `Segment`."""
        self.ledger.segments[-1] = replace(self.ledger.segments[-1], until=until)
        return self.ledger.segments[-1]

    def note(self, refreshed: Refreshed) -> None:
        """Put on the ledger how the tail stands after rows of it were recomputed."""
        self.ledger.segments[-1] = replace(self.ledger.segments[-1], refreshed=refreshed)

    def tail_fits(self, frame: Frame) -> bool:
        """Whether a frame can be refreshed into the tail: one lattice, captions of one length."""
        tail, ids = self.ledger.tail, self._family.caption_ids
        if tail is None or tail.frame is None:
            return False
        if (tail.frame.grid, tail.frame.anchor) != (frame.grid, frame.anchor):
            return False
        return len(ids(frame)) == len(ids(tail.frame))

    def refresh_tail(
        self, frame: Frame, features: Features, blocks: np.ndarray, *, closing: bool = True
    ) -> int:
        """As `refreshing_tail`, at once."""
        return finish(self.refreshing_tail(frame, features, blocks, closing=closing))

    def refreshing_tail(
        self, frame: Frame, features: Features, blocks: np.ndarray, *, closing: bool = True
    ) -> Steps[int]:
        """Recompute some blocks' rows of the tail in place.

        So are the text rows that open it, from the first that the new frame's caption changes.
        Each row attends, at every layer, causally to the current keys and values of all others.

        Args:
            frame: the frame that the blocks are taken from, which `tail_fits`.
            features: of the whole frame, in row-major order.
            blocks: int [n], ascending: the blocks to recompute.
            closing: recompute the text rows that close the frame, which gather it, as well; they
                are in any case where all blocks are.

        Returns:
            How many rows went through the model.

        Raises:
            Unsupported: the family cannot recompute rows in place.
            ValueError: the frame does not fit.
        """
        tail = self.ledger.tail
        if tail is None or not self._family.capabilities.tail_refresh:
            raise Unsupported('this model cannot refresh rows in place: set tail_mode to exact')
        if not self.tail_fits(frame):
            raise ValueError("the frame's caption has not as many rows as the tail's: replace it")
        caption = self._family.caption_ids(frame)
        ids = tail.rows.ids.copy()
        ids[: len(caption)] = caption
        now = replace(tail.rows, ids=ids)
        shown = np.flatnonzero(now.blocks >= 0)
        chosen = np.isin(now.blocks, blocks)
        chosen[shown[-1] + 1 :] = closing
        opening = np.s_[: shown[0]]
        chosen[opening] = np.logical_or.accumulate(ids[opening] != tail.rows.ids[opening])
        if chosen[shown].all():
            # Everything: in the shapes of the exact prefill, so that BLAS rounds alike.
            chosen[:] = True
        index = np.flatnonzero(chosen)
        self._branch.recall()
        layers = self._family.row_writers(self._layers, index, now, self.history_rows)
        self._family.hidden(now.take(index), features.take(blocks), layers)
        yield from evaluating(self._layers, len(index))
        self.ledger.segments[-1] = replace(tail, rows=now, frame=frame, features=features)
        return len(index)

    def compress(self, max_rows: int, choose: Select = select) -> int:
        """Compress the history until ledger and tail together have `max_rows` rows at most.

        The system prompt and the newest frames stay as they are.  Lossy: from now on the cache
        is no longer what a cold prefill gives.

        Args:
            max_rows: bound on the rows afterwards.
            choose: which old rows to keep; the benchmark compares others with InfiniPot-V's.

        Returns:
            How many rows went through the model: the tail's.

        Raises:
            Unsupported: rows of this model's cache cannot be removed one by one.
        """
        if not self._family.capabilities.compression:
            raise Unsupported('this model cannot be compressed: set compression to none')
        tail = self.ledger.tail
        self.drop_tail()
        prefix, *history = self.ledger.segments
        room = max_rows - len(prefix.rows) - (len(tail.rows) if tail else 0)
        recent: list[Segment] = []
        recent_rows = 0
        while history:
            recent_rows += len(history[-1].rows)
            if recent and recent_rows > RECENT_SHARE * room:
                break
            recent.insert(0, history.pop())
        if any(len(s.rows) for s in history):
            self._compress(prefix, history, recent, room - sum(len(s.rows) for s in recent), choose)
        return len(finish(self.appending_copy(tail)).rows) if tail is not None else 0

    def _compress(
        self,
        prefix: Segment,
        old: list[Segment],
        recent: list[Segment],
        keep: int,
        choose: Select,
    ) -> None:
        oldest = next((s.frame for s in old if s.frame is not None), None)
        if oldest is None:
            return  # notes from before compression was turned on
        shape = (oldest.grid.blocks, len(self._layers), self._layers[0].keys.shape[1])
        tags = [s.tags or Tags.of_rows(s.rows.blocks, *shape) for s in old]
        joined = functools.reduce(Tags.join, tags)
        newest = np.concatenate([Tags.of_rows(s.rows.blocks, *shape).places[0, 0] for s in recent])
        self._branch.recall()
        start, end = len(prefix.rows), self.ledger.rows
        keep = max(0, min(keep, joined.places.shape[2]))
        places = [
            thin(layer, joined.places[number], newest, keep, choose, slice(start, end))
            for number, layer in enumerate(self._layers)
        ]
        mx.eval(self.arrays())
        rows_kept = Rows(
            np.zeros(keep, np.int32),
            np.zeros((3, keep), np.int32),
            np.full(keep, -1, np.int32),
            old[-1].rows.end,
        )
        kept = Segment(Kind.COMPRESSED, rows_kept, oldest, tags=Tags(np.stack(places)))
        self.ledger.segments = [prefix, kept, *recent]

    def fork(self, as_of: int = 0) -> Fork:
        """Branch off: at the end, or behind the newest frame at or before `as_of` (ns).

        Raises:
            NoEvidence: no frame that early in this generation.
            Unsupported: the model's cache cannot be rewound so far, or not to that frame.
        """
        if not as_of:
            return Fork(self._family, self._branch.lend(), list(self.ledger.segments))
        segments = self.ledger.until(as_of)
        if not segments:
            raise NoEvidence('no frame that early is in the cache: ask about a later stamp')
        layers = fork_layers(self._layers)
        surplus = self.ledger.rows - sum(len(s.rows) for s in segments)
        if surplus and not self._family.rewind(layers, surplus, segments[-1].kept):
            raise Unsupported(
                'this model cannot be asked about that moment: leave as_of empty, or ask about a '
                'later one'
            )
        return Fork(self._family, Branch(layers), segments)
