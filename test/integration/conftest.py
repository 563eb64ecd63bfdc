# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the integration tests share: a ROS peer in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from integration.ros_process import Peer


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A spinning node to publish, subscribe and call with."""
    node = Peer()
    yield node
    node.close()
