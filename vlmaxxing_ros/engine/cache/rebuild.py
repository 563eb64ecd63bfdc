# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The next generation, built step by step beside the current one.

Retained frames are prefilled from their cached features, followed by what the current generation
has taken on meanwhile.  Nothing of the current generation is touched until the two are swapped.
"""

from __future__ import annotations

from vlmaxxing_ros.engine.cache.ledger import Ledger, Segment
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families.base import Family


class Rebuild:
    """A generation under construction.

    Args:
        family: the model.
        number: of the generation.
        ledger: of the current one, as it stands now.
        retained: its segments that are worth keeping.
    """

    def __init__(
        self, family: Family, number: int, ledger: Ledger, retained: list[Segment]
    ) -> None:
        self.cache = RollingCache(family, number)
        self._retained = retained
        self._taken = len(ledger.history)
        self._built = 0

    def _pending(self, ledger: Ledger) -> list[Segment]:
        return [*self._retained, *ledger.history[self._taken :]][self._built :]

    def progress(self, ledger: Ledger) -> float:
        """Share of the frames that are built, 0 to 1; `ledger` is the current generation's."""
        return self._built / max(1, self._built + len(self._pending(ledger)))

    def rows_left(self, ledger: Ledger) -> int:
        """Rows that are to be prefilled, the tail's included."""
        tail = ledger.tail
        return sum(len(s.rows) for s in self._pending(ledger)) + (len(tail.rows) if tail else 0)

    def step(self, ledger: Ledger) -> bool:
        """Build one frame; True once everything is built, the tail included."""
        pending = self._pending(ledger)
        if pending:
            self.cache.append_copy(pending[0])
            self._built += 1
            return False
        if ledger.tail is not None:
            self.cache.append_copy(ledger.tail)
        return True
