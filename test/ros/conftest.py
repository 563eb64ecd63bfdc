# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the tests of the ROS side share: a context of their own for every node they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture
def make_node() -> Iterator[Callable[..., Any]]:
    """Make nodes that are gone after the test: `make_node(parameter=value, ...)`."""
    rclpy = pytest.importorskip('rclpy', reason='needs rclpy')
    from rclpy.node import Node
    from rclpy.parameter import Parameter

    context = rclpy.Context()
    rclpy.init(context=context)
    nodes = []

    def make(**parameters: object) -> Node:
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        nodes.append(Node('tested', context=context, parameter_overrides=overrides))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)
