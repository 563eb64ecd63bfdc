# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A camera made of a clip: raw images at a steady rate, stamped as they are sent.

`python -m bench.live_camera CLIP --rate 30 [--flash 0.2 --every 3]`: with `--flash` a light in a
corner goes on for so many seconds, every so often.  Publishes on /camera/image until it is ended.
"""

from __future__ import annotations

import argparse
import array
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from vlmaxxing_ros.engine.seeing.frame import Frame, fit_grid
from vlmaxxing_ros.ros.dds import use_profile

WIDTH, HEIGHT = 640, 480
KEPT = 600  # images of a clip that is short


def images(path: Path, rate: float) -> Iterator[np.ndarray]:
    """The clip at this rate without an end, uint8 [480, 640, 3] RGB each.

    A short clip goes to and fro, so that there is no cut; a long one begins again.
    """
    found = list(itertools.islice(once(path, rate), KEPT + 1))
    while len(found) <= KEPT:
        yield from (*found, *found[-2:0:-1])
    del found
    while True:
        yield from once(path, rate)


def once(path: Path, rate: float) -> Iterator[np.ndarray]:
    """The clip at this rate, as `images`."""
    video = cv2.VideoCapture(str(path))
    own, number, shown = video.get(cv2.CAP_PROP_FPS), 0, 0
    while video.grab():
        image = None
        while number / own >= shown / rate:
            if image is None:
                small = cv2.resize(
                    video.retrieve()[1], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA
                )
                image = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
            yield image
            shown += 1
        number += 1


def frames_of(
    path: Path, rate: float, max_blocks: int, seconds: float | None = None
) -> Iterator[Frame]:
    """`images` as frames of at most `max_blocks` blocks, for so long: without an end by default.

    The first is stamped one period after zero.
    """
    count = None if seconds is None else round(seconds * rate)
    grid = fit_grid(HEIGHT, WIDTH, block=28, max_blocks=max_blocks)
    for number, image in enumerate(itertools.islice(images(path, rate), count), start=1):
        yield Frame.from_image(image, grid, stamp=round(number / rate * 1e9))


def lit(image: np.ndarray) -> np.ndarray:
    """The image with a light in its lower left corner."""
    image = image.copy()
    image[-90:-20, 20:110] = (255, 250, 220)
    return image


def main() -> None:
    """Publish until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('clip', type=Path)
    parser.add_argument('--rate', type=float, default=30.0)
    parser.add_argument('--flash', type=float, default=0.0, help='s for which the light is on')
    parser.add_argument('--every', type=float, default=3.0, help='s between two flashes')
    parser.add_argument('--still', action='store_true', help='only the first image')
    args = parser.parse_args()
    shown = images(args.clip, args.rate)
    if args.still:
        shown = itertools.repeat(next(shown))
    use_profile()
    rclpy.init()
    node = rclpy.create_node('live_camera')
    publisher = node.create_publisher(Image, '/camera/image', qos_profile_sensor_data)
    start, number = time.monotonic(), 0
    while rclpy.ok():
        image = next(shown)
        now = number / args.rate
        if args.flash and args.every / 2 <= now % args.every < args.every / 2 + args.flash:
            image = lit(image)
        message = Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=WIDTH * 3)
        message.header.stamp = node.get_clock().now().to_msg()
        message.header.frame_id = 'lens'
        message.data = array.array('B', image.tobytes())
        publisher.publish(message)
        number += 1
        time.sleep(max(0.0, start + number / args.rate - time.monotonic()))


if __name__ == '__main__':
    main()
