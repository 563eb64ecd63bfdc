# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The current generation of a stream's cache and the one that will replace it.

Memory is bounded: a generation whose history has grown enough is replaced by one that holds the
retained part of it, built step by step from cached features while the current one serves.  Knows
when to begin and what to keep; knows nothing of frames that arrive or of questions.
"""

from __future__ import annotations

from collections.abc import Iterator

from vlmaxxing_ros.engine.cache.branches import at_once
from vlmaxxing_ros.engine.cache.ledger import Kind, Ledger, Segment
from vlmaxxing_ros.engine.cache.retention import retain
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.steps import Steps, finish

BEGIN = 0.75
"""Share of the budget from which the next generation is built."""


def grown(ledger: Ledger, config: EngineConfig, *, carried: bool = False) -> bool:
    """Whether a history has twice what is kept of it, enough to be replaced.

    Where it is `carried`, payments leave out keyframes that are too many.
    """
    keyframes = sum(segment.kind is Kind.KEYFRAME for segment in ledger.history)
    many = keyframes >= 2 * max(1, config.keep_keyframes) and not carried
    return many or len(ledger.notes) > 2 * config.keep_notes


def outgrown(ledger: Ledger, config: EngineConfig) -> bool:
    """Whether it has three times as much: the next generation has to be there first."""
    notes = ledger.notes
    frames = len(ledger.history) - len(notes)
    many = bool(notes) and len(notes) >= 3 * config.keep_notes
    return many or frames >= 3 * max(1, config.keep_keyframes)


class Generations:
    """One stream's generations.

    Attributes:
        current: the generation that questions are answered from; others put their branches here.
        building: the next one has been begun.
    """

    def __init__(self, family: Family) -> None:
        self.current = RollingCache(family)
        self.building = False
        self._family = family
        self._next: RollingCache | None = None
        self._pending: list[Segment] = []  # of the retained history, not in the next one yet
        self._taken = 0  # segments of the current history that were there when it was begun

    @property
    def progress(self) -> float:
        """Share of the next generation that is built; 0 where there is none."""
        if self._next is None:
            return 0.0
        built = len(self._next.ledger.history)
        return built / max(1, built + len(list(self._missing())))

    @property
    def rows_left(self) -> int:
        """Rows that the next generation still lacks, its tail among them."""
        tail = self.current.ledger.tail
        missing = [*self._missing(), *([tail] if tail else [])]
        return sum(len(segment.rows) for segment in missing) if self.building else 0

    @property
    def nbytes(self) -> int:
        """Bytes of both."""
        return self.current.nbytes + (self._next.nbytes if self._next else 0)

    @property
    def ready(self) -> RollingCache | None:
        """A branch of the next one once all of its history is built: only the tail is missing."""
        if self._next is None or next(self._missing(), None) is not None:
            return None
        return self._next.branch()

    def due(self, config: EngineConfig, *, outdated: bool = False, carried: bool = False) -> bool:
        """Whether it is time to begin the next one.

        Args:
            config: settings.
            outdated: some of the history is of another time.
            carried: as in `grown`.
        """
        ledger = self.current.ledger
        full = ledger.rows > BEGIN * config.token_budget
        return not self.building and (full or outdated or grown(ledger, config, carried=carried))

    def begin(self, config: EngineConfig, since: float = 0.0) -> None:
        """Begin the next one with what is worth keeping: true since then (stamp, ns), and new."""
        history = [s for s in self.current.ledger.history if not s.until or s.until >= since]
        self._begin(
            retain(
                history,
                keep_keyframes=config.keep_keyframes,
                max_rows=config.token_budget // 2,
                keep_notes=config.keep_notes,
            )
        )

    def _begin(self, retained: list[Segment]) -> None:
        self._next, self.building = None, True
        self._pending, self._taken = retained, len(self.current.ledger.history)

    def abandon(self) -> None:
        """Build no further: the history is no longer what it was when the next one was begun."""
        self._next, self._pending, self.building = None, [], False

    def afresh(self) -> Steps[tuple[RollingCache, int]]:
        """An empty generation to follow the current one, and how many rows it took."""
        cache, rows = self._follower()
        yield at_once(rows)
        return cache, rows

    def _follower(self) -> tuple[RollingCache, int]:
        """The same: what opens every generation is copied from the current one where it can be."""
        number, opening = self.current.number + 1, self.current.ledger.segments[0]
        if self._family.capabilities.carry:
            return RollingCache(self._family, number, self.current.excerpt(opening)), 0
        return RollingCache(self._family, number), len(opening.rows)

    def replace(self, cache: RollingCache) -> None:
        """Take a branch, or a generation of its own, for the current one."""
        if cache.number != self.current.number:
            self.abandon()
        self.current = cache

    def replay(self, history: list[Segment]) -> None:
        """Build a generation from this history at once, and swap.

        All of it, what opens it as well: the rows of the current one are not to be trusted.
        """
        self._begin(history)
        self._next = RollingCache(self._family, self.current.number + 1)
        while self.building:
            finish(self.build())

    def build(self) -> Steps[int]:
        """Build the next one and swap; what changes meanwhile is caught up with.

        A tail that changed while it was prefilled is prefilled again by the next call.

        Returns:
            How many rows went through the model.
        """
        computed = 0
        if self.building and self._next is None:
            self._next, computed = self._follower()
            yield at_once(computed)
        while (before := self._next) and (missing := next(self._missing(), None)) is not None:
            cache = before.branch()
            copied = yield from cache.appending_copy(missing)
            computed += len(copied.rows)
            if self._next is not before:
                return computed  # abandoned meanwhile
            self._next = cache
            if self._pending:
                self._pending.pop(0)
            else:
                self._taken += 1
        if before is None:
            return computed
        tail, cache = self.current.ledger.tail, before.branch()
        if tail is not None:
            copied = yield from cache.appending_copy(tail)
            computed += len(copied.rows)
        caught_up = self.current.ledger.tail is tail and next(self._missing(), None) is None
        if caught_up and self._next is before:
            self.replace(cache)
        return computed

    def _missing(self) -> Iterator[Segment]:
        """Segments that the next generation's history lacks, oldest first."""
        yield from self._pending
        yield from self.current.ledger.history[self._taken :]
