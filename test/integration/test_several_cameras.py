# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A running node with two cameras: one question about both, and regions that must not wait."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from integration.recordings import scene
from integration.ros_process import Peer, TestCamera, wait_until
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image, RegionOfInterest
from std_srvs.srv import Trigger

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.client import Client
from vlmaxxing_ros.ros.messages import to_ns, to_time

WHAT = 'what colors are the blocks?'
BOTH = ['front', 'wrist']

pytestmark = pytest.mark.usefixtures('lasting_peer')


@pytest.fixture(scope='module', autouse=True)
def node(start_node: Callable[..., None], model: str) -> None:
    # What is not protected waits for a question, for ever.
    start_node(
        model=model,
        cameras='[front, wrist]',
        front__protect='[0.0, 0.0, 0.25, 0.25]',
        calm=1e6,
        max_owed=1e6,
        max_duty=1.0,
        keep_keyframes=0,
    )


@pytest.fixture(scope='module')
def cameras(lasting_peer: Peer) -> dict[str, TestCamera]:
    """Both cameras, which the node has found."""
    return {name: TestCamera(lasting_peer, Image, name) for name in BOTH}


@pytest.fixture
def front(peer: Peer, cameras: dict[str, TestCamera]) -> TestCamera:
    """The first camera; the node has seen nothing yet."""
    return anew(peer, cameras['front'])


@pytest.fixture
def wrist(peer: Peer, cameras: dict[str, TestCamera], front: TestCamera) -> TestCamera:
    """The other one."""
    return cameras['wrist']


def anew(peer: Peer, camera: TestCamera) -> TestCamera:
    assert peer.call(Trigger, '/vlmaxxing/reset', Trigger.Request()).success
    return camera


def test_a_question_about_both_says_of_each_what_it_rests_on(
    peer: Peer, front: TestCamera, wrist: TestCamera
) -> None:
    stamps = [to_ns(camera.show(scene(3)).header.stamp) for camera in (front, wrist)]
    answer = peer.query(WHAT, cameras=BOTH)
    assert answer.status == Answer.OK, answer.status_text
    assert [part.camera for part in answer.cameras] == BOTH
    assert [to_ns(part.header.stamp) for part in answer.cameras] == stamps
    assert [part.header.frame_id for part in answer.cameras] == ['front_lens', 'wrist_lens']
    assert [part.blocks_owed for part in answer.cameras] == [0, 0]
    assert all(part.exact for part in answer.cameras)
    assert answer.cameras[1].rows_paid > 16, 'its frame and its label'
    assert (answer.camera, answer.header) == ('front', answer.cameras[0].header)
    assert answer.evidence_age == max(part.evidence_age for part in answer.cameras) > 0.0
    assert answer.rows_paid == sum(part.rows_paid for part in answer.cameras)
    alone = peer.query(WHAT, camera='front')
    assert [part.camera for part in alone.cameras] == ['front']
    assert alone.cameras[0].header == alone.header
    assert answer.prompt_tokens > alone.prompt_tokens + 16, 'the other frame, and its label'


def test_what_one_of_them_has_not_paid_is_told(
    peer: Peer, front: TestCamera, wrist: TestCamera
) -> None:
    for camera in (front, wrist):
        camera.show(scene(0))
    assert peer.query(WHAT, cameras=BOTH).blocks_owed == 0
    stamp = wrist.show(scene(4)).header.stamp
    told = peer.query(WHAT, cameras=BOTH, max_evidence_age=float('inf'))
    assert told.cameras[0].blocks_owed == 0
    assert told.cameras[1].blocks_owed == told.blocks_owed > 0
    assert 'have changed since' in told.status_text
    with Client() as client:
        assert client.wait(30.0)
        paid = client.ask(WHAT, cameras=BOTH)
    assert (paid.status, paid.blocks_owed) == (Answer.OK, 0)
    assert paid.cameras[1].header.stamp == stamp


@pytest.mark.parametrize(
    ('fields', 'said'),
    [
        ({'camera': 'front', 'cameras': BOTH}, 'exclude each other'),
        ({'cameras': ['front', 'rear']}, "no camera 'rear': there is front, wrist"),
        ({'cameras': ['front', 'front']}, 'must be different'),
        ({'cameras': BOTH, 'as_of': to_time(5)}, 'as_of is about one camera'),
    ],
)
def test_cameras_that_cannot_be_asked_about_are_refused_by_name(
    peer: Peer, fields: dict[str, Any], said: str
) -> None:
    answer = peer.query(WHAT, **fields)
    assert answer.status == Answer.INVALID_REQUEST
    assert said in answer.status_text
    assert not answer.cameras


def picture(*changed: tuple[int, int]) -> np.ndarray:
    """A grey image of 4x4 blocks, some of them bright."""
    image = np.full((112, 112, 3), 90, np.uint8)
    for row, col in changed:
        image[row * 28 : row * 28 + 28, col * 28 : col * 28 + 28] = 200
    return image


def owed(camera: TestCamera, *changed: tuple[int, int]) -> int:
    """How many blocks are owed in the end, of an image that goes on being shown."""
    budgets: list[FreshBudget] = [camera.show(picture(*changed)) for _ in range(10)]
    return int(budgets[-1].blocks_owed)


def paid(peer: Peer, camera: TestCamera, name: str) -> None:
    """A first image, and all of it paid."""
    camera.show(picture())
    assert peer.query(WHAT, camera=name).blocks_owed == 0


def test_what_changes_in_a_protected_region_is_paid_though_nobody_asks(
    peer: Peer, front: TestCamera
) -> None:
    paid(peer, front, 'front')
    assert front.show(picture()).blocks_protected == 1
    assert owed(front, (2, 2)) == 1, 'everything else waits'
    wait_until(lambda: owed(front, (2, 2), (0, 0)) == 1, what='the protected block is paid')


def test_a_region_can_be_told_while_the_node_runs_and_taken_back(
    peer: Peer, wrist: TestCamera, node_log: Path
) -> None:
    paid(peer, wrist, 'wrist')
    regions = peer.create_publisher(RegionOfInterest, '/wrist/regions', qos_profile_sensor_data)
    wait_until(regions.get_subscription_count, what='the node has subscribed')

    def protected(count: int, **region: int) -> bool:
        regions.publish(RegionOfInterest(**region))
        return bool(wrist.show(picture()).blocks_protected == count)

    told = {'x_offset': 56, 'y_offset': 56, 'width': 56, 'height': 28}
    wait_until(lambda: protected(2, **told), what='two blocks are protected')
    wait_until(lambda: owed(wrist, (0, 0), (2, 3)) == 1, what='one of them is paid')
    too_far = {**told, 'width': 57}
    wait_until(
        lambda: protected(2, **too_far) and 'wrist/regions is ignored' in node_log.read_text(),
        what='the warning; those before are kept',
    )
    assert 'is not within the image of 112x112' in node_log.read_text()
    wait_until(lambda: protected(0), what='nothing is protected')
