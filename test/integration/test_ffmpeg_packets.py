# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Video as `ffmpeg_image_transport` publishes it, seen by a running node.

Its message package is not on PyPI: the tests generate it from the field list that it publishes.
"""

from __future__ import annotations

import array
import importlib
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from integration.generated_messages import generate, overlaid
from integration.ros_process import Peer, TestCamera
from std_msgs.msg import Header

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.ros.messages import to_ns, to_time

pytest.importorskip('av', reason='needs PyAV')
pytest.importorskip('rosidl_generator_py', reason='needs the generators of the ROS 2 wheels')

from ros.films import encode

pytestmark = pytest.mark.skipif(not shutil.which('c++'), reason='needs a C++ compiler')

PACKAGE = 'ffmpeg_image_transport_msgs'
DEFINITION = """std_msgs/Header header
int32 width
int32 height
string encoding
uint64 pts
uint8 flags
bool is_bigendian
uint8[] data
"""
WHAT = 'what colors are the blocks?'


@pytest.fixture(scope='module')
def kind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The type of the messages, which the node's process finds too."""
    prefix = generate(PACKAGE, {'FFMPEGPacket': DEFINITION}, tmp_path_factory.mktemp('messages'))
    with overlaid(prefix):
        yield importlib.import_module(f'{PACKAGE}.msg').FFMPEGPacket


@pytest.fixture(scope='module', autouse=True)
def node(kind: Any, start_node: Callable[..., None], model: str) -> None:
    start_node(
        model=model,
        cameras='[film]',
        film__transport='ffmpeg',
        film__base_topic='/film/image_raw',
    )


class Encoder:
    """A camera whose images are encoded: each packet is sent, and what became of it is told."""

    def __init__(self, peer: Peer, kind: Any) -> None:
        self._kind = kind
        self._camera = TestCamera(peer, kind, 'film', topic='/film/image_raw/ffmpeg')
        self._packets = encode('h264')

    def send(self, number: int) -> FreshBudget:
        """Send a packet of the stream; the budget of its image."""
        packet = self._packets[number]
        message = self._kind(
            header=Header(stamp=to_time(self._camera.now()), frame_id='film_lens'),
            width=112,
            height=112,
            encoding=f'{packet.codec};yuv420p;bgr8;bgr8',
            pts=packet.number,
            flags=int(packet.keyframe),
            data=array.array('B', packet.data),
        )
        return self._camera.send(message)


def test_packets_are_seen_from_a_keyframe_on_and_after_a_loss_from_the_next(
    peer: Peer, kind: Any
) -> None:
    encoder = Encoder(peer, kind)
    for number in (5, 6):
        early = encoder.send(number)
        assert early.kind == FreshBudget.DROPPED
        assert 'joined in its middle: waiting for its next keyframe' in early.status_text
    seen = [encoder.send(number) for number in range(10, 14)]
    assert FreshBudget.DROPPED not in [budget.kind for budget in seen]
    assert {budget.header.frame_id for budget in seen} == {'film_lens'}
    answer = peer.query(WHAT, camera='film')
    assert answer.status == Answer.OK
    assert to_ns(answer.newest_evidence_stamp) == to_ns(seen[-1].header.stamp)
    lost = [encoder.send(number) for number in range(16, 20)]  # without 14 and 15
    assert {budget.kind for budget in lost} == {FreshBudget.DROPPED}
    assert 'a packet was lost: waiting for its next keyframe' in lost[-1].status_text
    assert encoder.send(20).kind != FreshBudget.DROPPED
