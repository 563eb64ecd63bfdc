# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The cameras' image topics: subscribed while the node is active, and what may be wrong with them.

rclpy's lifecycle holds back publishers only, so that subscriptions come and go here.  Video is
decoded as it arrives: of its packets none may be left out, of images all but the newest.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image

from vlmaxxing_ros.ros.bridge import Bridge, Choice
from vlmaxxing_ros.ros.camera import Arrival
from vlmaxxing_ros.ros.dds import VARIABLES, profile
from vlmaxxing_ros.ros.images import ImageError, Scaling, compressed_to_rgb, to_rgb
from vlmaxxing_ros.ros.messages import to_ns
from vlmaxxing_ros.ros.sensor_topics import subscribe
from vlmaxxing_ros.ros.settings import CameraConfig
from vlmaxxing_ros.ros.standing_clock import StandingClock
from vlmaxxing_ros.ros.video_stream import PACKET, Picture, VideoStream, to_packet

PATIENCE = 3.0  # s without an image before something is said about it
_TYPES = {
    'raw': 'sensor_msgs/msg/Image',
    'compressed': 'sensor_msgs/msg/CompressedImage',
    'compressedDepth': 'sensor_msgs/msg/CompressedImage',
    'ffmpeg': PACKET,
}


class ImageTopics:
    """The image subscriptions of a node.

    Args:
        node: that subscribes.
        cameras: settings of each camera by name.
        offer: given each image with its camera's name; must return at once.
        max_pixels: that a compressed image, or one of a video, may claim to have.
    """

    def __init__(
        self,
        node: Node,
        cameras: dict[str, CameraConfig],
        offer: Callable[[str, Arrival], None],
        max_pixels: int,
    ) -> None:
        self._node = node
        self._cameras = cameras
        self._offer = offer
        self._max_pixels = max_pixels
        self._choice = Choice()
        self._clock = StandingClock(lambda: node.get_clock().now().nanoseconds, PATIENCE)
        self._subscriptions: dict[str, Subscription] = {}
        self._streams: dict[str, VideoStream] = {}
        self._last: dict[str, float] = {}  # s of time.monotonic

    @property
    def bridge(self) -> Bridge:
        """What converts images; the first call may take a second."""
        return self._choice.made()

    @property
    def conversion(self) -> str:
        """What converts images, in words."""
        return str(self._choice)

    def converters(self) -> dict[str, Callable[[Any], np.ndarray]]:
        """What turns each camera's messages into RGB arrays."""
        return {
            name: partial(self._to_rgb, config.scaling()) for name, config in self._cameras.items()
        }

    def subscribe(self) -> None:
        """Begin to take images.

        Raises:
            RuntimeError: the messages of a transport are not installed.
        """
        self._node.get_logger().info(f'images are converted by {self.bridge}')
        for name, config in self._cameras.items():
            self._last[name] = time.monotonic()
            self._streams[name] = VideoStream(self._max_pixels)
            self._subscriptions[name] = subscribe(
                self._node,
                _message_type(config.transport),
                config.topic(name),
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
        arrival = Arrival(message, to_ns(header.stamp), header.frame_id)
        packet = None if isinstance(message, Image) else to_packet(message, arrival.stamp)
        if packet is None:
            self._offer(camera, arrival)
            return
        try:
            for picture in self._streams[camera].decode(packet):
                self._offer(camera, Arrival(picture, picture.stamp, header.frame_id))
        except ImageError as error:
            self._offer(camera, Arrival(error, arrival.stamp, header.frame_id))

    def _to_rgb(self, scaling: Scaling, message: Any) -> np.ndarray:
        """An image as it was offered: a message, a decoded picture, or why there is none."""
        if isinstance(message, ImageError):
            raise message
        if isinstance(message, Picture):
            return message.to_rgb()
        if isinstance(message, Image):
            return to_rgb(message, scaling, self.bridge.to_rgb)
        return compressed_to_rgb(message, scaling, self.bridge.to_rgb, self._max_pixels)

    def _mixed(self, topic: str) -> str:
        """What is to be said about a topic that carries several cameras' images; or nothing."""
        publishers = self._node.count_publishers(topic)
        if publishers < 2:
            return ''
        return (
            f'{publishers} publishers on {topic}: two cameras in one stream restart its session '
            'again and again; give each a topic and a name in `cameras` of its own (one that was '
            'killed counts until its lease ends, after 10 to 20 s)'
        )

    def hint(self, camera: str) -> str:
        """Why no images come, as far as can be told from here, or several cameras' do; or empty."""
        if standing := self._clock.hint():
            return standing
        subscription = self._subscriptions.get(camera)
        silence = time.monotonic() - self._last.get(camera, 0.0)
        if subscription is None:
            return ''
        if silence < PATIENCE:
            return self._mixed(subscription.topic_name)
        topic, transport = subscription.topic_name, self._cameras[camera].transport
        publishers = self._node.get_publishers_info_by_topic(topic)
        silent = f'no image on {topic} for {silence:.0f} s'
        expected = _TYPES[transport]
        ours = self._node.get_fully_qualified_name() + '/'
        others = [
            name
            for name, types in self._node.get_topic_names_and_types()
            if expected in types and name != topic and not name.startswith(ours)
        ]
        below = [name for name in others if name.startswith(f'{topic}/')]
        how = f'remap {camera}/image to it, or set {camera}.base_topic to {topic}'
        if not publishers:
            there = f'images are on {", ".join(others)}' if others else 'no other topic has images'
            to_do = how if below else f'remap {camera}/image'
            return f'{silent}: nobody publishes there; {there}; {to_do}'
        if all(publisher.topic_type != expected for publisher in publishers):
            kind = publishers[0].topic_type
            if below:
                return (
                    f'{silent}: {kind} is published there; the {transport} images are on '
                    f'{", ".join(below)}: {how}'
                )
            return (
                f'{silent}: {kind} is published there, {expected} is expected; set '
                f'{camera}.transport'
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


def _message_type(transport: str) -> type:
    package, _, name = _TYPES[transport].split('/')
    try:
        kind: type = getattr(importlib.import_module(f'{package}.msg'), name)
    except ImportError as error:
        raise RuntimeError(
            f'transport {transport} needs {package}: apt install '
            f'ros-$ROS_DISTRO-{package.replace("_", "-")}'
        ) from error
    return kind
