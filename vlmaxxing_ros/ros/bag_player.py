# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Play a recording into ROS 2, for machines without `ros2 bag`.

Messages go out as the bytes that were recorded, header stamps included; nothing is decoded.
Topics are remapped the ROS way: `bag_player BAG --ros-args -r /cam0/image_raw:=/camera/image`.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path
from typing import Any

from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy
from rclpy.time import Time
from rclpy.utilities import remove_ros_args
from rosgraph_msgs.msg import Clock

from vlmaxxing_ros.ros.playing import (
    add_options,
    drain,
    parse,
    quality,
    run,
    sleep_until,
    wait_for_subscribers,
)
from vlmaxxing_ros.ros.recording import BagError, Recording, Topic
from vlmaxxing_ros.ros.storage.base import reason


def options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line, ROS arguments already removed."""
    parser = argparse.ArgumentParser(
        prog='bag_player',
        description='Play a recording into ROS 2.  Stamps stay as recorded: with --loop they go '
        'back at each start.',
    )
    parser.add_argument('bag', type=Path, help='a rosbag2 folder, a .mcap or .db3 file, a .bag')
    add_options(parser)
    parser.add_argument('--topics', nargs='+', default=(), help='only these (default: all)')
    parser.add_argument(
        '--clock',
        action='store_true',
        help='publish the time of recording on /clock before each message, for use_sim_time',
    )
    return parse(parser, arguments)


class BagPlayer:
    """Publishes a recording's messages at their pace."""

    def __init__(self, node: Node, recording: Recording, *, qos: str, clock: bool) -> None:
        self._recording = recording
        self.publishers: dict[str, Publisher] = {}
        for topic in recording.topics.values():
            kind = message_type(topic)
            if kind is None:
                node.get_logger().warning(
                    f'{topic.name}: {topic.type or "no type"} is not installed, left out'
                )
                continue
            profile = quality(qos)
            if topic.latched:
                profile.durability = DurabilityPolicy.TRANSIENT_LOCAL
            try:
                self.publishers[topic.name] = node.create_publisher(kind, topic.name, profile)
            except InvalidTopicNameException as error:  # ROS 1 allowed more
                node.get_logger().warning(f'{topic.name!r} is left out: {reason(error)}')
        self._clock = node.create_publisher(Clock, '/clock', 10) if clock else None

    def play(self, rate: float) -> int:
        """Publish every message once; returns how many they were."""
        if not self.publishers:
            return 0
        count = 0
        first: int | None = None
        began = time.monotonic()
        for stamp, topic, data in self._recording.messages(self.publishers):
            if first is None:
                first = stamp
            sleep_until(began + (stamp - first) * 1e-9 / rate)
            if self._clock is not None:
                self._clock.publish(Clock(clock=Time(nanoseconds=stamp).to_msg()))
            self.publishers[topic].publish(data)
            count += 1
        return count


def message_type(topic: Topic) -> Any | None:
    """The message class of a topic, None where its package is not installed."""
    package, _, name = topic.type.partition('/msg/')
    if not (package.isidentifier() and name.isidentifier()):  # whatever a file says
        return None
    try:
        return getattr(importlib.import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError):
        return None


def main() -> int:
    """Play until the end or until interrupted; 0 on both, 1 for a recording not to be read."""
    chosen = options(remove_ros_args(sys.argv)[1:])

    def play(node: Node) -> None:
        log = node.get_logger()
        with Recording(chosen.bag, tuple(chosen.topics), remark=log.warning) as recording:
            player = BagPlayer(node, recording, qos=chosen.qos, clock=chosen.clock)
            publishers = player.publishers.values()
            wait_for_subscribers(node, publishers, chosen.wait_for_subscribers)
            times = 0
            while times < chosen.loop or chosen.loop == 0:
                times += 1
                log.info(f'playing {chosen.bag}')
                count = player.play(chosen.rate)
                log.info(f'played {count} messages')
                if not count:
                    raise BagError(f'{chosen.bag} holds no messages that can be played')
            drain(publishers)

    return run('bag_player', play, BagError)


if __name__ == '__main__':
    sys.exit(main())
