# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Carried segments: what a cache has of a frame, at another place instead of prefilled again.

Their rows were computed behind what stood before them then, and still know of it: they count as
refreshed, and a cache that holds one is not exact until the frame is prefilled again.  Knows
ledgers; knows nothing of keys.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Refreshed, Segment


def moved(segment: Segment, base: int) -> tuple[Segment, int]:
    """A frame's segment as it stands at position `base`, and how much further on that is.

    Every row moves by the same, along t, h and w, the caption's as well.

    Raises:
        ValueError: it shows no frame, or its rows have been compressed.
    """
    rows, before = segment.rows, segment.refreshed
    if segment.features is None or segment.tags is not None:
        raise ValueError('only rows of a frame are carried')
    by = base - int(rows.positions[0, 0])
    # How it was refreshed goes with it: what bounds that in place bounds it here.
    carried = before or Refreshed(
        rows=0,
        since=segment.stamp,
        shown=segment.features,
        staleness=np.zeros(np.count_nonzero(rows.blocks >= 0)),
        caught_up=False,
    )
    carried = replace(carried, caught_up=False)  # the closing row gathered another context
    there = replace(rows, positions=rows.positions + by, end=rows.end + by)
    return replace(segment, rows=there, refreshed=carried), by
