# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A running node that is told how its camera turns, while the image stands still."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from integration.recordings import scene
from integration.ros_process import Peer, TestCamera, wait_until
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.ros.messages import to_time

PERIOD = 100_000_000  # ns
FAST, SLOW = 1.0, 0.1  # rad/s: 0.36 and 0.04 blocks of 28 pixels per period
MOVED = 'camera moved 0.36 blocks in one frame'


@pytest.fixture(scope='module', autouse=True)
def node(start_node: Callable[..., None], model: str) -> None:
    # No keyframes and no turns: a still image costs nothing.
    start_node(model=model, keep_keyframes=0, max_age=1e6)


@pytest.fixture(scope='module')
def stamps() -> Iterator[int]:
    """Stamps of all images of the module."""
    return itertools.count(time.time_ns(), PERIOD)


class TurningCamera:
    """A camera that sees the same scene all the time, and may tell how it turns."""

    def __init__(self, peer: Peer, stamps: Iterator[int]) -> None:
        self._stamps = stamps
        self._camera = TestCamera(peer, Image)
        qos = qos_profile_sensor_data
        self._twist = peer.create_publisher(TwistStamped, '/camera/twist', qos)
        self._info = peer.create_publisher(CameraInfo, '/camera/camera_info', qos)
        for publisher in (self._twist, self._info):
            wait_until(publisher.get_subscription_count, what='the node has subscribed')

    def _image(self) -> np.ndarray:
        """The scene; no two images are the same to the last bit, but no change is to be seen."""
        image = scene(0)
        image[0, self._camera.sent % 100] ^= 1
        return image

    def show(self) -> FreshBudget:
        """The next image; its budget."""
        return self._camera.show(self._image(), stamp=next(self._stamps))

    def turn(
        self, speed: float, *, frame_id: str = 'camera_lens', focal: float = 100.0
    ) -> FreshBudget:
        """The next image with a twist of `speed` rad/s to the right; its budget.

        The node may come to see the image first: ask until it has seen the twist as well.
        """
        info = CameraInfo(width=112, height=112)
        info.k[0] = info.k[4] = focal
        self._info.publish(info)
        stamp = next(self._stamps)
        twist = TwistStamped()
        twist.header.stamp, twist.header.frame_id = to_time(stamp), frame_id
        twist.twist.angular.y = speed
        self._twist.publish(twist)
        return self._camera.show(self._image(), stamp=stamp)


@pytest.fixture
def camera(peer: Peer, stamps: Iterator[int]) -> TurningCamera:
    """A camera that has shown an image long after the last twist; the image is paid for."""
    camera = TurningCamera(peer, stamps)
    for _ in range(10):
        next(stamps)
    camera.show()
    peer.query('What is there?')
    camera.show()  # says what the question paid
    return camera


def test_without_a_twist_a_still_image_costs_nothing(camera: TurningCamera) -> None:
    for _ in range(5):
        budget = camera.show()
        assert (budget.kind, budget.status_text) == (FreshBudget.NONE, '')


def test_frames_are_taken_whole_while_the_camera_turns_fast(
    peer: Peer, camera: TurningCamera
) -> None:
    budgets = [camera.show()]

    def turned(speed: float) -> str:
        budgets.append(camera.turn(speed))
        return budgets[-1].status_text

    wait_until(lambda: turned(FAST) == MOVED, what='a whole frame')
    assert budgets[-1].blocks_owed == budgets[-1].blocks_total == 16
    assert peer.query('What is there?').status == Answer.OK
    turned(FAST)
    assert (budgets[-1].kind, budgets[-1].blocks_admitted) == (FreshBudget.TAIL, 16)
    wait_until(lambda: turned(SLOW) == '', what='a frame that is not')
    assert budgets[-1].kind == FreshBudget.NONE


@pytest.mark.parametrize(
    ('wrong', 'said'),
    [
        ({'frame_id': 'base_link'}, "in the frame 'base_link', the image in 'camera_lens'"),
        ({'focal': 0.0}, 'calibrate the camera'),
        ({'speed': float('nan')}, 'its angular velocity is'),
    ],
)
def test_a_twist_that_cannot_be_used_is_ignored_and_the_log_says_why(
    camera: TurningCamera, node_log: Path, wrong: dict[str, object], said: str
) -> None:
    def told() -> bool:
        camera.turn(**{'speed': FAST, **wrong})  # type: ignore[arg-type]
        return said in node_log.read_text()

    wait_until(told, what=f'the warning {said}')
    for _ in range(3):
        budget = camera.turn(**{'speed': FAST, **wrong})  # type: ignore[arg-type]
        assert (budget.kind, budget.status_text) == (FreshBudget.NONE, '')
    assert node_log.read_text().count(said) == 1
