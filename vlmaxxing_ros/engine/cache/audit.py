# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Replay a ledger cold, with the same chunk boundaries, and compare.

Step by step: the stream goes on meanwhile, and what it adds to its history is replayed as well.
Bitwise equal on the CPU; elsewhere the measured difference is reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.steps import Steps

# A GPU picks its kernels by shape; a wrong row is off by orders of magnitude more than they are.
GPU_TOLERANCE = 0.05


@dataclass(frozen=True)
class AuditReport:
    """What an audit found.

    Attributes:
        ok: the cache is what its ledger says.
        max_difference: largest absolute difference of the next-token logits.
        rows: rows that were replayed.
        text: for people.
    """

    ok: bool
    max_difference: float
    rows: int
    text: str


class Audit:
    """One audit of one generation in progress."""

    def __init__(self, family: Family) -> None:
        self._cold = RollingCache(family)
        self._replayed = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the replay."""
        return self._cold.nbytes

    def nearly_done(self, cache: RollingCache) -> bool:
        """Whether all of the history has been replayed."""
        return self._replayed == len(cache.ledger.history)

    def replay(self, cache: RollingCache) -> Steps[None]:
        """Replay the next segment of the history.

        Args:
            cache: always of the same generation, which may have grown since the last call.
        """
        yield from self._cold.appending_copy(cache.ledger.history[self._replayed])
        self._replayed += 1

    def compare(self, cache: RollingCache, suffix: list[int]) -> Steps[AuditReport]:
        """Replay the tail, which must be exact, and compare; the report ends the audit.

        Args:
            cache: as for `replay`.
            suffix: token ids of a question.
        """
        if cache.ledger.tail is not None:
            yield from self._cold.appending_copy(cache.ledger.tail)
        rows, live, cold = cache.ledger.rows, cache.fork(), self._cold.fork()
        identical = all(
            bool(mx.array_equal(a, b))
            for a, b in zip(cache.contents(), self._cold.contents(), strict=True)
        )
        ours, theirs = live.extend(suffix), cold.extend(suffix)
        difference = np.abs(np.array(ours - theirs)).max().item()
        bitwise = mx.default_device() == mx.Device(mx.cpu)
        ok = identical if bitwise else difference <= GPU_TOLERANCE
        text = f'{rows} rows replayed cold: next-token logits differ by {difference:.3g} at most'
        if not ok:
            text += '; the cache did not hold what its ledger says'
        return AuditReport(ok, difference, rows, text)
