# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a new generation keeps of the old one's history.

Knows segments; knows nothing of keys, values or time slices.
"""

from __future__ import annotations

from vlmaxxing_ros.engine.cache.ledger import Kind, Segment


def retain(
    history: list[Segment], *, keep_keyframes: int, max_rows: int, keep_notes: int = 0
) -> list[Segment]:
    """Choose the segments to keep, oldest first.

    The newest `keep_notes` notes, and the newest `keep_keyframes` keyframes with the delta frames
    behind them, as far as they fit in `max_rows`.
    """
    notes = [segment for segment in history if segment.kind is Kind.NOTE]
    while len(notes) > keep_notes or sum(len(s.rows) for s in notes) > max_rows:
        del notes[0]
    room = max_rows - sum(len(s.rows) for s in notes)
    frames = _frames(history, keep_keyframes, room)
    kept = set(map(id, [*notes, *frames]))
    return [segment for segment in history if id(segment) in kept]


def _frames(history: list[Segment], keep_keyframes: int, max_rows: int) -> list[Segment]:
    """The newest keyframes, in any order."""
    kept: list[Segment] = []
    group: list[Segment] = []
    rows = keyframes = 0
    for segment in reversed(history):
        if segment.kind is Kind.NOTE:
            continue
        group.append(segment)
        if segment.kind is not Kind.KEYFRAME:
            continue
        # A keyframe closes its group of pictures: keep all of it, or nothing.
        size = sum(len(s.rows) for s in group)
        if keyframes == keep_keyframes or rows + size > max_rows:
            break
        kept += group
        group, rows, keyframes = [], rows + size, keyframes + 1
    return kept
