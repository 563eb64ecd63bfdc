# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The evaluation's streams: easy and hard ones, made again where they are not there yet."""

from __future__ import annotations

from pathlib import Path

from vlmaxxing_ros.evaluation.questions_file import load_questions
from vlmaxxing_ros.evaluation.recordings import read_images
from vlmaxxing_ros.evaluation.tabletop import write_streams


def test_hard_streams_are_other_tables_of_the_same_kind(tmp_path: Path) -> None:
    first = {}
    for hard in (False, True):
        out = tmp_path / str(hard)
        count = write_streams(out, 1, hard=hard)
        assert len(load_questions(out / '00.questions.yaml')) == count > 0
        images = list(read_images(out / '00'))
        assert len(images) == 50
        first[hard] = images[0].pixels
    assert first[False].shape == first[True].shape
    assert (first[False] != first[True]).mean() > 0.5
