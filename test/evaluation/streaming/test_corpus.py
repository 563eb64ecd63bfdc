# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The corpus: seeds kept apart, recordings that a command makes again."""

from __future__ import annotations

import itertools
from pathlib import Path

from vlmaxxing_ros.evaluation.recordings import read_images
from vlmaxxing_ros.evaluation.streaming.corpus import (
    SET_UP,
    SETS,
    WORLDS,
    EventVideo,
    make_video,
    seconds_of,
)
from vlmaxxing_ros.evaluation.streaming.events import FPS
from vlmaxxing_ros.evaluation.tabletop import FIRST_HARD_SEED, FIRST_SEED


def test_no_seed_is_in_two_sets() -> None:
    starts = sorted([*SETS.values(), FIRST_SEED, FIRST_HARD_SEED])
    assert all(b - a > 1000 * (len(WORLDS) + 10) for a, b in itertools.pairwise(starts))
    assert starts[0] > 2**41  # training's seeds stay below


def test_a_recording_is_made_once_and_is_the_same_again(video: EventVideo, tmp_path: Path) -> None:
    again = make_video(tmp_path, 'stage0', 'tabletop', 0, events=2)
    assert again.cases == video.cases
    assert again.sha256 == video.sha256
    stamp = video.media.stat().st_mtime_ns
    make_video(video.folder.parent, 'stage0', 'tabletop', 0, events=2)
    assert video.media.stat().st_mtime_ns == stamp


def test_it_runs_at_native_rate(video: EventVideo) -> None:
    images = list(read_images(video.folder))
    assert len(images) == round(seconds_of(2) * FPS)
    assert images[0].pixels.shape == (168, 224, 3)


def test_the_first_question_is_the_set_up(video: EventVideo) -> None:
    assert [q.id for q in video.questions] == [SET_UP, *(c.question.id for c in video.cases)]
    assert video.questions[0].answer == ''
