# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Cameras as image_transport names them, seen by a running node; what is wrong is said by name."""

from __future__ import annotations

import array
import time
from collections.abc import Callable
from typing import Any

import cv2
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from integration.recordings import scene
from integration.ros_process import NODE, Peer, node_arguments, wait_until
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.ros.messages import to_image, to_time

WHAT = 'what colors are the blocks?'


@pytest.fixture(scope='module', autouse=True)
def node(start_node: Callable[..., None], model: str) -> None:
    start_node(
        model=model,
        cameras='[front, film, rear, side]',
        front__transport='compressed',
        front__base_topic='/robot/image_raw',
        film__transport='compressed',
        rear__transport='compressed',
        side__transport='compressed',
        diagnostics_period=0.2,
    )


class Sender:
    """Sends CompressedImages on a topic, and waits for what became of each."""

    def __init__(self, peer: Peer, topic: str) -> None:
        self._peer = peer
        self._budgets = peer.collect(FreshBudget, '/vlmaxxing/fresh_budget', QoSProfile(depth=100))
        self._publisher = peer.create_publisher(CompressedImage, topic, qos_profile_sensor_data)
        wait_until(self._publisher.get_subscription_count, what='the node has subscribed')
        wait_until(lambda: peer.count_publishers('/vlmaxxing/fresh_budget'), what='the budgets')
        time.sleep(1.0)  # each side discovers the other by itself

    def send(self, name: str, data: bytes) -> FreshBudget:
        """Send an image, or a packet; its budget."""
        stamp = to_time(self._peer.get_clock().now().nanoseconds)
        known = len(self._budgets)
        self._publisher.publish(
            CompressedImage(
                header=Header(stamp=stamp, frame_id='lens'),
                format=name,
                data=array.array('B', data),
            )
        )
        return wait_until(
            lambda: next((b for b in self._budgets[known:] if b.header.stamp == stamp), None),
            what='the budget',
        )


def jpeg(number: int) -> bytes:
    """A scene as a camera sends it that pads its images."""
    _, data = cv2.imencode('.jpg', scene(number)[..., ::-1])
    return data.tobytes() + bytes(512)


def test_the_base_topic_and_the_transport_are_enough(peer: Peer) -> None:
    sender = Sender(peer, '/robot/image_raw/compressed')
    assert sender.send('bgr8; jpeg compressed bgr8', jpeg(0)).kind == FreshBudget.NONE
    assert peer.query(WHAT, camera='front').status == Answer.OK


def test_video_is_seen_from_its_first_keyframe_on(peer: Peer) -> None:
    av = pytest.importorskip('av', reason='needs PyAV')
    encoder = av.CodecContext.create('libx264', 'w')
    encoder.width = encoder.height = 112
    encoder.pix_fmt, encoder.gop_size, encoder.framerate = 'yuv420p', 4, 10
    encoder.options = {'tune': 'zerolatency', 'x264-params': 'scenecut=0'}
    packets = []
    for number in range(12):
        frame = av.VideoFrame.from_ndarray(scene(number % 6), format='rgb24')
        frame.pts = number
        packets += map(bytes, encoder.encode(frame))
    sender = Sender(peer, '/film/image')
    late = sender.send('h264', packets[1])
    assert late.kind == FreshBudget.DROPPED
    assert 'joined in its middle: waiting for its next keyframe' in late.status_text
    kinds = [sender.send('h264', packet).kind for packet in packets[4:7]]
    assert kinds[0] == FreshBudget.NONE
    assert FreshBudget.DROPPED not in kinds
    assert peer.query(WHAT, camera='film').status == Answer.OK
    lost = sender.send('h264', packets[9])  # 8 begins anew, 7 and 8 are lost
    assert 'a packet was lost' in lost.status_text


def said_of(peer: Peer, camera: str, text: str) -> None:
    """Wait until the diagnostics of a camera say this."""
    seen = peer.collect(DiagnosticArray, '/diagnostics')

    def found() -> bool:
        return any(
            status.name.endswith(f'camera {camera}') and text in status.message
            for array_ in seen[-1:]
            for status in array_.status
        )

    wait_until(found, 30.0, f'{text!r} of {camera}, but {seen[-1:]}')


@pytest.mark.parametrize('there', [True, False])
def test_the_topic_that_carries_the_images_is_named(peer: Peer, there: bool) -> None:
    name = 'rear' if there else 'side'
    compressed = peer.create_publisher(CompressedImage, f'/{name}/image/compressed', 10)
    if there:  # the raw images, on the topic that the node reads
        raw = peer.create_publisher(Image, f'/{name}/image', 10)
        raw.publish(to_image(scene(0), stamp=1, frame_id='lens'))
    said_of(peer, name, f'/{name}/image/compressed')
    said_of(peer, name, f'set {name}.base_topic to /{name}/image')
    peer.destroy_publisher(compressed)


def test_what_converts_images_is_in_the_diagnostics(peer: Peer) -> None:
    seen = peer.collect(DiagnosticArray, '/diagnostics')
    wait_until(lambda: seen, what='diagnostics')
    values = {value.key: value.value for value in seen[-1].status[0].values}
    assert values['image conversion'].startswith(('cv_bridge (', 'OpenCV ('))


def test_a_clock_that_stands_is_told(peer: Peer, spawn: Callable[..., Any]) -> None:
    simulated = spawn(
        *NODE,
        *node_arguments(model='nano', autostart=True, use_sim_time=True, diagnostics_period=0.2),
        *('-r', '__node:=simulated'),
    )
    seen = peer.collect(DiagnosticArray, '/diagnostics')

    def told() -> bool:
        return any(
            status.hardware_id == '/simulated' and 'nobody publishes /clock' in status.message
            for array_ in seen
            for status in array_.status
        )

    wait_until(told, 60.0, 'a word about the clock')
    simulated.wait_for('nobody publishes /clock')
