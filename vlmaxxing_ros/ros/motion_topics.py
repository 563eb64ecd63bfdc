# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The topics that tell how the cameras turn: `<camera>/twist` and `<camera>/camera_info`.

Both are optional.  Subscribed while the node is active, as the images are.  Knows messages; knows
nothing of what a twist does to an image.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from geometry_msgs.msg import TwistStamped
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo

from vlmaxxing_ros.ros.camera_motion import CameraMotion
from vlmaxxing_ros.ros.messages import to_lens, to_twist
from vlmaxxing_ros.ros.sensor_topics import subscribe

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.seeing.frame import Frame


class MotionTopics:
    """The subscriptions of a node, and the velocities that they give.

    Args:
        node: that subscribes.
        cameras: names.
    """

    def __init__(self, node: Node, cameras: Iterable[str]) -> None:
        self._node = node
        self._cameras = tuple(cameras)
        self._motions: dict[str, CameraMotion] = {}
        self._subscriptions: list[Subscription] = []

    def subscribe(self) -> None:
        """Begin to take messages; those of the time before are forgotten."""
        for name in self._cameras:
            motion = CameraMotion(name, self._node.get_logger().warning)
            self._motions[name] = motion
            for kind, topic, take in (
                (TwistStamped, 'twist', _take_twist),
                (CameraInfo, 'camera_info', _take_lens),
            ):
                self._subscriptions.append(
                    subscribe(self._node, kind, f'{name}/{topic}', partial(take, motion))
                )

    def unsubscribe(self) -> None:
        """Take no more messages."""
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop())

    def velocity(self, camera: str, frame: Frame) -> tuple[float, float] | None:
        """As `CameraMotion.velocity`; from any thread."""
        motion = self._motions.get(camera)
        return motion.velocity(frame) if motion else None


def _take_twist(motion: CameraMotion, message: TwistStamped) -> None:
    motion.take(to_twist(message))


def _take_lens(motion: CameraMotion, message: CameraInfo) -> None:
    motion.lens = to_lens(message)
