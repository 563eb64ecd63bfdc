# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the tests of the ROS side share: nodes in a context of their own, and one worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ros.desks import ServedQueue
    from ros.workers import AWorker

    from vlmaxxing_ros.engine.families import Family


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


@pytest.fixture(scope='session')
def family() -> Family:
    """A small random model."""
    from vlmaxxing_ros.random_models.families import random_family

    return random_family()


@pytest.fixture
def asked(family: Family) -> ServedQueue:
    """A queue with two cameras that have seen nothing."""
    from ros.desks import ServedQueue

    return ServedQueue(family)


@pytest.fixture(scope='session')
def loaded() -> Iterator[AWorker]:
    """A worker with the built-in model; take `scene` for a test."""
    from ros.workers import WAIT, AWorker

    from vlmaxxing_ros.engine.families.loading import NANO

    if not (NANO / 'model.safetensors').is_file():
        pytest.skip('the built-in model is not there yet')
    scene = AWorker()
    scene.worker.load().result(WAIT)
    yield scene
    assert scene.worker.stop(WAIT)


@pytest.fixture
def scene(loaded: AWorker) -> Iterator[AWorker]:
    """A worker with one camera that has seen nothing."""
    from ros.workers import WAIT

    loaded.open()
    yield loaded
    loaded.worker.close('the test is over').result(WAIT)
    loaded.errors.clear()
