# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the planner buys when the camera moves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from engine.seeing.planned import GRID, Planned, frame_of, scene, settings, with_patch

from vlmaxxing_ros.engine.seeing.plan import Take, Verdict
from vlmaxxing_ros.engine.seeing.planner import Planner


def test_a_frame_that_was_bought_whole_owes_nothing_though_the_camera_moved() -> None:
    planner = Planner(settings())
    planner.admit(planner.plan(planner.look(frame_of(scene(), 0))))
    moved = planner.look(frame_of(np.roll(scene(), 20, 1), 1))
    plan = planner.plan(moved)
    assert 'camera moved' in plan.reason
    planner.admit(plan)
    again = planner.plan(moved)
    assert (again.take, again.reason) == (Take.NOTHING, '')


def test_a_pan_takes_frames_whole_and_says_so() -> None:
    wide = np.concatenate([scene(1), scene(2)], axis=1)
    stream = Planned(settings())
    for i in range(3):
        plan = stream.show(wide[:, 10 * i : 10 * i + GRID.width])
    assert plan.whole
    assert 'camera moved' in plan.reason
    assert plan.motion == pytest.approx((-10, 0), abs=1)


def test_jitter_of_one_pixel_is_no_camera_motion() -> None:
    wide = cv2.copyMakeBorder(scene(), 1, 1, 1, 1, cv2.BORDER_REFLECT)
    rng = np.random.default_rng(3)
    stream = Planned(settings())
    for _ in range(10):
        y, x = rng.integers(0, 3, 2)
        plan = stream.show(wide[y : y + GRID.height, x : x + GRID.width])
        assert 'camera' not in plan.reason


def test_shifted_blocks_wait_while_the_camera_shakes() -> None:
    wide = cv2.copyMakeBorder(scene(), 0, 0, 0, 1, cv2.BORDER_REFLECT)
    wide[3 * GRID.block : 4 * GRID.block, 4 * GRID.block : 5 * GRID.block] = 120
    stream = Planned(settings())
    for i in range(12):
        image = with_patch(wide, 3, 4, 5 if i >= 6 else 0)
        plan = stream.show(image[:, i % 2 : i % 2 + GRID.width])
    assert plan.verdicts[3, 4] == Verdict.SHIFTED
    assert not plan.fresh[3, 4]
    assert any(stream.show(image[:, 1:]).fresh[3, 4] for _ in range(20))


def test_a_hint_of_camera_motion_is_believed() -> None:
    stream = Planned(settings())
    stream.show(scene())
    assert not stream.show(scene(), camera_velocity=(50.0, 0.0)).whole
    plan = stream.show(scene(), camera_velocity=(100.0, 0.0))
    assert plan.whole
    assert plan.motion == pytest.approx((10.0, 0.0))
