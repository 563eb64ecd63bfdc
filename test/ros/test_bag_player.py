# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the player makes of the types that a recording names; it plays in test/integration."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from sensor_msgs.msg import Image

from vlmaxxing_ros.ros.bag_player import message_type
from vlmaxxing_ros.ros.recording import Topic


def test_a_type_is_found_where_its_package_is_installed() -> None:
    assert message_type(Topic('/a', 'sensor_msgs/msg/Image', False)) is Image


@pytest.mark.parametrize(
    'kind',
    ['', '/msg/', 'Image', '/msg/Image', 'sensor_msgs/msg/', 'sensor_msgs/msg/None', 'gone/msg/It',
     'os.path/msg/join', '../sensor_msgs/msg/Image', 'sensor_msgs/srv/SetCameraInfo'],
)  # fmt: skip
def test_whatever_else_a_file_names_is_left_out(kind: str) -> None:
    assert message_type(Topic('/a', kind, False)) is None
