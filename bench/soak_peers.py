# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Who surrounds the node in `bench.soak`: a camera or an asker, as a process that may be killed.

`python -m bench.soak_peers camera NAME [compressed]` publishes a scene in which something moves at
30 Hz.  `python -m bench.soak_peers asker NUMBER HASTE` asks without a pause, but for some seconds
of each round, and prints what became of each question, a JSON object per line.
"""

from __future__ import annotations

import array
import json
import random
import signal
import sys
import threading
import time

import cv2
import numpy as np
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from vlmaxxing_ros.client import Client
from vlmaxxing_ros.ros.dds import use_profile

WIDTH, HEIGHT, RATE = 640, 480, 30.0
BUSY, ROUND = 35.0, 60.0
"""Seconds of each round in which askers ask: audits come after questions."""
LATE = 20.0
"""Seconds behind its deadline after which a question counts as lost."""
LONGEST = 10.0
"""Seconds of the latest deadline."""
_SCHEMA = '{"type": "object", "properties": {"seen": {"type": "boolean"}}, "required": ["seen"]}'
_KINDS = (
    {},
    {'choices': ['yes', 'no']},
    {'json_schema': _SCHEMA},
    {'max_evidence_age': float('inf')},
    {'max_evidence_age': 0.5},
    {'json_schema': '[1, 2]'},
)


def is_busy(haste: float) -> bool:
    """Whether askers ask just now; every process knows by the clock.

    `haste` is how many times as fast as usual everything happens.
    """
    return time.time() * haste % ROUND < BUSY


def scene(number: int) -> np.ndarray:
    """uint8 [480, 640, 3]: a bright square crosses a quiet ground, and stands still for a while."""
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    image[:, ::40] = 120
    left = 8 * min(number % 150, 70)
    image[180:260, left : left + 80] = (220, 40 + number // 150 % 150, 30)
    return image


def camera(name: str, *, compressed: bool) -> None:
    """Publish until it is ended."""
    rclpy.init()
    node = rclpy.create_node(f'soak_{name}')
    kind = CompressedImage if compressed else Image
    publisher = node.create_publisher(kind, f'/{name}/image', qos_profile_sensor_data)
    start, number = time.monotonic(), 0
    while rclpy.ok():
        header = Header(stamp=node.get_clock().now().to_msg(), frame_id=name)
        pixels = scene(number)
        if compressed:
            _, data = cv2.imencode('.jpg', pixels[..., ::-1])
            message = CompressedImage(header=header, format='jpeg')
        else:
            data = pixels
            message = Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=WIDTH * 3)
            message.header = header
        message.data = array.array('B', data.tobytes())
        publisher.publish(message)
        number += 1
        time.sleep(max(0.0, start + number / RATE - time.monotonic()))


def asker(number: int, haste: float) -> None:
    """Ask until it is told to end, which it does once its question has come back."""
    dice, ended = random.Random(number), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with Client() as client:
        if not client.wait(60.0):
            raise SystemExit('there is no node to ask')
        time.sleep(1.0)  # each side discovers the other by itself
        while not ended.is_set():
            if not is_busy(haste):
                ended.wait(0.1)
                continue
            fields = {'max_tokens': 8, 'deadline': dice.choice([0.3, 2.0, LONGEST])}
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
        camera(sys.argv[2], compressed='compressed' in sys.argv[3:])
    else:
        asker(int(sys.argv[2]), float(sys.argv[3]))
