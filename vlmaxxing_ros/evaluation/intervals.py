# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Confidence intervals for shares and for paired differences of shares.

Analytic ones treat questions as independent; questions about one stream are not quite, so where
there are enough recordings a bootstrap over whole recordings stands beside them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Z = 1.959964
"""Two-sided 95 %."""

CLUSTERS = 10
"""Recordings from which a bootstrap over recordings says something."""

_RESAMPLES = 2000


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % score interval for a share (Wilson, 1927)."""
    if count == 0:
        return 0.0, 1.0
    share, z2 = hits / count, Z * Z
    centre = share + z2 / (2 * count)
    spread = Z * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    scale = 1 + z2 / count
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def paired_difference(
    both: int, only_first: int, only_second: int, neither: int
) -> tuple[float, float]:
    """Newcombe's 95 % interval for a paired difference of shares, first minus second.

    Method 10 of Newcombe (1998), "Improved confidence intervals for the difference between
    binomial proportions based on paired data": Wilson intervals joined by the pairs' correlation.
    """
    count = both + only_first + only_second + neither
    if count == 0:
        return -1.0, 1.0
    first, second = (both + only_first) / count, (both + only_second) / count
    low1, high1 = wilson(both + only_first, count)
    low2, high2 = wilson(both + only_second, count)
    margins = (both + only_first) * (only_second + neither)
    margins *= (both + only_second) * (only_first + neither)
    phi = 0.0
    if margins:
        cross: float = both * neither - only_first * only_second
        if cross > 0:
            cross = max(cross - count / 2, 0)
        phi = cross / math.sqrt(margins)
    below1, above1, below2, above2 = first - low1, high1 - first, second - low2, high2 - second
    down = below1**2 - 2 * phi * below1 * above2 + above2**2
    up = above1**2 - 2 * phi * above1 * below2 + below2**2
    difference = first - second
    return difference - math.sqrt(max(0.0, down)), difference + math.sqrt(max(0.0, up))


def clustered(sums: Sequence[float], counts: Sequence[int]) -> tuple[float, float] | None:
    """95 % percentile bootstrap of a mean over whole recordings; None: too few of them.

    Args:
        sums: per recording, the sum of the values (such as right minus wrong-for-dense).
        counts: per recording, how many there were.
    """
    used = [(s, c) for s, c in zip(sums, counts, strict=True) if c]
    if len(used) < CLUSTERS:
        return None
    total, count = np.array(used, float).T
    draws = np.random.default_rng(0).integers(len(used), size=(_RESAMPLES, len(used)))
    means = total[draws].sum(axis=1) / count[draws].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
