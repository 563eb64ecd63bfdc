# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Two things measured alternately in one run, and their ratio.

A ratio of neighbours in time survives a busy or throttled machine; a time does not.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: what is measured.
        against: what it is measured against.
        ratio: median over the rounds of the pairwise ratio.
        spread: its quartiles.
        reach: what the issue asks for, as text; '' where it asks for nothing.
        reached: whether the median is within it; None where it asks for nothing.
        seconds: medians of both, (what, against), for orientation only.
        sizes: what was run.
    """

    what: str
    against: str
    ratio: float
    spread: tuple[float, float]
    reach: str
    reached: bool | None
    seconds: tuple[float, float]
    sizes: str

    def asdict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> tuple[list[float], list[float]]:
    """Measure both, in turn, `rounds` times; the first round warms up and is dropped.

    Each callable returns the seconds that count, so that preparation stays outside.
    """
    pairs = [(ours(), theirs()) for _ in range(rounds + 1)][1:]
    return [a for a, _ in pairs], [b for _, b in pairs]


def ratio_row(
    what: str,
    against: str,
    measured: tuple[list[float], list[float]],
    *,
    sizes: str,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Row:
    """Make a row: with `at_least` a speed-up, against / what; otherwise what / against."""
    ours, theirs = measured
    faster = at_least is not None
    ratios = [b / a if faster else a / b for a, b in zip(ours, theirs, strict=True)]
    ratio = statistics.median(ratios)
    low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else (ratio,) * 3
    reach, reached = '', None
    if at_least is not None:
        reach, reached = f'at least {at_least:g}x less', ratio >= at_least
    elif at_most is not None:
        reach, reached = f'at most {at_most:g}x', ratio <= at_most
    return Row(
        what, against, ratio, (low, high), reach, reached,
        (statistics.median(ours), statistics.median(theirs)), sizes,
    )  # fmt: skip
