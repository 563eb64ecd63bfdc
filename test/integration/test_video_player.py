# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The video player, as a process: a file and a stream come out as a camera's images."""

from __future__ import annotations

import http.server
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from integration.recordings import scene
from integration.ros_process import Peer, wait_until
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from vlmaxxing_ros.ros.images import to_rgb
from vlmaxxing_ros.ros.messages import to_ns

Spawn = Callable[..., Any]
PLAYER = (sys.executable, '-m', 'vlmaxxing_ros.ros.video_player')


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Ten scenes at 20 Hz."""
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 20.0, (112, 112))
    for number in range(10):
        writer.write(scene(number)[..., ::-1].copy())
    writer.release()
    return path


def test_a_file_arrives_whole_stamped_as_it_goes_out(spawn: Spawn, peer: Peer, clip: Path) -> None:
    images = peer.collect(Image, '/camera/image')
    before = peer.get_clock().now().nanoseconds
    player = spawn(*PLAYER, clip, '--wait-for-subscribers', '1', '--frame-id', 'lens')
    assert player.wait() == 0, player.output
    wait_until(lambda: len(images) == 10, what='10 images')
    stamps = [to_ns(image.header.stamp) for image in images]
    assert stamps == sorted(set(stamps))
    assert before < stamps[0]
    assert stamps[-1] - stamps[0] >= 440_000_000
    for number, image in enumerate(images):
        assert image.header.frame_id == 'lens'
        assert np.abs(to_rgb(image).astype(int) - scene(number)).mean() < 6


def test_it_loops_with_stamps_that_go_on_and_ends_on_interrupt(
    spawn: Spawn, peer: Peer, clip: Path
) -> None:
    images = peer.collect(Image, '/front/image', qos_profile_sensor_data)
    options = ('--loop', '--rate', '10', '--qos', 'sensor', '--wait-for-subscribers', '1')
    player = spawn(*PLAYER, clip, *options, '--topic', '/front/image')
    wait_until(lambda: len(images) > 15, what='more than one turn')
    assert player.interrupt() == 0, player.output
    stamps = [to_ns(image.header.stamp) for image in images]
    assert stamps == sorted(set(stamps))


@pytest.fixture
def address(clip: Path) -> Iterator[str]:
    """The clip as a stream on the network that ends, as they do."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(clip.parent))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}/{clip.name}'
    server.shutdown()
    server.server_close()


def test_a_stream_that_breaks_off_is_opened_again(spawn: Spawn, peer: Peer, address: str) -> None:
    images = peer.collect(Image, '/camera/image', 100)
    player = spawn(*PLAYER, address, '--wait-for-subscribers', '1')
    wait_until(lambda: len(images) > 15, what='images after the end')
    assert 'broke off' in player.output
    assert player.interrupt() == 0, player.output
    stamps = [to_ns(image.header.stamp) for image in images]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    ('source', 'said'),
    [
        ('/no/such/file.mp4', 'there is no such file: /no/such/file.mp4'),
        (__file__, 'no video that OpenCV can read'),
        ('http://127.0.0.1:1/none', 'does the address answer'),
    ],
)
def test_what_cannot_be_played_is_one_clear_error(spawn: Spawn, source: str, said: str) -> None:
    player = spawn(*PLAYER, source)
    assert player.wait() == 1
    assert said in player.output
    assert 'Traceback' not in player.output
