# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Speeds are of whole frames, and what they mean at a camera's rate is multiplication."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.engine.families import load_family
from vlmaxxing_ros.measure.speed import Speed, measure_speed, outlook

SLOW = Speed(
    frame_rows=200,
    frame_windows=12,
    plan=0.002,
    encode=0.3,
    prefill=0.7,
    question=0.2,
    token=0.05,
    peak_memory=1,
)


def test_every_figure_is_measured_on_a_real_model() -> None:
    speed = measure_speed(load_family('nano'), rounds=1)
    assert speed.frame_rows > speed.frame_windows > 1
    assert min(speed.plan, speed.encode, speed.prefill, speed.question, speed.token) > 0
    assert speed.slice_rows == int(0.05 * speed.frame_rows / speed.prefill)
    assert speed.peak_memory > 1_000_000


def test_a_model_slower_than_its_camera_plans_every_image_and_takes_few_whole() -> None:
    seen = outlook(SLOW, 30.0)
    assert seen.planned == 1.0
    assert seen.whole == pytest.approx(1 / 30)
    assert seen.duty == (1.0, 1.0, 1.0)


def test_work_is_in_proportion_to_what_changed() -> None:
    assert outlook(SLOW, 2.0).duty == pytest.approx((0.1, 0.4, 1.0))
