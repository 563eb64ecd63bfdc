# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the players share: options, publishers that suit them, subscribers to wait for, an end.

Knows nothing of recordings and videos.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Collection
from types import FrameType

import rclpy
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy

from vlmaxxing_ros.ros.starting import ArgumentsError, start_ros

MATCHING = 0.5
"""Seconds between a publisher's and its last subscriber's knowing of each other, at most."""


class Interrupted(Exception):
    """SIGINT or SIGTERM arrived: stop playing and clean up."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what both players take."""
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
        help='play so many times; without a number for ever',
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


def parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """Read the command line, ROS arguments already removed."""
    chosen = parser.parse_args(arguments)
    if not chosen.rate > 0.0:
        parser.error(f'--rate must be above 0, not {chosen.rate}')
    if chosen.loop < 0:
        parser.error(f'--loop must be 0 (for ever) or more, not {chosen.loop}')
    return chosen


def quality(qos: str) -> QoSProfile:
    """The QoS that `--qos` names."""
    reliable = qos == 'reliable'
    return QoSProfile(
        depth=10,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
    )


def wait_for_subscribers(node: Node, publishers: Collection[Publisher], count: int) -> None:
    """Wait until the topics have `count` subscribers together."""
    said = time.monotonic()
    while sum(p.get_subscription_count() for p in publishers) < count:
        time.sleep(0.02)
        if time.monotonic() - said > 5.0:
            said = time.monotonic()
            names = ', '.join(p.topic_name for p in publishers)
            node.get_logger().info(f'waiting for {count} subscribers of {names}')
    if count:
        # Best-effort messages that a subscriber does not expect yet are lost.
        time.sleep(MATCHING)


def drain(publishers: Collection[Publisher]) -> None:
    """Give the last messages time to arrive before the publishers go."""
    for publisher in publishers:
        publisher.wait_for_all_acked(Duration(seconds=2.0))
    time.sleep(0.2)  # best-effort readers copy out of our shared memory


def sleep_until(moment: float) -> None:
    """Sleep until a moment of time.monotonic, if it is yet to come."""
    left = moment - time.monotonic()
    if left > 0.0:
        time.sleep(left)


def run(name: str, play: Callable[[Node], None], refused: type[Exception]) -> int:
    """Play with a node of this name, until the end or until interrupted; the exit status.

    Args:
        name: of the node.
        play: does it.
        refused: what `play` raises if it cannot.
    """
    try:
        start_ros()
    except ArgumentsError as error:
        print(f'{name}: {error}', file=sys.stderr)
        return 1
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    node = Node(name)
    status = 0
    try:
        play(node)
    except refused as error:
        node.get_logger().error(str(error))
        status = 1
    except Interrupted:
        node.get_logger().info('interrupted')
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        node.destroy_node()
        rclpy.try_shutdown()
    return status


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted
