# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The player, as a process: what was recorded arrives, in its order and with its stamps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from integration.recordings import START, scene, write_bag
from integration.ros_process import PLAYER, Peer, wait_until
from rclpy.qos import (
    DurabilityPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import String

from vlmaxxing_ros.ros.dds import VARIABLES
from vlmaxxing_ros.ros.images import to_rgb

Spawn = Callable[..., Any]


def stamp(image: Image) -> int:
    return image.header.stamp.sec * 10**9 + image.header.stamp.nanosec


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3', 'ros1'])
def test_a_recording_arrives_whole(spawn: Spawn, peer: Peer, tmp_path: Path, storage: str) -> None:
    bag = write_bag(tmp_path / ('clip.bag' if storage == 'ros1' else 'clip'), storage=storage)
    images = peer.collect(Image, '/camera/image')
    player = spawn(*PLAYER, bag, '--rate', '10', '--wait-for-subscribers', '1')
    assert player.wait() == 0, player.output
    wait_until(lambda: len(images) == 10, what='10 images')
    assert [stamp(image) for image in images] == [START + i * 100_000_000 for i in range(10)]
    np.testing.assert_array_equal(to_rgb(images[3]), scene(3))


def test_the_clock_is_there_before_each_message(spawn: Spawn, peer: Peer, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'clip')
    seen: list[tuple[str, int]] = []
    # One subscription per topic, one thread: what is published first is taken first only per
    # topic, so the clock is compared with how many images had come.
    peer.create_subscription(
        Clock,
        '/clock',
        lambda m: seen.append(('clock', m.clock.sec * 10**9 + m.clock.nanosec)),
        100,
    )
    peer.create_subscription(
        Image, '/camera/image', lambda m: seen.append(('image', stamp(m))), 100
    )
    player = spawn(
        *PLAYER, bag, '--clock', '--topics', '/camera/image', '--wait-for-subscribers', '1'
    )
    assert player.wait() == 0, player.output
    wait_until(lambda: sum(kind == 'image' for kind, _ in seen) == 10, what='10 images')
    clock = [value for kind, value in seen if kind == 'clock']
    assert clock == [value for kind, value in seen if kind == 'image']


def test_a_loop_repeats_the_stamps_and_ends_on_interrupt(
    spawn: Spawn, peer: Peer, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / 'clip', images=3, rate=100.0)
    images = peer.collect(Image, '/camera/image', 100)
    player = spawn(*PLAYER, bag, '--loop', '--wait-for-subscribers', '1')
    wait_until(lambda: len(images) >= 7, what='seven images')
    assert player.interrupt() == 0, player.output
    assert [stamp(image) for image in images[:6]] == 2 * [START + i * 10_000_000 for i in range(3)]


def test_latched_topics_reach_late_subscribers(spawn: Spawn, peer: Peer, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'clip', images=40, rate=10.0)
    player = spawn(*PLAYER, bag)
    player.wait_for('playing')
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    notes = peer.collect(String, '/note', latched)
    wait_until(lambda: notes, what='the note')
    assert notes[0].data == 'hello'


def test_topics_are_remapped_the_ros_way(spawn: Spawn, peer: Peer, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'clip', topic='/cam0/image_raw', rate=100.0)
    images = peer.collect(Image, '/camera/image', qos_profile_sensor_data)
    remap = ('--ros-args', '-r', '/cam0/image_raw:=/camera/image')
    player = spawn(*PLAYER, bag, '--qos', 'sensor', '--wait-for-subscribers', '1', *remap)
    assert player.wait() == 0, player.output
    wait_until(lambda: images, what='an image')


@pytest.mark.parametrize(
    ('arguments', 'status', 'said'),
    [
        (['/no/such/bag'], 1, 'does not exist'),
        (['{bag}', '--topics', '/other'], 1, 'has no topic /other; it has /camera/image, /note'),
        (['{bag}', '--rate', '0'], 2, '--rate must be above 0'),
        ([], 2, 'the following arguments are required: bag'),
    ],
)
def test_bad_arguments_end_it_with_a_reason(
    spawn: Spawn, tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    bag = write_bag(tmp_path / 'clip', images=1)
    player = spawn(*PLAYER, *[argument.format(bag=bag) for argument in arguments])
    assert player.wait() == status
    assert said in player.output
    assert 'Traceback' not in player.output


def test_raw_vga_at_camera_rate_arrives_whole_without_any_setting(
    spawn: Spawn, peer: Peer, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / 'clip', images=60, rate=30.0, width=640, height=480)
    # Best effort; so deep that a busy test machine does not drop what had arrived.
    qos = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
    images = peer.collect(Image, '/camera/image', qos)
    unset = dict.fromkeys(VARIABLES, '')
    player = spawn(*PLAYER, bag, '--qos', 'sensor', '--wait-for-subscribers', '1', env=unset)
    assert player.wait() == 0, player.output
    wait_until(lambda: len(images) == 60, 20.0, '60 images')
