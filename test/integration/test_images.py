# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Images of a running node's cameras: all of them arrive, bad ones are dropped by name."""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any

import cv2
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from integration.recordings import scene
from integration.ros_process import Peer, TestCamera, wait_until
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.ros.messages import to_image, to_ns, to_time

WHAT = 'what colors are the blocks?'

pytestmark = pytest.mark.usefixtures('lasting_peer')


@pytest.fixture(scope='module', autouse=True)
def node(start_node: Callable[..., None], model: str) -> None:
    # A busy test machine may hold the node's executor up for longer than five images take.
    overrides = {
        'qos_overrides./camera/image.subscription.depth': 100,
        'qos_overrides./silent/twist.subscription.reliability': 'reliable',
    }
    start_node(
        **overrides,
        model=model,
        cameras='[camera, rear, depth, silent]',
        rear__transport='compressed',
        depth__depth_range='[0.5, 2.5]',
        diagnostics_period=0.2,
    )


@pytest.fixture
def camera(peer: Peer) -> TestCamera:
    """A raw camera, and a node that has seen nothing yet."""
    camera = TestCamera.of(peer, Image)
    wait_until(
        lambda: peer.call(Trigger, '/vlmaxxing/reset', Trigger.Request()).success,
        what='the node is active',
    )
    return camera


def image(camera: TestCamera, **changes: Any) -> Image:
    message = to_image(scene(camera.sent), stamp=camera.now(), frame_id='lens')
    for name, value in changes.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'encoding': 'rgb48'}, "encoding 'rgb48' is not supported"),
        ({'encoding': '16UC1', 'step': 224}, 'set the parameter <camera>.depth_range'),
        ({'width': 0}, 'at least 1'),
        ({'height': 0, 'data': array.array('B')}, 'at least 1'),
        ({'step': 7}, 'step is 7 bytes'),
        ({'data': array.array('B', bytes(1000))}, 'truncated'),
        ({'data': array.array('B')}, 'holds 0 bytes'),
    ],
)
def test_a_bad_image_is_dropped_by_name_and_the_next_is_not(
    peer: Peer, camera: TestCamera, changes: dict[str, Any], said: str
) -> None:
    if changes.get('encoding') == '16UC1':
        changes = {**changes, 'data': array.array('B', bytes(224 * 112))}
    budget = camera.send(image(camera, **changes))
    assert budget.kind == FreshBudget.DROPPED
    assert said in budget.status_text
    assert (budget.frames_received, budget.frames_dropped, budget.frames_planned) == (1, 1, 0)
    assert peer.query(WHAT, deadline=0.3).status == Answer.NO_EVIDENCE
    assert camera.show().kind == FreshBudget.NONE
    assert peer.query(WHAT).status == Answer.OK
    assert camera.show().kind == FreshBudget.TAIL, 'what the question paid'


def test_stamps_that_go_backwards_restart_the_session_and_say_so(
    peer: Peer, camera: TestCamera
) -> None:
    first = camera.show()
    budget = camera.show(stamp=to_ns(first.header.stamp) - 10**9)
    assert 'stamps went backwards' in budget.status_text
    assert budget.kind == FreshBudget.NONE
    answer = peer.query(WHAT)
    assert answer.status == Answer.OK
    assert answer.oldest_evidence_stamp == answer.header.stamp == budget.header.stamp


def test_a_new_resolution_restarts_the_session_and_says_so(peer: Peer, camera: TestCamera) -> None:
    camera.show()
    budget = camera.show(scene(0, width=168, height=112))
    assert 'image size changed' in budget.status_text
    answer = peer.query(WHAT)
    assert answer.status == Answer.OK
    assert answer.oldest_evidence_stamp == budget.header.stamp


def test_a_driver_that_does_not_stamp_is_told_so(peer: Peer, camera: TestCamera) -> None:
    camera.show(stamp=1)
    budget = camera.show(stamp=1)
    assert budget.kind == FreshBudget.DROPPED
    assert 'same stamp' in budget.status_text


