# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Images with their stamps from a recording: rosbag2, .mcap, .db3, ROS 1 .bag or a video file.

Everything is read by rosbags and OpenCV and converted as the node converts it; no transport, no
clock, so that two runs see the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

from vlmaxxing_ros.evaluation.errors import RecordingError
from vlmaxxing_ros.ros.images import ImageError, compressed_to_rgb, to_rgb

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
_BAGS = ('.mcap', '.db3', '.bag')


@dataclass(frozen=True)
class StampedImage:
    """One image of a recording: RGB, uint8 [height, width, 3]; `stamp` in nanoseconds."""

    pixels: np.ndarray
    stamp: int
    frame_id: str


def read_images(path: Path, *, topic: str = '', fps: float = 0.0) -> Iterator[StampedImage]:
    """The images of a recording, in order.

    Args:
        path: a rosbag2 folder, a .mcap, .db3 or .bag file, or a video.
        topic: the image topic of a bag; empty: the only one there is.
        fps: images per second at most; 0: all.

    Raises:
        RecordingError: the recording cannot be read, or the topic is not clear.
    """
    if not path.exists():
        raise RecordingError(f'{path} does not exist')
    bag = path.is_dir() or path.suffix in _BAGS
    if topic and not bag:
        raise RecordingError(f'{path} is a video: it has no topic {topic}')
    images = _bag(path, topic) if bag else _video(path)
    return _thin(images, fps) if fps else images


def _thin(images: Iterator[StampedImage], fps: float) -> Iterator[StampedImage]:
    """At most `fps` images per second: the first at or after each tick."""
    start, tick = None, 0
    for image in images:
        start = image.stamp if start is None else start
        # A stamp that goes backwards is the engine's business: it passes.
        elapsed = (image.stamp - start) * 1e-9 * fps
        if elapsed >= tick - 1e-3 or elapsed < tick - 1.5:
            tick = int(elapsed + 1e-3) + 1
            yield image


def _video(path: Path) -> Iterator[StampedImage]:
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise RecordingError(
            f'{path} is neither a rosbag2 folder, a .mcap, .db3 or .bag file nor a video that '
            'OpenCV can read'
        )
    rate = capture.get(cv2.CAP_PROP_FPS)
    if not 0.1 < rate < 1000:
        raise RecordingError(f'{path} says that it has {rate} images per second: convert it')
    try:
        number = 0
        while True:
            there, image = capture.read()
            if not there:
                return
            pixels = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            yield StampedImage(pixels, round(number * 1e9 / rate), path.stem)
            number += 1
    finally:
        capture.release()


def _bag(path: Path, topic: str) -> Iterator[StampedImage]:
    try:
        reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY))
        with reader:
            connections = _image_connections(reader, path, topic)
            for connection, _, data in reader.messages(connections):
                yield _convert(reader.deserialize(data, connection.msgtype), connection)
    except (AnyReaderError, ImageError, OSError) as error:
        raise RecordingError(f'{path} cannot be read: {error}') from error


def _image_connections(reader: AnyReader, path: Path, topic: str) -> list[Connection]:
    images = [c for c in reader.connections if c.msgtype in (IMAGE, COMPRESSED)]
    topics = sorted({c.topic for c in images})
    if topic and topic not in topics:
        raise RecordingError(f'{path} has no images on {topic}; on: {", ".join(topics) or "none"}')
    if not topics:
        raise RecordingError(f'{path} has no topic with images')
    if not topic and len(topics) > 1:
        raise RecordingError(f'{path} has several image topics, choose one: {", ".join(topics)}')
    return [c for c in images if c.topic == (topic or topics[0])]


def _convert(message: Any, connection: Connection) -> StampedImage:
    pixels = to_rgb(message) if connection.msgtype == IMAGE else compressed_to_rgb(message)
    stamp = message.header.stamp
    return StampedImage(pixels, stamp.sec * 10**9 + stamp.nanosec, message.header.frame_id)
