# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The types of recorded messages that hold images, and when and where each was taken.

Knows the definitions that ROS 2's own packages lack; knows nothing of pixels or files.
"""

from __future__ import annotations

from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from vlmaxxing_ros.ros.video_stream import PACKET

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
FOXGLOVE = ('foxglove_msgs/msg/CompressedImage', 'foxglove_msgs/msg/CompressedVideo')
IMAGES = (IMAGE, COMPRESSED, PACKET, *FOXGLOVE)

_PACKET = """\
std_msgs/Header header
int32 width
int32 height
string encoding
uint64 pts
uint8 flags
bool is_bigendian
uint8[] data
"""
_FOXGLOVE = """\
builtin_interfaces/Time timestamp
string frame_id
uint8[] data
string format
"""


def image_types() -> Typestore:
    """ROS 2's types, and these."""
    types = get_typestore(Stores.ROS2_JAZZY)
    for kind, definition in ((PACKET, _PACKET), *((kind, _FOXGLOVE) for kind in FOXGLOVE)):
        types.register(get_types_from_msg(definition, kind))
    return types


def taken(message: Any) -> tuple[int, str]:
    """A message's stamp in ns, and its frame id."""
    header = getattr(message, 'header', None)
    stamp = header.stamp if header else message.timestamp
    return int(stamp.sec * 10**9 + stamp.nanosec), (header or message).frame_id
