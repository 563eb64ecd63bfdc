# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What work has cost on this machine, from which other work is priced.

The medians of the newest jobs: seconds per block in the vision tower, seconds per row in the
language model.  Attention's growth with the context is left out, so that prices are low rather
than high.  Knows seconds and rows; knows nothing of frames.
"""

from __future__ import annotations

from collections import defaultdict, deque

from vlmaxxing_ros.engine.steps import Stopwatch

_FEWEST = 8  # rows: less says little about the price of one


class Calibration:
    """One model's, as one stream uses it."""

    def __init__(self) -> None:
        self._prices: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=15))

    def add(self, watch: Stopwatch) -> None:
        """Record a job."""
        for stage, rows in watch.rows.items():
            if rows >= _FEWEST:
                self._prices[stage].append(watch.seconds[stage] / rows)

    def seconds(self, **rows: float) -> float:
        """What some rows per stage will take; 0: nothing is known yet."""
        return sum(_median(self._prices[stage]) * count for stage, count in rows.items())


def _median(values: deque[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0.0
