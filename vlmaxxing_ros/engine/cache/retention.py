# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a new generation keeps of the old one's history.

Knows segments; knows nothing of keys, values or time slices.
"""

from __future__ import annotations

from vlmaxxing_ros.engine.cache.ledger import Kind, Segment


def retain(history: list[Segment], *, keep_keyframes: int, max_rows: int) -> list[Segment]:
    """Choose the segments to keep, oldest first.

    The newest `keep_keyframes` keyframes with the delta frames behind them, as far as they fit
    in `max_rows`.
    """
    kept: list[Segment] = []
    group: list[Segment] = []
    rows = keyframes = 0
    for segment in reversed(history):
        group.append(segment)
        if segment.kind is not Kind.KEYFRAME:
            continue
        # A keyframe closes its group of pictures: keep all of it, or nothing.
        size = sum(len(s.rows) for s in group)
        if keyframes == keep_keyframes or rows + size > max_rows:
            break
        kept += group
        group, rows, keyframes = [], rows + size, keyframes + 1
    kept.reverse()
    return kept
