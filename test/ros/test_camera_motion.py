# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a camera's angular velocity does to its image, and which twists are not used."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.ros.camera_motion import MAX_GAP, PATIENCE, CameraMotion, Lens, Twist

STAMP = 1_700_000_000_000_000_000  # ns
GRID = Grid(4, 6, 28)
LENS = Lens(fx=500.0, fy=400.0, width=2 * GRID.width, height=4 * GRID.height)


def frame(stamp: int = STAMP) -> Frame:
    return Frame(np.zeros((GRID.height, GRID.width, 3), np.uint8), GRID, stamp, 'lens')


class Turning:
    """A camera with a twist and a lens, and the warnings that came of them."""

    def __init__(
        self, x: float = 0.5, y: float = 1.0, lens: Lens | None = LENS, frame_id: str = 'lens'
    ) -> None:
        self.said: list[str] = []
        self.motion = CameraMotion('front', self.said.append)
        self.motion.take(Twist(STAMP, frame_id, x, y))
        self.motion.lens = lens


def test_the_velocity_is_in_pixels_of_the_grid() -> None:
    turning = Turning(x=0.5, y=1.0)
    assert turning.motion.velocity(frame()) == pytest.approx((-250.0, 50.0))
    assert turning.said == []


@pytest.mark.parametrize('axis', ['x', 'y'])
def test_the_velocity_is_that_of_a_point_seen_by_a_camera_that_turns(axis: str) -> None:
    omega = {'x': (0.01, 0.0), 'y': (0.0, 0.01)}[axis]
    point = np.array([0.0, 0.0, 3.0])  # on the optical axis
    (cos, sin), (x, y) = (math.cos(0.01), math.sin(0.01)), omega
    # Columns: the axes of the camera after one second, as they were before (right-hand rule).
    turned = np.array(
        [[1, 0, 0], [0, cos, -sin], [0, sin, cos]]
        if x
        else [[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]
    )
    seen = turned.T @ point
    moved = 250.0 * seen[0] / seen[2], 100.0 * seen[1] / seen[2]
    assert Turning(x, y).motion.velocity(frame()) == pytest.approx(moved, rel=1e-3, abs=1e-9)


def test_without_a_twist_nothing_is_known_and_nothing_is_said() -> None:
    said: list[str] = []
    assert CameraMotion('front', said.append).velocity(frame()) is None
    assert said == []


def test_a_twist_without_a_frame_is_taken_for_the_cameras() -> None:
    assert Turning(frame_id='').motion.velocity(frame()) is not None


def test_a_twist_in_another_frame_is_ignored_and_that_is_said_once() -> None:
    turning = Turning(frame_id='base_link')
    assert turning.motion.velocity(frame()) is turning.motion.velocity(frame()) is None
    (said,) = turning.said
    assert said.startswith('front/twist is ignored: ')
    assert "in the frame 'base_link', the image in 'lens'" in said
    assert 'optical frame, or leave it unpublished' in said


def test_a_late_image_finds_the_twists_of_its_time() -> None:
    turning = Turning()
    for late in range(1, 200):
        turning.motion.take(Twist(STAMP + late * 10_000_000, 'lens', 9.0, 9.0))
    assert turning.motion.velocity(frame()) == pytest.approx((-250.0, 50.0))


def test_the_velocity_is_the_mean_since_the_frame_before() -> None:
    turning = Turning()
    turning.motion.velocity(frame())
    for index, y in enumerate((0.0, 3.0, 0.0), start=1):
        turning.motion.take(Twist(STAMP + index, 'lens', 0.0, y))
    assert turning.motion.velocity(frame(STAMP + 3)) == pytest.approx((-250.0, 0.0))


def test_a_recording_that_begins_anew_ends_what_was_known() -> None:
    turning = Turning()
    for index in range(100):
        turning.motion.take(Twist(STAMP + index, 'lens', 9.0, 9.0))
    turning.motion.velocity(frame(STAMP + 99))
    turning.motion.take(Twist(STAMP, 'lens', 0.5, 1.0))
    assert turning.motion.velocity(frame(STAMP + 50)) == pytest.approx((-250.0, 50.0))


@pytest.mark.parametrize('late', [-1, 1])
def test_a_twist_is_used_up_to_a_gap_from_the_image(late: int) -> None:
    turning = Turning()
    gap = late * int(MAX_GAP * 1e9)
    assert turning.motion.velocity(frame(STAMP + gap)) is not None
    for _ in range(PATIENCE - 1):
        assert turning.motion.velocity(frame(STAMP + gap + late)) is None
    assert turning.said == [], 'a few may be late'
    for _ in range(5):
        assert turning.motion.velocity(frame(STAMP + gap + late)) is None
    (said,) = turning.said
    assert 'by the same clock?' in said


def test_a_missing_camera_info_is_waited_for_and_then_missed_once() -> None:
    turning = Turning(lens=None)
    for _ in range(PATIENCE - 1):
        assert turning.motion.velocity(frame()) is None
    assert turning.said == []
    for _ in range(5):
        assert turning.motion.velocity(frame()) is None
    (said,) = turning.said
    assert 'no camera_info' in said
    turning.motion.lens = LENS
    assert turning.motion.velocity(frame()) is not None


@pytest.mark.parametrize(
    'change', [{'fx': 0.0}, {'fy': -1.0}, {'fx': math.nan}, {'fy': math.inf}, {'width': 0}]
)
def test_an_uncalibrated_camera_is_told_so_once(change: dict[str, float]) -> None:
    turning = Turning(lens=replace(LENS, **change))  # type: ignore[arg-type]
    assert turning.motion.velocity(frame()) is turning.motion.velocity(frame()) is None
    (said,) = turning.said
    assert 'calibrate the camera' in said


@pytest.mark.parametrize(('x', 'y'), [(math.nan, 0.0), (0.0, -math.inf), (1e308, 0.0)])
def test_a_twist_that_is_no_number_is_ignored_and_the_next_is_not(x: float, y: float) -> None:
    turning = Turning(x, y)
    assert turning.motion.velocity(frame()) is turning.motion.velocity(frame()) is None
    (said,) = turning.said
    assert 'angular velocity' in said
    turning.motion.take(Twist(STAMP + 1, 'lens', 0.5, 1.0))
    assert turning.motion.velocity(frame(STAMP + 1)) == pytest.approx((-250.0, 50.0))
