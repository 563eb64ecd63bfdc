# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The cameras' image topics: subscribed while the node is active, and what may be wrong with them.

rclpy's lifecycle holds back publishers only, so that subscriptions come and go here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from vlmaxxing_ros.ros.camera import Arrival
from vlmaxxing_ros.ros.dds import VARIABLES, profile
from vlmaxxing_ros.ros.images import compressed_to_rgb, to_rgb
from vlmaxxing_ros.ros.messages import to_ns
from vlmaxxing_ros.ros.sensor_topics import subscribe
from vlmaxxing_ros.ros.settings import CameraConfig

PATIENCE = 3.0  # s without an image before something is said about it
_TYPES = {'raw': Image, 'compressed': CompressedImage}
_TYPE_NAMES = {'raw': 'sensor_msgs/msg/Image', 'compressed': 'sensor_msgs/msg/CompressedImage'}


class ImageTopics:
    """The image subscriptions of a node.

    Args:
        node: that subscribes.
        cameras: settings of each camera by name.
        offer: given each image with its camera's name; must return at once.
    """

    def __init__(
        self,
        node: Node,
        cameras: dict[str, CameraConfig],
        offer: Callable[[str, Arrival], None],
    ) -> None:
        self._node = node
        self._cameras = cameras
        self._offer = offer
        self._subscriptions: dict[str, Subscription] = {}
        self._last: dict[str, float] = {}  # s of time.monotonic

    def converters(self) -> dict[str, Callable[[Any], np.ndarray]]:
        """What turns each camera's messages into RGB arrays."""
        return {
            name: partial(
                to_rgb if config.transport == 'raw' else compressed_to_rgb,
                scaling=config.scaling(),
            )
            for name, config in self._cameras.items()
        }

    def subscribe(self) -> None:
        """Begin to take images."""
        for name, config in self._cameras.items():
            self._last[name] = time.monotonic()
            self._subscriptions[name] = subscribe(
                self._node,
                _TYPES[config.transport],
                f'{name}/image',
                partial(self._take, name),
            )

    @property
    def names(self) -> list[str]:
        """Full names of the topics, as remapped, while subscribed."""
        return [subscription.topic_name for subscription in self._subscriptions.values()]

    def unsubscribe(self) -> None:
        """Take no more images."""
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.popitem()[1])

    def _take(self, camera: str, message: Any) -> None:
        self._last[camera] = time.monotonic()
        header = message.header
        self._offer(camera, Arrival(message, to_ns(header.stamp), header.frame_id))

    def hint(self, camera: str) -> str:
        """Why no images come, as far as can be told from here; empty if they do come."""
        subscription = self._subscriptions.get(camera)
        silence = time.monotonic() - self._last.get(camera, 0.0)
        if subscription is None or silence < PATIENCE:
            return ''
        topic, transport = subscription.topic_name, self._cameras[camera].transport
        publishers = self._node.get_publishers_info_by_topic(topic)
        silent = f'no image on {topic} for {silence:.0f} s'
        if not publishers:
            ours = self._node.get_fully_qualified_name() + '/'
            others = [
                name
                for name, types in self._node.get_topic_names_and_types()
                if _TYPE_NAMES[transport] in types and not name.startswith((topic, ours))
            ]
            there = f'images are on {", ".join(others)}' if others else 'no other topic has images'
            return f'{silent}: nobody publishes there; {there}; remap {camera}/image'
        if all(publisher.topic_type != _TYPE_NAMES[transport] for publisher in publishers):
            return (
                f'{silent}: {publishers[0].topic_type} is published there, '
                f'{_TYPE_NAMES[transport]} is expected; set {camera}.transport'
            )
        if subscription.qos_profile.reliability == ReliabilityPolicy.RELIABLE and all(
            publisher.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
            for publisher in publishers
        ):
            return f'{silent}: the publisher is best effort, our QoS override asks for reliable'
        return (
            f'{silent}, though it has a publisher.  Is the camera running?  Fast DDS loses raw '
            f'images above 0.5 MB unless the publisher is started with '
            f'{VARIABLES[0]}={profile() or "config/fastdds_shm.xml"} '
            f'({VARIABLES[1]} on Kilted); or use compressed images'
        )
