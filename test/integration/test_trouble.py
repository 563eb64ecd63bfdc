# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What is wrong with a node that works all the same: in its log and in its diagnostics."""

from __future__ import annotations

import array
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from integration.recordings import scene
from integration.ros_process import Peer, TestCamera, wait_until
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.ros.messages import to_time

WHAT = 'what colors are the blocks?'


@pytest.fixture(scope='module', autouse=True)
def node(start_node: Callable[..., None], model: str) -> None:
    start_node(
        model=model,
        modle='mistyped',
        cameras='[camera, cam1, cam2]',
        camera__transport='compressed',
        keep_keyframes=0,
        token_budget=64,
        diagnostics_period=0.2,
    )


@pytest.fixture
def camera(peer: Peer) -> TestCamera:
    return TestCamera(peer, CompressedImage)


def image(camera: TestCamera, *, bomb: bool = False) -> CompressedImage:
    data = bytearray(cv2.imencode('.png', cv2.resize(scene(camera.sent), (224, 224)))[1].tobytes())
    if bomb:
        data[16:24] = struct.pack('>II', 100_000, 100_000)
        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, 'big')
    header = Header(stamp=to_time(camera.now()), frame_id='lens')
    return CompressedImage(header=header, format='png', data=array.array('B', bytes(data)))


def warned(peer: Peer, part: str, text: str) -> None:
    """Wait for a warning in the diagnostics."""
    seen = peer.collect(DiagnosticArray, '/diagnostics')
    wait_until(
        lambda: any(
            text in status.message and status.level == DiagnosticStatus.WARN
            for message in seen
            for status in message.status
            if status.name.endswith(part)
        ),
        what=f'{text} in the diagnostics',
    )


def test_a_parameter_that_is_none_is_named(peer: Peer, node_log: Path) -> None:
    warned(peer, 'model', 'modle (is model meant?)')
    assert 'no such parameter, ignored: modle (is model meant?)' in node_log.read_text()


def test_a_keyframe_where_none_is_kept_is_refused(peer: Peer, node_log: Path) -> None:
    response = peer.call(Trigger, '/vlmaxxing/keyframe', Trigger.Request())
    assert not response.success
    assert 'keep_keyframes' in response.message
    warned(peer, 'model', 'keep_keyframes')
    assert response.message in node_log.read_text()


def test_an_image_that_claims_to_be_huge_costs_nothing(peer: Peer, camera: TestCamera) -> None:
    assert camera.send(image(camera)).kind != FreshBudget.DROPPED
    assert peer.query(WHAT).status == Answer.OK
    budget = camera.send(image(camera, bomb=True))
    assert budget.kind == FreshBudget.DROPPED
    assert 'max_image_pixels' in budget.status_text
    answer = peer.query(WHAT)
    assert (answer.status, answer.rows_paid) == (Answer.OK, 0)


def test_a_token_budget_below_the_need_is_warned_about(
    peer: Peer, camera: TestCamera, node_log: Path
) -> None:
    for _ in range(2):
        camera.send(image(camera))
        assert peer.query(WHAT).status == Answer.OK
    camera.send(image(camera))
    warned(peer, 'camera camera', 'token_budget')
    assert 'token_budget 64 is too small' in node_log.read_text()


def test_two_nodes_of_one_name_are_told_as_long_as_there_are_two(
    peer: Peer, node_log: Path
) -> None:
    other = Peer('vlmaxxing')
    warned(peer, 'model', '2 nodes are called /vlmaxxing')
    assert '2 nodes are called /vlmaxxing' in node_log.read_text()
    other.close()
    seen = peer.collect(DiagnosticArray, '/diagnostics')
    wait_until(
        lambda: seen and 'are called' not in seen[-1].status[0].message, what='the warning ends'
    )
    assert 'modle' in seen[-1].status[0].message, 'and no other with it'


def test_what_is_wrong_with_one_camera_s_images_does_not_silence_another_s(
    peer: Peer, node_log: Path
) -> None:
    for name in ('cam1', 'cam2'):
        camera = TestCamera(peer, Image, name)
        for _ in range(3):
            bad = Image(width=8, height=8, encoding='rgb8', step=3)
            bad.header.stamp = to_time(camera.now())
            assert camera.send(bad).kind == FreshBudget.DROPPED
    for name in ('cam1', 'cam2'):
        assert node_log.read_text().count(f'image dropped: {name}: ') == 1, 'not one per image'


def test_two_cameras_on_one_topic_are_told_apart_for_the_user(
    peer: Peer, camera: TestCamera, node_log: Path
) -> None:
    peer.create_publisher(CompressedImage, '/camera/image', qos_profile_sensor_data)
    camera.send(image(camera))
    seen = peer.collect(DiagnosticArray, '/diagnostics')

    def told() -> bool:
        camera.send(image(camera))
        return any('2 publishers' in s.message for m in seen for s in m.status)

    wait_until(told, what='two publishers in the diagnostics')
    assert '2 publishers on /camera/image' in node_log.read_text()
