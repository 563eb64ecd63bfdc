# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""From a recording to answers: `python examples/bag_answers.py BAG 'What colors are the blocks?'`.

Shows the running node every image of a topic, one after the other at the node's own pace, asks
once per period of the recording's time, and prints each answer as a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.client import Client
from vlmaxxing_ros.ros.recording import Recording

PATIENCE = 20  # times a second: an image may be lost before the node has found its publisher


class Show:
    """Publishes a camera's images, each when the one before has been seen."""

    def __init__(self, node: Node, client: Client, camera: str) -> None:
        self._seen: SimpleQueue[FreshBudget] = SimpleQueue()
        self._publisher = node.create_publisher(Image, f'/{camera}/image', QoSProfile(depth=5))
        client.on_budget(self._seen.put)

    def __call__(self, data: bytes) -> None:
        """Show an image, as it was recorded.

        Raises:
            TimeoutError: the node does not see it.
        """
        stamp = deserialize_message(data, Image).header.stamp
        for _ in range(PATIENCE):
            self._publisher.publish(data)
            with suppress(Empty):
                while self._seen.get(timeout=1.0).header.stamp != stamp:
                    pass
                return
        raise TimeoutError('the node sees no images: is it active, with this camera?')


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('bag', type=Path, help='a rosbag2 folder, a .mcap or .db3 file, a .bag')
    parser.add_argument('question')
    parser.add_argument('--choices', nargs='+', default=[], help='the answer is one of these')
    parser.add_argument('--topic', default='/camera/image', help='of sensor_msgs/Image')
    parser.add_argument('--camera', default='camera', help='name of the camera in the node')
    parser.add_argument('--every', type=float, default=1.0, help='seconds of the recording')
    options = parser.parse_args()
    rclpy.init()
    node = Node('bag_answers')
    with Client() as client, Recording(options.bag, [options.topic]) as recording:
        show = Show(node, client, options.camera)
        if not client.wait(30.0):
            print('there is no /vlmaxxing', file=sys.stderr)
            return 1
        first = due = None
        for stamp, _, data in recording.messages():
            show(data)
            first = stamp if first is None else first
            due = stamp if due is None else due
            if stamp < due:
                continue
            due += round(options.every * 1e9)
            answer = client.query(options.question, choices=options.choices)
            line = {'at': round((stamp - first) * 1e-9, 3), 'answer': answer.answer}
            if answer.status != Answer.OK:
                line['failed'] = answer.status_text
            print(json.dumps(line), flush=True)
    node.destroy_node()
    rclpy.shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
