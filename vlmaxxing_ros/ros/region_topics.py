# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The topics that tell what must never wait: `<camera>/regions`, and the parameter `protect`.

The topic is optional.  Subscribed while the node is active, as the images are.  Knows messages and
fractions; knows nothing of what being protected means.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import RegionOfInterest

from vlmaxxing_ros.engine.seeing.region import Region
from vlmaxxing_ros.ros.messages import to_rectangle
from vlmaxxing_ros.ros.protection import Protection
from vlmaxxing_ros.ros.sensor_topics import subscribe
from vlmaxxing_ros.ros.settings import CameraConfig


class RegionTopics:
    """The subscriptions of a node, and the regions that they give.

    Args:
        node: that subscribes.
        cameras: settings of each camera by name.
    """

    def __init__(self, node: Node, cameras: Mapping[str, CameraConfig]) -> None:
        self._node = node
        self._cameras = cameras
        self._protections: dict[str, Protection] = {}
        self._subscriptions: list[Subscription] = []

    def subscribe(self) -> None:
        """Begin to take messages; those of the time before are forgotten."""
        for name, config in self._cameras.items():
            protection = Protection(name, config.regions(), self._node.get_logger().warning)
            self._protections[name] = protection
            take = partial(_take, protection)
            self._subscriptions.append(
                subscribe(self._node, RegionOfInterest, f'{name}/regions', take)
            )

    def unsubscribe(self) -> None:
        """Take no more messages."""
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop())

    def regions(self, camera: str, height: int, width: int) -> tuple[Region, ...]:
        """As `Protection.regions`; from any thread."""
        protection = self._protections.get(camera)
        return protection.regions(height, width) if protection else ()


def _take(protection: Protection, message: RegionOfInterest) -> None:
    protection.take(to_rectangle(message))
