# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Replay a ledger cold, with the same chunk boundaries, and compare.

Works on a snapshot, one segment per step, so that the stream goes on meanwhile.  Bitwise equal
on the CPU; elsewhere the measured difference is reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.branches import cache_arrays, rows_in_use
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.rolling_cache import Fork, RollingCache

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
    """One audit in progress."""

    def __init__(self, family: Family, fork: Fork, suffix: list[int]) -> None:
        self._fork = fork
        self._suffix = suffix
        self._cold = RollingCache(family)
        self._pending = [s for s in fork.segments if s.frame is not None]

    def nbytes(self, shared: list[mx.array]) -> int:
        """Bytes of the replay, and of the snapshot as far as its arrays are not in `shared`."""
        elsewhere = {id(array) for array in shared}
        own = (a.nbytes for a in cache_arrays(self._fork.layers) if id(a) not in elsewhere)
        return self._cold.nbytes + sum(own)

    def step(self) -> AuditReport | None:
        """Replay one segment, or compare when all are replayed; the report ends the audit."""
        if self._pending:
            self._cold.append_copy(self._pending.pop(0))
            return None
        rows = self._fork.rows
        cold = self._cold.fork()
        identical = all(
            bool(mx.array_equal(a, b))
            for a, b in zip(
                rows_in_use(self._fork.layers, rows), rows_in_use(cold.layers, rows), strict=True
            )
        )
        ours, theirs = self._fork.extend(self._suffix), cold.extend(self._suffix)
        difference = np.abs(np.array(ours - theirs)).max().item()
        bitwise = mx.default_device() == mx.Device(mx.cpu)
        ok = identical if bitwise else difference <= GPU_TOLERANCE
        text = f'{rows} rows replayed cold: next-token logits differ by {difference:.3g} at most'
        if not ok:
            text += '; the cache did not hold what its ledger says'
        return AuditReport(ok, difference, rows, text)
