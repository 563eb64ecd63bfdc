# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Carried segments: what a cache has of a frame, at another place instead of prefilled again.

Their rows were computed behind what stood before them then, and still know of it: they count as
refreshed, and a cache that holds one is not exact.  Knows ledgers; knows nothing of keys.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Refreshed, Segment


def moved(segment: Segment, base: int) -> tuple[Segment, int]:
    """A frame's segment as it stands at position `base`, and how much further on that is.

    Every row moves by the same, along t, h and w, the caption's as well.

    Raises:
        ValueError: its rows are not what a prefill gives: a copy of a copy drifts.
    """
    rows = segment.rows
    if segment.refreshed is not None or segment.features is None or segment.tags is not None:
        raise ValueError('only rows of a frame that are exact are carried')
    by = base - int(rows.positions[0, 0])
    carried = Refreshed(
        rows=0,
        since=segment.stamp,
        shown=segment.features,
        staleness=np.zeros(np.count_nonzero(rows.blocks >= 0)),
        caught_up=False,
    )
    there = replace(rows, positions=rows.positions + by, end=rows.end + by)
    return replace(segment, rows=there, refreshed=carried), by
