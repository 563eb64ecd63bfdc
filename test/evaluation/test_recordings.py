# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Every kind of recording gives the same images, with their own stamps."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_typestore

from vlmaxxing_ros.demo.recordings import START, write_recording
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.evaluation.errors import RecordingError
from vlmaxxing_ros.evaluation.recordings import StampedImage, read_images


def test_a_rosbag2_folder_gives_its_images_with_the_headers_stamps(
    recording: Path, images: list[StampedImage]
) -> None:
    read = list(read_images(recording))
    assert [image.stamp - START for image in read] == [image.stamp for image in images]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(read, images, strict=True))
    assert read[0].frame_id == 'camera'


def test_the_mcap_file_inside_can_be_given_itself(recording: Path) -> None:
    (file,) = recording.glob('*.mcap')
    assert len(list(read_images(file))) == 25


def test_compressed_images_in_a_db3_file_are_decoded(world: Tabletop, tmp_path: Path) -> None:
    folder = tmp_path / 'jpeg'
    write_recording(folder, world, fps=2.0, storage='sqlite3', transport='compressed')
    (file,) = folder.glob('*.db3')
    first = next(read_images(file))
    difference = np.abs(first.pixels.astype(int) - world.render(0.0).astype(int))
    assert difference.mean() < 4


def test_a_ros_1_bag_is_read(tmp_path: Path) -> None:
    types = get_typestore(Stores.ROS1_NOETIC)
    message = types.types['sensor_msgs/msg/Image']
    header, stamp = types.types['std_msgs/msg/Header'], types.types['builtin_interfaces/msg/Time']
    with Writer(tmp_path / 'old.bag') as writer:
        topic = writer.add_connection('/cam/image_raw', message.__msgtype__, typestore=types)
        for n in range(3):
            head = header(n, stamp(5, n), 'lens')
            pixels = np.full(2 * 4 * 3, n, np.uint8)
            data = types.serialize_ros1(
                message(head, 2, 4, 'bgr8', 0, 12, pixels), message.__msgtype__
            )
            writer.write(topic, n + 1, data)
    read = list(read_images(tmp_path / 'old.bag'))
    assert [image.stamp for image in read] == [5_000_000_000, 5_000_000_001, 5_000_000_002]
    assert [int(image.pixels[0, 0, 0]) for image in read] == [0, 1, 2]


def test_a_video_is_stamped_by_its_rate(tmp_path: Path) -> None:
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 4.0, (64, 48))
    for level in (0, 100, 200):
        writer.write(np.full((48, 64, 3), (0, 0, level), np.uint8))
    writer.release()
    read = list(read_images(path))
    assert [image.stamp for image in read] == [0, 250_000_000, 500_000_000]
    red, green, _ = read[2].pixels.mean(axis=(0, 1))
    assert red > 150 > 50 > green


def test_fewer_images_per_second_can_be_asked_for(recording: Path) -> None:
    stamps = [image.stamp - START for image in read_images(recording, fps=1.0)]
    assert stamps == [0, 10**9, 2 * 10**9, 3 * 10**9, 4 * 10**9]


def test_what_cannot_be_read_is_refused(recording: Path, tmp_path: Path) -> None:
    (tmp_path / 'text.mp4').write_text('no video')
    (tmp_path / 'empty').mkdir()
    for path in (tmp_path / 'nothing', tmp_path / 'text.mp4', tmp_path / 'empty'):
        with pytest.raises(RecordingError):
            next(read_images(path))
    with pytest.raises(RecordingError, match='no images on /other'):
        next(read_images(recording, topic='/other'))
