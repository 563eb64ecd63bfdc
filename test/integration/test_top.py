# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The terminal page beside a running node."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from integration.ros_process import Peer, TestCamera, wait_until
from sensor_msgs.msg import Image

TOP = (sys.executable, '-m', 'vlmaxxing_ros.ros.top', '--node', '/vlmaxxing')


def test_it_shows_the_camera_the_answer_and_the_state(
    start_node: Callable[..., None], spawn: Callable[..., Any], peer: Peer, model: str
) -> None:
    start_node(model=model, diagnostics_period=0.2)
    camera = TestCamera(peer, Image)
    camera.show()
    listeners = peer.count_subscribers('/vlmaxxing/fresh_budget')
    top = spawn(*TOP, '--once', '4', env={'COLUMNS': '160'})
    wait_until(lambda: peer.count_subscribers('/vlmaxxing/fresh_budget') > listeners)
    answer = peer.query('what colors are the blocks?')
    while top.running:  # the node discovers who listens by itself
        camera.show()
    assert top.wait() == 0
    assert 'model: ok active' in top.output
    assert 'of 8192' in top.output, 'the cache of the one camera'
    assert 'what colors are the blocks?' in top.output
    assert answer.answer in top.output
