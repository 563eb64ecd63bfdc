# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Recordings of every kind come out as the same ROS 2 messages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from integration.recordings import START, scene, write_bag
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image

from vlmaxxing_ros.ros.images import to_rgb
from vlmaxxing_ros.ros.recording import BagError, Recording, Topic


def recorded(tmp_path: Path, storage: str) -> Path:
    name = 'clip.bag' if storage == 'ros1' else 'clip'
    return write_bag(tmp_path / name, images=5, storage=storage)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3', 'ros1'])
def test_messages_are_what_was_recorded(tmp_path: Path, storage: str) -> None:
    with Recording(recorded(tmp_path, storage)) as recording:
        assert recording.topics == {
            '/note': Topic('/note', 'std_msgs/msg/String', latched=True),
            '/camera/image': Topic('/camera/image', 'sensor_msgs/msg/Image', latched=False),
        }
        messages = list(recording.messages())
    assert [topic for _, topic, _ in messages] == ['/note'] + ['/camera/image'] * 5
    for index, (stamp, _, data) in enumerate(messages[1:]):
        image = deserialize_message(data, Image)
        assert stamp == START + index * 100_000_000
        assert image.header.stamp.sec * 10**9 + image.header.stamp.nanosec == stamp
        assert image.header.frame_id == 'optical'
        np.testing.assert_array_equal(to_rgb(image), scene(index))


def test_a_recording_can_be_read_again_and_by_topic(tmp_path: Path) -> None:
    with Recording(recorded(tmp_path, 'mcap'), ('/camera/image',)) as recording:
        assert list(recording.topics) == ['/camera/image']
        assert list(recording.messages()) == list(recording.messages())


def test_a_missing_recording_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BagError, match='does not exist'):
        Recording(tmp_path / 'nothing')


def test_a_folder_that_is_no_recording_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r'neither a rosbag2 folder nor a ROS 1 bag'):
        Recording(tmp_path)


def test_a_broken_ros1_bag_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / 'broken.bag').write_bytes(b'#ROSBAG V2.0\n' + bytes(100))
    with pytest.raises(BagError, match='damaged at its beginning'):
        Recording(tmp_path / 'broken.bag')


def test_a_missing_topic_is_an_error_that_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r'no topic /other; it has /camera/image, /note'):
        Recording(recorded(tmp_path, 'mcap'), ('/other',))
