# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A subscriber that does nothing but note when each image came: the floor for the node.

`python -m bench.idle_subscriber TOPIC FILE` runs until it is told to end, then writes
{stamp in ns: CLOCK_MONOTONIC in ns at the callback} to FILE.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from vlmaxxing_ros.ros.dds import use_profile


def main() -> None:
    """Listen until SIGTERM."""
    topic, file = sys.argv[1:]
    came: dict[int, int] = {}

    def note(image: Image) -> None:
        came[image.header.stamp.sec * 10**9 + image.header.stamp.nanosec] = time.monotonic_ns()

    ended = []
    use_profile()
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    node = Node('idle_subscriber')
    node.create_subscription(Image, topic, note, qos_profile_sensor_data)
    while not ended:
        rclpy.spin_once(node, timeout_sec=0.1)
    Path(file).write_text(json.dumps(came))
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
