# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The current generation of a stream's cache and the one that will replace it.

Memory is bounded: a generation that nears its budget is replaced by one that holds the retained
history, built slice by slice between frames and questions.  Knows when to begin, how fast to
build and when to swap; knows nothing of frames that arrive or of questions.
"""

from __future__ import annotations

from vlmaxxing_ros.engine.cache.ledger import Kind, Segment
from vlmaxxing_ros.engine.cache.rebuild import Rebuild
from vlmaxxing_ros.engine.cache.retention import retain
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family

_BEGIN = 0.75
"""Share of the budget from which the next generation is built."""


class Generations:
    """One stream's generations.

    Attributes:
        current: the generation that questions are answered from.
    """

    def __init__(self, family: Family) -> None:
        self.current = RollingCache(family)
        self._family = family
        self._next: Rebuild | None = None
        self._slices = 0  # built since the last frame

    @property
    def building(self) -> bool:
        """Whether the next generation is under construction."""
        return self._next is not None

    @property
    def progress(self) -> float:
        """Share of the next generation that is built; 0 where there is none."""
        return self._next.progress(self.current.ledger) if self._next else 0.0

    @property
    def nbytes(self) -> int:
        """Bytes of both."""
        return self.current.nbytes + (self._next.cache.nbytes if self._next else 0)

    def due(self, config: EngineConfig) -> bool:
        """Whether it is time to begin the next one."""
        ledger = self.current.ledger
        keyframes = sum(segment.kind is Kind.KEYFRAME for segment in ledger.history)
        full = ledger.rows > _BEGIN * config.token_budget
        many = 2 * max(1, config.keep_keyframes)
        return self._next is None and (full or keyframes >= many)

    def begin(self, config: EngineConfig) -> bool:
        """Begin the next one with what is worth keeping; False: nothing was."""
        retained = retain(
            self.current.ledger.history,
            keep_keyframes=config.keep_keyframes,
            max_rows=config.token_budget // 2,
        )
        self._next = Rebuild(self._family, self.current.number + 1, self.current.ledger, retained)
        return bool(retained)

    def replay(self, history: list[Segment]) -> None:
        """Build a generation from this history at once, and swap."""
        self._next = Rebuild(self._family, self.current.number + 1, self.current.ledger, history)
        while not self.build_slice():
            pass

    def abandon(self) -> None:
        """Build no further: the history is no longer what it was when the next one was begun."""
        self._next = None

    def build(self, config: EngineConfig, *, grown: int) -> None:
        """Build between two frames.

        One slice more than the history has `grown` by segments, less what was built in idle time:
        building outruns the growth, and a question waits for little.  All that is left, where the
        budget has been reached.
        """
        for _ in range(1 + grown - self._slices):
            self.build_slice()
        while self._next is not None and self.current.ledger.rows > config.token_budget:
            self.build_slice()
        self._slices = 0

    def build_slice(self) -> bool:
        """Build one frame of the next generation; True: it was the last, and they were swapped."""
        self._slices += 1
        if self._next is None or not self._next.step(self.current.ledger):
            return False
        self.current, self._next = self._next.cache, None
        return True
