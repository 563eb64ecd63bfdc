# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What was told of a changing truth: changes that were missed, false ones, and how late the rest.

Knows moments and answers; knows nothing of who told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from vlmaxxing_ros.evaluation.standing import ToldChange

BRIEF = 0.3
"""Seconds: what is true for less than that is brief."""


@dataclass(frozen=True)
class Span:
    """A time in which one answer is true; seconds.

    Attributes:
        value: the answer.
        start: first moment at which it is.
        clear: last moment at which it is; then it is unclear, until `end`.
        end: when another one is true; inf: never.
    """

    value: str
    start: float
    clear: float
    end: float = float('inf')

    @property
    def brief(self) -> bool:
        """Whether it was over at once."""
        return self.end - self.start < BRIEF


def spans(truths: Sequence[tuple[float, str | None]]) -> list[Span]:
    """What is true when, from (moment, truth) in order of time; None: it is unclear."""
    found: list[Span] = []
    for moment, value in truths:
        if value is None:
            continue
        if found and found[-1].value == value:
            found[-1] = Span(value, found[-1].start, moment)
            continue
        if found:
            found[-1] = Span(found[-1].value, found[-1].start, found[-1].clear, moment)
        found.append(Span(value, moment, moment))
    return found


@dataclass
class Judgement:
    """What came of the changes of a truth.

    Attributes:
        changes: there were.
        missed: nobody told.
        brief, brief_missed: the same, of those to an answer that was true for a moment only.
        false: told answers that were not true of the image that they were said of.
        delays: seconds from a change to its being told, of those that were.
    """

    changes: int = 0
    missed: int = 0
    brief: int = 0
    brief_missed: int = 0
    false: int = 0
    delays: list[float] = field(default_factory=list)

    def add(self, other: Judgement) -> None:
        """Count what another one counted."""
        self.changes += other.changes
        self.missed += other.missed
        self.brief += other.brief
        self.brief_missed += other.brief_missed
        self.false += other.false
        self.delays += other.delays


def judge(truth: Sequence[Span], told: Sequence[ToldChange]) -> Judgement:
    """Judge what was told; the first answer is no change, and what was missed and undone is one.

    An answer counts for the image that it was said of, however late it is told.  While it is
    unclear what is true, the answer before and the one after both are.
    """
    found = Judgement(false=sum(not _true(truth, change) for change in told))
    missed = False
    for before, span in pairwise(truth):
        seen = [c for c in told if before.clear < c.evidence < span.end and c.answer == span.value]
        if not seen and missed and _standing(told, span.start) == span.value:
            missed = False
            continue  # it never said otherwise
        missed = not seen
        found.changes += 1
        found.missed += missed
        found.brief += span.brief
        found.brief_missed += span.brief and missed
        if seen:
            found.delays.append(max(0.0, seen[0].at - span.start))
    return found


def _true(truth: Sequence[Span], change: ToldChange) -> bool:
    for place, span in enumerate(truth):
        if span.start <= change.evidence < span.end:
            ahead = truth[place + 1].value if place + 1 < len(truth) else span.value
            unclear = change.evidence > span.clear
            return change.answer == span.value or (unclear and change.answer == ahead)
    return True  # it is not clear yet


def _standing(told: Sequence[ToldChange], moment: float) -> str:
    """The answer that was told last of images before a moment."""
    return next((c.answer for c in reversed(told) if c.evidence < moment), '')
