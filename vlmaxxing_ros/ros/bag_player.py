# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Play a recording into ROS 2, for machines without `ros2 bag`.

Messages go out as the bytes that were recorded, header stamps included; nothing is decoded.
Topics are remapped the ROS way: `bag_player BAG --ros-args -r /cam0/image_raw:=/camera/image`.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import rclpy
from rclpy.duration import Duration
from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from rclpy.utilities import remove_ros_args
from rosgraph_msgs.msg import Clock

from vlmaxxing_ros.ros.recording import BagError, Recording, Topic
from vlmaxxing_ros.ros.starting import ArgumentsError, start_ros
from vlmaxxing_ros.ros.storage.base import reason

MATCHING = 0.5
"""Seconds between a publisher's and its last subscriber's knowing of each other, at most."""


class Interrupted(Exception):
    """SIGINT or SIGTERM arrived: stop playing and clean up."""


def options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line, ROS arguments already removed."""
    parser = argparse.ArgumentParser(prog='bag_player', description='Play a recording into ROS 2.')
    parser.add_argument(
        'bag', type=Path, help='a rosbag2 folder, a .mcap or .db3 file or a ROS 1 .bag'
    )
    parser.add_argument(
        '--rate', type=float, default=1.0, help='pace relative to the recording (default: 1)'
    )
    parser.add_argument(
        '--loop',
        type=int,
        nargs='?',
        const=0,
        default=1,
        metavar='TIMES',
        help='play so many times; without a number for ever.  Stamps stay as recorded: they go '
        'back at each start',
    )
    parser.add_argument('--topics', nargs='+', default=(), help='only these (default: all)')
    parser.add_argument(
        '--clock',
        action='store_true',
        help='publish the time of recording on /clock before each message, for use_sim_time',
    )
    parser.add_argument(
        '--qos',
        choices=('reliable', 'sensor'),
        default='reliable',
        help='reliable (default) suits every subscriber; sensor is best effort, like a camera',
    )
    parser.add_argument(
        '--wait-for-subscribers',
        type=int,
        default=0,
        metavar='N',
        help='begin when the topics have N subscribers, all of them together (default: 0)',
    )
    chosen = parser.parse_args(arguments)
    if not chosen.rate > 0.0:
        parser.error(f'--rate must be above 0, not {chosen.rate}')
    if chosen.loop < 0:
        parser.error(f'--loop must be 0 (for ever) or more, not {chosen.loop}')
    return chosen


class Player:
    """Publishes a recording's messages at their pace."""

    def __init__(self, node: Node, recording: Recording, *, qos: str, clock: bool) -> None:
        self._node = node
        self._recording = recording
        reliability = (
            ReliabilityPolicy.RELIABLE if qos == 'reliable' else ReliabilityPolicy.BEST_EFFORT
        )
        self._publishers: dict[str, Publisher] = {}
        for topic in recording.topics.values():
            kind = message_type(topic)
            if kind is None:
                node.get_logger().warning(f'{topic.name}: {topic.type} is not installed, left out')
                continue
            profile = QoSProfile(depth=10, reliability=reliability)
            if topic.latched:
                profile.durability = DurabilityPolicy.TRANSIENT_LOCAL
            try:
                self._publishers[topic.name] = node.create_publisher(kind, topic.name, profile)
            except InvalidTopicNameException as error:  # ROS 1 allowed more
                node.get_logger().warning(f'{topic.name!r} is left out: {reason(error)}')
        self._clock = node.create_publisher(Clock, '/clock', 10) if clock else None

    def wait_for_subscribers(self, count: int) -> None:
        """Wait until the topics have `count` subscribers together."""
        said = time.monotonic()
        while sum(p.get_subscription_count() for p in self._publishers.values()) < count:
            time.sleep(0.02)
            if time.monotonic() - said > 5.0:
                said = time.monotonic()
                names = ', '.join(p.topic_name for p in self._publishers.values())
                self._node.get_logger().info(f'waiting for {count} subscribers of {names}')
        if count:
            # Best-effort messages that a subscriber does not expect yet are lost.
            time.sleep(MATCHING)

    def play(self, rate: float) -> int:
        """Publish every message once; returns how many they were."""
        count = 0
        first: int | None = None
        began = time.monotonic()
        for stamp, topic, data in self._recording.messages(self._publishers):
            publisher = self._publishers[topic]
            if first is None:
                first = stamp
            left = began + (stamp - first) * 1e-9 / rate - time.monotonic()
            if left > 0.0:
                time.sleep(left)
            if self._clock is not None:
                self._clock.publish(Clock(clock=Time(nanoseconds=stamp).to_msg()))
            publisher.publish(data)
            count += 1
        return count

    def drain(self) -> None:
        """Give the last messages time to arrive before the publishers go."""
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=2.0))
        time.sleep(0.2)  # best-effort readers copy out of our shared memory


def message_type(topic: Topic) -> Any | None:
    """The message class of a topic, None where its package is not installed."""
    package, _, name = topic.type.partition('/msg/')
    try:
        return getattr(importlib.import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError):
        return None


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted


def main() -> int:
    """Play until the end or until interrupted; 0 on both, 1 for a recording not to be read."""
    chosen = options(remove_ros_args(sys.argv)[1:])
    try:
        start_ros()
    except ArgumentsError as error:
        print(f'bag_player: {error}', file=sys.stderr)
        return 1
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    node = Node('bag_player')
    log = node.get_logger()
    status = 0
    try:
        with Recording(chosen.bag, tuple(chosen.topics), remark=log.warning) as recording:
            player = Player(node, recording, qos=chosen.qos, clock=chosen.clock)
            player.wait_for_subscribers(chosen.wait_for_subscribers)
            times = 0
            while times < chosen.loop or chosen.loop == 0:
                times += 1
                log.info(f'playing {chosen.bag}')
                count = player.play(chosen.rate)
                log.info(f'played {count} messages')
                if not count:
                    raise BagError(f'{chosen.bag} holds no messages that can be played')
            player.drain()
    except BagError as error:
        log.error(str(error))
        status = 1
    except Interrupted:
        log.info('interrupted')
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        node.destroy_node()
        rclpy.try_shutdown()
    return status


if __name__ == '__main__':
    sys.exit(main())
