# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a new generation keeps of the old one's history.

Knows segments and their pixels; knows nothing of keys, values or time slices.
"""

from __future__ import annotations

import cv2
import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Kind, Segment


def retain(
    history: list[Segment], *, keep_keyframes: int, memory_frames: int, max_rows: int
) -> list[Segment]:
    """Choose the segments to keep, oldest first.

    The newest `keep_keyframes` keyframes with the delta frames behind them, as far as they fit
    in `max_rows`; then, in the room that is left, up to `memory_frames` older keyframes, each
    the one least like everything kept so far (farthest-point selection).
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
    oldest = len(history) - len(kept)
    candidates = [s for s in history[:oldest] if s.kind is Kind.KEYFRAME]
    bank = _most_novel(candidates, kept, memory_frames, max_rows - rows)
    return bank + kept


def _most_novel(
    candidates: list[Segment], kept: list[Segment], count: int, max_rows: int
) -> list[Segment]:
    """Up to `count` of the candidates that differ most from what is kept, in their order."""
    if not candidates or not count:
        return []
    looks = np.stack([_look(s) for s in candidates])
    seen = [_look(s) for s in kept] or [np.zeros_like(looks[0])]
    distance = np.min([np.abs(looks - s).mean((1, 2, 3)) for s in seen], axis=0)
    chosen: list[int] = []
    while len(chosen) < min(count, len(candidates)):
        best = int(distance.argmax())
        max_rows -= len(candidates[best].rows)
        if max_rows < 0:
            break
        chosen.append(best)
        distance = np.minimum(distance, np.abs(looks - looks[best]).mean((1, 2, 3)))
        distance[chosen] = -1.0
    return [candidates[i] for i in sorted(chosen)]


def _look(segment: Segment) -> np.ndarray:
    """A thumbnail to compare by: float32 [32, 32, 3]."""
    assert segment.frame is not None
    small = cv2.resize(segment.frame.pixels, (32, 32), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)
