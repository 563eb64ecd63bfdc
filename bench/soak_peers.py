# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Who surrounds the node in `bench.soak`: a camera or an asker, as a process that may be killed.

`python -m bench.soak_peers camera NAME` publishes a scene in which something moves at 30 Hz.
`python -m bench.soak_peers asker NUMBER` asks without a pause, but for some seconds of each minute,
and prints what became of each question, a JSON object per line.
"""

from __future__ import annotations

import array
import json
import random
import sys
import time

import numpy as np
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from vlmaxxing_ros.client import Client
from vlmaxxing_ros.ros.dds import use_profile

WIDTH, HEIGHT, RATE = 640, 480, 30.0
BUSY, ROUND = 35.0, 60.0
"""Seconds of each round in which askers ask: audits come after questions."""
LATE = 20.0
"""Seconds behind its deadline after which a question counts as lost."""
_SCHEMA = '{"type": "object", "properties": {"seen": {"type": "boolean"}}, "required": ["seen"]}'
_KINDS = (
    {},
    {'choices': ['yes', 'no']},
    {'json_schema': _SCHEMA},
    {'max_evidence_age': float('inf')},
    {'max_evidence_age': 0.5},
    {'json_schema': '[1, 2]'},
)


def is_busy() -> bool:
    """Whether askers ask just now; every process knows by the clock."""
    return time.time() % ROUND < BUSY


def scene(number: int) -> np.ndarray:
    """uint8 [480, 640, 3]: a bright square crosses a quiet ground, and stands still for a while."""
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    image[:, ::40] = 120
    left = 8 * min(number % 150, 70)
    image[180:260, left : left + 80] = (220, 40 + number // 150 % 150, 30)
    return image


def camera(name: str) -> None:
    """Publish until it is ended."""
    rclpy.init()
    node = rclpy.create_node(f'soak_{name}')
    publisher = node.create_publisher(Image, f'/{name}/image', qos_profile_sensor_data)
    start, number = time.monotonic(), 0
    while rclpy.ok():
        message = Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=WIDTH * 3)
        message.header.stamp = node.get_clock().now().to_msg()
        message.data = array.array('B', scene(number).tobytes())
        publisher.publish(message)
        number += 1
        time.sleep(max(0.0, start + number / RATE - time.monotonic()))


def asker(number: int) -> None:
    """Ask until it is ended."""
    dice = random.Random(number)
    with Client() as client:
        if not client.wait(60.0):
            raise SystemExit('there is no node to ask')
        time.sleep(1.0)  # each side discovers the other by itself
        while True:
            while not is_busy():
                time.sleep(0.1)
            fields = {'max_tokens': 8, 'deadline': dice.choice([0.3, 2.0, 10.0])}
            fields |= {'camera': dice.choice(['front', 'back']), **dice.choice(_KINDS)}
            how = client.ask if dice.random() < 0.3 else client.query
            start = time.monotonic()
            try:
                status = how(
                    'Is anything moving?', timeout=fields['deadline'] + LATE, **fields
                ).status
            except TimeoutError:
                status = -1
            late = time.monotonic() - start - fields['deadline']
            print(json.dumps({'status': status, 'late': late, 'how': how.__name__}), flush=True)


if __name__ == '__main__':
    use_profile()
    if sys.argv[1] == 'camera':
        camera(sys.argv[2])
    else:
        asker(int(sys.argv[2]))
