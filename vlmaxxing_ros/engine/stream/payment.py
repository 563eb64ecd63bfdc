# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A payment: what is paid of a frame, how, and what becomes of the history with it.

Says what it is; `decision` says when one is made, `payer` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Ledger, Segment
from vlmaxxing_ros.engine.seeing.bursts import Brief
from vlmaxxing_ros.engine.seeing.note import Note
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.sight import Past

IN_PLACE = 0.3
"""Share of the blocks up to which it pays, when somebody waits, to recompute them in place: as many
rows again go stale with them, and the whole frame has each row once."""


class Why(Enum):
    """What a payment is made for."""

    FIRST = 'first'
    ASKED = 'asked'
    EAGER = 'eager'
    PROTECTED = 'protected'
    DUE = 'due'
    KEYFRAME = 'keyframe'
    CALM = 'calm'
    SETTLE = 'settle'

    @property
    def urgency(self) -> int:
        """Place in the order of the background's payments, 0 first."""
        return list(Why).index(self)

    @property
    def remembers(self) -> bool:
        """Whether history that nobody has paid is paid with it."""
        return self in (Why.FIRST, Why.ASKED, Why.EAGER, Why.KEYFRAME)

    @property
    def asks(self) -> bool:
        """Whether somebody waits for it."""
        return self is Why.ASKED


@dataclass(frozen=True)
class Payment:
    """What to pay.

    Attributes:
        why: what for.
        plan: of the frame that is paid.
        blocks: bool [rows, cols], which of its blocks; every one where it is taken whole.
        whole: encode and prefill the frame whole, rather than recompute rows in place.
        promote: the tail that there is becomes the newest keyframe first.
        afresh: begin a new generation without what is of another time.
        since: stamp (ns) since when a keyframe must have been true to be kept by a new generation.
        past: a frame to put on the history first, so that it reaches back.
        briefs: brief events to put on it then.
        notes: lines of text to put on it last.
        aside: on a branch that serves one answer: the tail that there is, which is to become a
            keyframe, stays until the background takes the frame whole.
        carried: what the history keeps, and the tail where it is not taken whole, is copied from
            the cache's rows instead of prefilled again.
        puts_off: a keyframe is due, and left to the background.
        partial: there is no time for all that is owed.
    """

    why: Why
    plan: Plan
    blocks: np.ndarray
    whole: bool = False
    promote: bool = False
    afresh: bool = False
    since: float = 0.0
    past: Past | None = None
    briefs: tuple[Brief, ...] = ()
    notes: tuple[Note, ...] = ()
    keep_notes: int = 0
    aside: bool = False
    carried: bool = False
    puts_off: bool = False
    partial: bool = False

    @property
    def turns_back(self) -> bool:
        """Whether the frame of the past is a copy of the tail in which what has changed is undone.

        Otherwise it is prefilled whole.
        """
        past = self.past
        return self.carried and past is not None and bool(past.changed.mean() < IN_PLACE)

    @property
    def note_rows(self) -> int:
        """Rows of the notes."""
        return sum(len(note.ids) for note in self.notes)

    def kept(self, ledger: Ledger) -> list[Segment]:
        """What of a history stays: all of it, or what a new generation keeps, oldest first."""
        if not self.afresh:
            return ledger.history
        notes = ledger.notes[-self.keep_notes :] if self.keep_notes else []
        return [
            segment
            for segment in ledger.history
            if segment.until >= self.since or any(segment is note for note in notes)
        ]

    def replaces(self, wanted: Payment) -> bool:
        """Whether another payment does not have to be made all the same once this one is."""
        told = set(wanted.notes) <= set(self.notes) and set(wanted.briefs) <= set(self.briefs)
        reaches = self.past is not None or wanted.past is None
        alike = self.plan.look.frame.anchor == wanted.plan.look.frame.anchor
        remade = self.afresh or not wanted.afresh
        kept = self.promote or not wanted.promote
        taken = self.whole or (not wanted.whole and remade and kept)
        return taken and reaches and told and alike

    @classmethod
    def settling(cls, plan: Plan, **options: Any) -> Payment:
        """Take a frame whole in place of the tail, whatever is owed of it; `options` as above."""
        return cls(Why.SETTLE, plan, np.ones_like(plan.fresh), whole=True, **options)
