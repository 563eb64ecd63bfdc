# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a new generation keeps."""

from __future__ import annotations

import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Kind, Segment
from vlmaxxing_ros.engine.cache.retention import retain
from vlmaxxing_ros.engine.families import Rows
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid

GRID = Grid(1, 1, 28)
NOTE = Kind.NOTE


def segment(number: int, kind: Kind = Kind.KEYFRAME, rows: int = 10, shade: int = 0) -> Segment:
    frame = Frame(np.full((28, 28, 3), shade, np.uint8), GRID, number)
    ids = np.zeros(rows, np.int32)
    return Segment(kind, Rows(ids, np.zeros((3, rows), np.int32), ids - 1, rows), frame)


def stamps(kept: list[Segment]) -> list[int]:
    return [s.frame.stamp for s in kept if s.frame is not None]


def test_the_newest_keyframes_are_kept() -> None:
    history = [segment(i) for i in range(6)]
    kept = retain(history, keep_keyframes=3, max_rows=1000)
    assert stamps(kept) == [3, 4, 5]


def test_as_many_as_fit_are_kept() -> None:
    history = [segment(i) for i in range(6)]
    assert stamps(retain(history, keep_keyframes=5, max_rows=25)) == [4, 5]


def test_delta_frames_stay_with_their_keyframe_or_go_with_it() -> None:
    delta = Kind.DELTA
    history = [segment(0), segment(1, delta, 2), segment(2), segment(3, delta, 2)]
    assert stamps(retain(history, keep_keyframes=1, max_rows=99)) == [2, 3]
    assert stamps(retain(history, keep_keyframes=2, max_rows=13)) == [2, 3]
    assert retain(history, keep_keyframes=2, max_rows=11) == []


def test_the_newest_notes_are_kept_where_they_stood_and_frames_get_the_rest_of_the_room() -> None:
    history = [segment(0), *(segment(i, NOTE, 4) for i in (1, 2)), segment(3), segment(4, NOTE, 4)]
    kept = retain(history, keep_keyframes=2, keep_notes=2, max_rows=99)
    assert stamps(kept) == [0, 2, 3, 4]
    assert stamps(retain(history, keep_keyframes=2, keep_notes=2, max_rows=18)) == [2, 3, 4]
    assert stamps(retain(history, keep_keyframes=2, keep_notes=2, max_rows=5)) == [4]
    assert stamps(retain(history, keep_keyframes=2, max_rows=99)) == [0, 3]
