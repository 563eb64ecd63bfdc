# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A subscriber that does nothing but say that an image came: what the node is measured against.

`python -m bench.idle_subscriber` hears `camera/image` as the node does, and publishes an empty
budget with the image's header beside the node's own, as camera `idle`, until SIGTERM.
"""

from __future__ import annotations

import signal

import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from vlmaxxing_msgs.msg import FreshBudget
from vlmaxxing_ros.ros.dds import use_profile


def main() -> None:
    """Listen until SIGTERM."""
    ended = []
    use_profile()
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    node = Node('idle')
    publisher = node.create_publisher(FreshBudget, 'vlmaxxing/fresh_budget', 50)

    def say(image: Image) -> None:
        publisher.publish(FreshBudget(header=image.header, camera='idle'))

    node.create_subscription(Image, 'camera/image', say, qos_profile_sensor_data)
    while not ended:
        rclpy.spin_once(node, timeout_sec=0.1)
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
