# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the cache holds, and why: every row in order, with its position and its evidence.

A segment is one prefill chunk: keeping the boundaries lets an audit repeat them.  Knows nothing
of keys and values.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np

from vlmaxxing_ros.engine.cache.compression import Tags
from vlmaxxing_ros.engine.families.base import Features, Rows
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.note import Note


class Kind(Enum):
    """What a segment is."""

    TEXT = 'text'
    KEYFRAME = 'keyframe'  # a frame of the history, whole
    DELTA = 'delta'  # a frame of the history, fresh blocks only
    NOTE = 'note'  # a line of text on the history
    COMPRESSED = 'compressed'  # what compression kept of older frames, other rows per head
    TAIL = 'tail'  # the newest frame, whole; replaced as frames arrive
    BESIDE = 'beside'  # another camera's newest frame behind its label; on forks only


@dataclass(frozen=True)
class Refreshed:
    """How a frame stands after rows of it were recomputed in place, or carried.

    Attributes:
        rows: how many were recomputed, since it was last prefilled whole.
        since: stamp of the frame that it was prefilled from, nanoseconds.
        shown: the features that its rows were computed from.
        staleness: float [blocks], how stale each row is through rows before it.
        caught_up: no row is stale beyond the limit, the closing row included.
    """

    rows: int
    since: int
    shown: Features
    staleness: np.ndarray
    caught_up: bool


@dataclass(frozen=True)
class Segment:
    """Rows that were prefilled together.

    Attributes:
        kind: what they are.
        rows: token ids, positions and blocks.
        frame: the frame they show; None for text.
        features: of the blocks shown, in the rows' order; None for text.
        tags: of compressed rows, None for all others.  Their `rows` only count and say where
            the next position is; `frame` is the oldest that may have rows among them.
        refreshed: None: its rows are what a prefill of its features gives.
        until: of a keyframe: stamp (ns) of the last image that looked like it; 0: not known.
        kept: of a keyframe: what the family keeps to come back to the cache as it was behind these
            rows; None: nothing.
        note: that they are; None for all others.
    """

    kind: Kind
    rows: Rows
    frame: Frame | None = None
    features: Features | None = None
    tags: Tags | None = None
    refreshed: Refreshed | None = None
    until: int = 0
    kept: list[Any] | None = None
    note: Note | None = None

    @property
    def stamp(self) -> int:
        """When it was seen or said, nanoseconds; 0: text that was always there."""
        seen = self.note or self.frame
        return seen.stamp if seen else 0

    @property
    def shown(self) -> Features | None:
        """The features that its rows were computed from."""
        return self.refreshed.shown if self.refreshed else self.features

    @property
    def caught_up(self) -> bool:
        """Whether none of its rows is stale beyond the limit."""
        return self.refreshed is None or self.refreshed.caught_up


@dataclass
class Ledger:
    """The ordered record of every row in one generation's cache."""

    segments: list[Segment] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows on the ledger."""
        return sum(len(s.rows) for s in self.segments)

    @property
    def end(self) -> int:
        """The position at which the next rows begin."""
        return self.segments[-1].rows.end if self.segments else 0

    @property
    def tail(self) -> Segment | None:
        """The tail, if there is one."""
        last = self.segments[-1] if self.segments else None
        return last if last is not None and last.kind is Kind.TAIL else None

    def place(self, segment: Segment) -> slice:
        """Where a segment's rows stand in the cache."""
        index = next(i for i, s in enumerate(self.segments) if s is segment)
        start = sum(len(s.rows) for s in self.segments[:index])
        return slice(start, start + len(segment.rows))

    @property
    def history(self) -> list[Segment]:
        """Keyframes, delta frames and notes, oldest first."""
        kinds = (Kind.KEYFRAME, Kind.DELTA, Kind.NOTE)
        return [s for s in self.segments if s.kind in kinds]

    @property
    def notes(self) -> list[Segment]:
        """The notes, oldest first."""
        return [s for s in self.segments if s.kind is Kind.NOTE]

    @property
    def compressed(self) -> Segment | None:
        """The compressed part of the history, if there is one."""
        return next((s for s in self.segments if s.kind is Kind.COMPRESSED), None)

    @property
    def exact(self) -> bool:
        """Whether every row is what a cold prefill of this ledger gives."""
        return not self.compressed and all(s.refreshed is None for s in self.segments)

    @property
    def frames(self) -> list[Frame]:
        """Every frame with rows on the ledger, oldest first."""
        return [s.frame for s in self.segments if s.frame is not None]

    def drop_tail(self) -> None:
        """Take the tail off the ledger; nothing happens where there is none."""
        if self.tail is not None:
            self.segments.pop()

    def promote_tail(self, until: int = 0) -> None:
        """Make the tail part of the history; `until` as in `Segment`."""
        if self.tail is not None:
            self.segments[-1] = replace(self.segments[-1], kind=Kind.KEYFRAME, until=until)

    def until(self, stamp: int) -> list[Segment]:
        """The segments up to the newest frame at or before `stamp` (nanoseconds).

        None where that frame's rows have been compressed: they no longer stand behind one another.
        """
        for count in range(len(self.segments), 0, -1):
            frame = self.segments[count - 1].frame
            if self.segments[count - 1].kind is Kind.COMPRESSED:
                return []
            if frame is not None and frame.stamp <= stamp:
                return self.segments[:count]
        return []
