# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Recordings for the tests, drawn here: a square that moves over a grey scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_typestore

START = 1_700_000_000_000_000_000  # ns, of the first image


def scene(index: int, *, width: int = 112, height: int = 112) -> np.ndarray:
    """RGB uint8 [height, width, 3]: a red square, 8 pixels further right in every image."""
    image = np.full((height, width, 3), 90, np.uint8)
    left = (8 * index) % (width - 28)
    image[28:56, left : left + 28] = (220, 40, 30)
    return image


def write_bag(
    path: Path,
    *,
    images: int = 10,
    rate: float = 10.0,
    width: int = 112,
    height: int = 112,
    topic: str = '/camera/image',
    storage: str = 'mcap',
) -> Path:
    """Record `images` images at `rate` Hz, and one latched string on /note, first of all.

    `storage` is mcap, sqlite3 or ros1.
    """
    ros1 = storage == 'ros1'
    types = get_typestore(Stores.ROS1_NOETIC if ros1 else Stores.ROS2_JAZZY)
    image_type = types.types['sensor_msgs/msg/Image']
    header_type, time_type = (
        types.types['std_msgs/msg/Header'],
        types.types['builtin_interfaces/msg/Time'],
    )
    text_type = types.types['std_msgs/msg/String']
    serialize = types.serialize_ros1 if ros1 else types.serialize_cdr
    if ros1:
        writer = Writer1(path)
    else:
        plugin = StoragePlugin.MCAP if storage == 'mcap' else StoragePlugin.SQLITE3
        writer = Writer2(path, version=9, storage_plugin=plugin)
    with writer:
        if ros1:
            note = writer.add_connection(
                '/note', text_type.__msgtype__, typestore=types, latching=1
            )
        else:
            latched = latched_qos()
            note = writer.add_connection(
                '/note', text_type.__msgtype__, typestore=types, offered_qos_profiles=[latched]
            )
        camera = writer.add_connection(topic, image_type.__msgtype__, typestore=types)
        writer.write(note, START, serialize(text_type('hello'), text_type.__msgtype__))
        for index in range(images):
            stamp = START + round(index * 1e9 / rate)
            header = {'stamp': time_type(*divmod(stamp, 1_000_000_000)), 'frame_id': 'optical'}
            if ros1:
                header['seq'] = index
            image = image_type(
                header=header_type(**header),
                height=height,
                width=width,
                encoding='rgb8',
                is_bigendian=0,
                step=width * 3,
                data=scene(index, width=width, height=height).reshape(-1),
            )
            writer.write(camera, stamp, serialize(image, image_type.__msgtype__))
    return path


def latched_qos() -> Qos:
    """Transient local, as map and description topics are published."""
    zero = QosTime(0, 0)
    return Qos(
        QosHistory.KEEP_LAST,
        1,
        QosReliability.RELIABLE,
        QosDurability.TRANSIENT_LOCAL,
        zero,
        zero,
        QosLiveliness.AUTOMATIC,
        zero,
        False,
    )
