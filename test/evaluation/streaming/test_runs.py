# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Charges: all that an arm did is charged to some answer, and runs are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.evaluation.replay import ArmRun
from vlmaxxing_ros.evaluation.store import Store
from vlmaxxing_ros.evaluation.streaming.arms import ARMS, CONFIG, LOW_FPS, NATIVE, SCREENSHOT
from vlmaxxing_ros.evaluation.streaming.corpus import EventVideo
from vlmaxxing_ros.evaluation.streaming.runs import charges, run_videos


@pytest.mark.parametrize('arm', ARMS)
def test_nothing_before_the_last_question_is_left_uncharged(
    runs: dict[str, ArmRun], arm: str
) -> None:
    run = runs[arm]
    charged = charges(run)
    last = run.questions[-1].at
    before = [f for f in run.frames if (f.stamp - run.frames[0].stamp) * 1e-9 <= last]
    assert sum(len(charge.frames) for charge in charged) == len(before)
    assert sum(c.windows for c in charged) == sum(f.windows for f in before) + sum(
        q.windows for q in run.questions
    )


def test_a_cold_arm_pays_for_its_frames_and_ours_for_the_stream(runs: dict[str, ArmRun]) -> None:
    scored = {arm: charges(runs[arm])[1:] for arm in ARMS}
    whole = {c.windows for c in scored[SCREENSHOT]}
    assert {c.windows for c in scored[LOW_FPS]} == {4 * windows for windows in whole}
    assert {c.calls for c in scored[LOW_FPS]} == {4}
    assert {c.calls for c in scored[SCREENSHOT]} == {1}
    for charge in scored[NATIVE]:
        assert charge.skipped + charge.updated + charge.rebuilt == len(charge.frames)
        assert charge.windows > 0


def test_a_run_is_found_again(video: EventVideo, family: Family, tmp_path: Path) -> None:
    told: list[str] = []
    for _ in range(2):
        run_videos([video], [SCREENSHOT], family, CONFIG, Store(tmp_path), told.append)
    assert told == [f'{video.name}: {SCREENSHOT}', f'{video.name}: {SCREENSHOT} (kept)']
