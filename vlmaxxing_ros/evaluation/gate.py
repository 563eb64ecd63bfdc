# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Limits that a run has to keep, for a user's own CI: `max_choice_drift=0.01,...`."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from vlmaxxing_ros.evaluation.errors import GateError


@dataclass(frozen=True)
class Gate:
    """One limit on one metric of one arm."""

    arm: str
    metric: str
    limit: float
    is_maximum: bool

    def keeps(self, value: float | None) -> bool:
        """Whether the value is within the limit; what was not measured is not."""
        if value is None or math.isnan(value):
            return False
        return value <= self.limit if self.is_maximum else value >= self.limit

    def __str__(self) -> str:
        bound = 'at most' if self.is_maximum else 'at least'
        return f'{self.arm}: {self.metric} {bound} {self.limit:g}'


def parse_gates(text: str, *, arms: Collection[str], metrics: Collection[str]) -> list[Gate]:
    """Read `[arm:]max_<metric>=<limit>` and `[arm:]min_<metric>=<limit>`, joined by commas.

    Args:
        text: as given; without an arm, `auto` is meant.
        arms: that are run.
        metrics: that are measured.

    Raises:
        GateError: a gate that cannot be read, or that names no arm or metric.
    """
    gates = []
    for part in filter(None, (piece.strip() for piece in text.split(','))):
        name, equals, limit = part.partition('=')
        # An arm's name may hold a colon of its own: repair:1.
        arm, colon, bound = name.strip().rpartition(':')
        kind, _, metric = bound.partition('_')
        if not equals or kind not in ('max', 'min'):
            raise GateError(f'gate {part!r}: write [arm:]max_<metric>=<limit> or min_...')
        arm = arm if colon else 'auto'
        if arm not in arms:
            raise GateError(f'gate {part!r}: no arm {arm!r} in this run: {", ".join(arms)}')
        if metric not in metrics:
            known = ', '.join(sorted(metrics))
            raise GateError(f'gate {part!r}: no metric {metric!r}; there are: {known}')
        try:
            value = float(limit)
        except ValueError:
            raise GateError(f'gate {part!r}: {limit!r} is no number') from None
        gates.append(Gate(arm, metric, value, kind == 'max'))
    return gates
