# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Publish a video file or a network stream as a camera does: `video_player FILE|URL`.

Images are stamped when they go out, at the pace of the container's own times; those of a network
stream when they come in.  A stream that breaks off is opened again.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
from rclpy.node import Node
from rclpy.utilities import remove_ros_args
from sensor_msgs.msg import Image

from vlmaxxing_ros.ros.messages import to_image
from vlmaxxing_ros.ros.playing import (
    add_options,
    drain,
    parse,
    quality,
    run,
    sleep_until,
    wait_for_subscribers,
)
from vlmaxxing_ros.ros.video import Video, VideoError

_AGAIN = 1.0  # s between two attempts to open a stream that broke off


def options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line, ROS arguments already removed."""
    parser = argparse.ArgumentParser(
        prog='video_player', description='Publish a video as a camera would.'
    )
    parser.add_argument('source', help='a video file, or an address such as rtsp://camera/stream')
    add_options(parser)
    parser.add_argument(
        '--topic', default='camera/image', help='to publish on (default: camera/image)'
    )
    parser.add_argument(
        '--frame-id', default='camera', help="of the images' headers (default: camera)"
    )
    return parse(parser, arguments)


class VideoPlayer:
    """Publishes the images of a video.

    Args:
        node: that publishes.
        source: a file or an address.
        topic: to publish on.
        frame_id: of the headers.
        qos: reliable or sensor.
    """

    def __init__(self, node: Node, source: str, *, topic: str, frame_id: str, qos: str) -> None:
        self._node = node
        self._source = source
        self._frame_id = frame_id
        self.publisher = node.create_publisher(Image, topic, quality(qos))

    def play(self, rate: float) -> int:
        """Publish every image once; returns how many they were.

        Args:
            rate: pace relative to the video's own times; 0: as they come.

        Raises:
            VideoError: the source cannot be opened, or holds no image.
        """
        video = Video(self._source)
        try:
            count = 0
            began = time.monotonic()
            for moment, pixels in video.images():
                if rate:
                    sleep_until(began + moment * 1e-9 / rate)
                rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
                now = self._node.get_clock().now().nanoseconds
                self.publisher.publish(to_image(rgb, stamp=now, frame_id=self._frame_id))
                count += 1
        finally:
            video.close()
        if video.remark:
            self._node.get_logger().warning(video.remark)
        return count

    def follow(self) -> None:
        """Publish the images of a network stream for ever.

        Raises:
            VideoError: the source cannot be opened the first time.
        """
        self.play(0.0)
        while True:
            self._node.get_logger().warning(f'{self._source} broke off: it is opened again')
            time.sleep(_AGAIN)
            try:
                self.play(0.0)
            except VideoError:
                continue


def main() -> int:
    """Play until the end or until interrupted; 0 on both, 1 for a video not to be read."""
    chosen = options(remove_ros_args(sys.argv)[1:])

    def play(node: Node) -> None:
        log = node.get_logger()
        live = '://' in chosen.source
        if not live and not Path(chosen.source).exists():
            raise VideoError(f'there is no such file: {chosen.source}')
        if not live and not Path(chosen.source).is_file():
            raise VideoError(f'{chosen.source} is no file')
        player = VideoPlayer(
            node, chosen.source, topic=chosen.topic, frame_id=chosen.frame_id, qos=chosen.qos
        )
        wait_for_subscribers(node, [player.publisher], chosen.wait_for_subscribers)
        log.info(f'playing {chosen.source}')
        if live:
            player.follow()
        times = 0
        while times < chosen.loop or chosen.loop == 0:
            times += 1
            log.info(f'played {player.play(chosen.rate)} images')
        drain([player.publisher])

    return run('video_player', play, VideoError)


if __name__ == '__main__':
    sys.exit(main())