@pytest.mark.parametrize('extension', ['.jpg', '.png'])
def test_compressed_images_are_seen(peer: Peer, extension: str) -> None:
    rear = TestCamera(peer, CompressedImage, 'rear')
    peer.call(Trigger, '/vlmaxxing/reset', Trigger.Request())
    _, data = cv2.imencode(extension, scene(0)[..., ::-1])
    message = CompressedImage(
        header=Header(stamp=to_time(rear.now()), frame_id='lens'),
        format=extension[1:],
        data=array.array('B', data.tobytes()),
    )
    assert rear.send(message).kind == FreshBudget.NONE
    answer = peer.query(WHAT, camera='rear')
    assert (answer.status, answer.camera) == (Answer.OK, 'rear')
    message.header.stamp = to_time(rear.now())
    message.data = message.data[: len(message.data) // 2]
    assert 'truncated' in rear.send(message).status_text


def test_each_camera_has_a_session_of_its_own(peer: Peer, camera: TestCamera) -> None:
    depth = TestCamera(peer, Image, 'depth')
    camera.show()
    assert peer.query(WHAT, camera='depth', deadline=0.3).status == Answer.NO_EVIDENCE
    message = image(depth, encoding='16UC1', step=224)
    message.data = array.array('B', bytes(224 * 112))
    budget = depth.send(message)
    assert (budget.camera, budget.kind) == ('depth', FreshBudget.NONE)
    assert peer.query(WHAT, camera='depth').header.stamp == message.header.stamp
    assert peer.query(WHAT, camera='camera').header.stamp != message.header.stamp


def test_raw_vga_at_camera_rate_arrives_whole(peer: Peer, camera: TestCamera) -> None:
    publisher = peer.create_publisher(Image, '/camera/image', 1)
    wait_until(publisher.get_subscription_count, what='the node has subscribed')
    sent = 60
    message = to_image(scene(0, width=640, height=480), stamp=0, frame_id='lens')
    start = camera.now()
    done: list[int] = []

    def publish() -> None:
        if len(done) < sent:
            message.header.stamp = to_time(start + len(done) * 33_333_333)
            publisher.publish(message)
            done.append(1)

    timer = peer.create_timer(1 / 30, publish)
    wait_until(lambda: len(done) == sent, what='all images are sent')
    timer.cancel()
    seen = peer.collect(DiagnosticArray, '/diagnostics')
    wait_until(lambda: seen, what='diagnostics')
    wait_until(lambda: received(seen[-1]) == sent, 20.0, f'{sent} images received, only some')


def received(diagnostics: DiagnosticArray) -> int:
    """Images of the camera `camera` that have reached the node."""
    status = next(s for s in diagnostics.status if s.name.endswith('camera camera'))
    return int(next(value.value for value in status.values if value.key == 'frames received'))


def test_a_camera_without_publisher_is_told_what_to_remap(peer: Peer, camera: TestCamera) -> None:
    seen = peer.collect(DiagnosticArray, '/diagnostics')

    def hint() -> str:
        statuses = seen[-1].status if seen else []
        return next((s.message for s in statuses if s.name.endswith('camera silent')), '')

    wait_until(lambda: 'nobody publishes there' in hint(), what='the hint')
    assert '/camera/image' in hint()
    for name, kind, said in (
        ('one', CompressedImage, 'set silent.transport'),
        ('other', Image, 'FASTRTPS_DEFAULT_PROFILES_FILE'),
    ):
        publisher = Peer(name)
        publisher.create_publisher(kind, '/silent/image', 1)
        wait_until(lambda said=said: said in hint(), what=f'the hint {said}')
        publisher.close()


def test_an_override_is_for_its_topic_alone(peer: Peer) -> None:
    def reliability(topic: str) -> ReliabilityPolicy:
        wait_until(lambda: peer.count_subscribers(topic), what=f'{topic} is subscribed to')
        return peer.get_subscriptions_info_by_topic(topic)[0].qos_profile.reliability

    assert reliability('/silent/twist') == ReliabilityPolicy.RELIABLE
    for topic in ('/rear/twist', '/silent/camera_info', '/silent/image', '/rear/image'):
        assert reliability(topic) == ReliabilityPolicy.BEST_EFFORT, topic
