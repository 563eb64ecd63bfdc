# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the streaming tests share: stage 0's recordings, and a tiny model's runs on one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.evaluation.replay import ArmRun
from vlmaxxing_ros.evaluation.store import Store
from vlmaxxing_ros.evaluation.streaming.arms import ARMS, CONFIG
from vlmaxxing_ros.evaluation.streaming.artifact import ArtifactRows, Row
from vlmaxxing_ros.evaluation.streaming.corpus import EventVideo, make_video
from vlmaxxing_ros.evaluation.streaming.provenance import provenance
from vlmaxxing_ros.evaluation.streaming.runs import run_videos


@pytest.fixture(scope='session')
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for recordings."""
    return tmp_path_factory.mktemp('corpus')


@pytest.fixture(scope='session')
def video(corpus: Path) -> EventVideo:
    """A fixed camera, two events."""
    return make_video(corpus, 'stage0', 'tabletop', 0, events=2)


@pytest.fixture(scope='session')
def runs(
    video: EventVideo, family: Family, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, ArmRun]:
    """All five arms on it; the tiny model's answers mean nothing."""
    store = Store(tmp_path_factory.mktemp('arms'))
    found = run_videos([video], ARMS, family, CONFIG, store, lambda text: None)
    return {arm: members[0] for arm, members in found.items()}


@pytest.fixture(scope='session')
def rows(video: EventVideo, runs: dict[str, ArmRun], family: Family) -> list[Row]:
    """Their artifact rows."""
    return ArtifactRows(video, family, CONFIG, provenance(['--out', 'x'])).build(runs)
