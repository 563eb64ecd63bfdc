# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The next generation, built slice by slice beside the current one.

Retained frames are prefilled from their cached features, one per slice, followed by what the
current generation has taken on meanwhile.  Nothing of the current generation is touched until
the session swaps the two.
"""

from __future__ import annotations

from vlmaxxing_ros.engine.cache.ledger import Segment
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families.base import Family


class Rebuild:
    """A generation under construction."""

    def __init__(self, family: Family, source: RollingCache, retained: list[Segment]) -> None:
        self.cache = RollingCache(family, source.number + 1)
        self._source = source
        self._retained = retained
        self._taken = len(source.ledger.history)
        self._built = 0

    def _pending(self) -> list[Segment]:
        grown = self._source.ledger.history[self._taken :]
        return [*self._retained, *grown][self._built :]

    @property
    def progress(self) -> float:
        """Share of the frames that are built, 0 to 1."""
        return self._built / max(1, self._built + len(self._pending()))

    def step(self) -> bool:
        """Build one frame; True once everything is built, the tail included."""
        pending = self._pending()
        if pending:
            self.cache.append_copy(pending[0])
            self._built += 1
            return False
        tail = self._source.ledger.tail
        if tail is not None:
            self.cache.append_copy(tail)
        return True
