# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The arms' windows: matched, four seconds, the same newest frame."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.evaluation.replay import ArmRun
from vlmaxxing_ros.evaluation.streaming.arms import (
    ARMS,
    LOW_FPS,
    NATIVE,
    OFFSETS,
    ORACLE,
    RECENCY,
    SCREENSHOT,
)


def _ages(run: ArmRun) -> list[list[float]]:
    """Seconds before the newest frame, per scored question."""
    return [
        [round((q.window[-1] - stamp) * 1e-9, 2) for stamp in q.window] for q in run.questions[1:]
    ]


def test_every_arm_shows_the_newest_frame(runs: dict[str, ArmRun]) -> None:
    newest = {arm: [q.window[-1] for q in runs[arm].questions] for arm in ARMS}
    assert all(newest[arm] == newest[ORACLE] for arm in ARMS)


@pytest.mark.parametrize('arm', [ORACLE, LOW_FPS, SCREENSHOT, RECENCY])
def test_a_cold_arm_takes_its_frames_where_it_says(runs: dict[str, ArmRun], arm: str) -> None:
    for ages in _ages(runs[arm]):
        assert ages == pytest.approx(OFFSETS[arm], abs=0.051)


def test_ours_shows_at_most_seven_frames_of_about_as_many_seconds(runs: dict[str, ArmRun]) -> None:
    for ages in _ages(runs[NATIVE]):
        assert 1 <= len(ages) <= 7
        assert ages[0] <= 12.0, 'a keyframe may be as old as the change before it'
