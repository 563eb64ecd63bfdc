# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the integration tests share: a ROS peer in this process, a node in another one."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from integration.gripper import Pictures, gripper_pictures
from integration.ros_process import NODE, Peer, node_arguments, spinning_peer


@pytest.fixture(scope='session')
def model() -> str:
    """The built-in model."""
    return 'nano'


@pytest.fixture(scope='session')
def pictures() -> Pictures:
    """Two pictures that differ in the gripper alone."""
    return gripper_pictures()


@pytest.fixture(scope='module')
def lasting_peer() -> Iterator[Peer]:
    """One `peer` for all tests of a module that uses this: the node discovers it once."""
    yield from spinning_peer()


@pytest.fixture
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """A spinning node to publish, subscribe and call with."""
    if 'lasting_peer' in request.fixturenames:
        yield request.getfixturevalue('lasting_peer')
    else:
        yield from spinning_peer()


@pytest.fixture(scope='module')
def node_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module's node writes what it has to say."""
    return tmp_path_factory.mktemp('node') / 'log'


@pytest.fixture(scope='module')
def start_node(node_log: Path) -> Iterator[Callable[..., None]]:
    """Start one active node for all tests of a module: `start_node(parameter=value, ...)`."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**parameters: object) -> None:
        started.append(
            subprocess.Popen(
                (*NODE, *node_arguments(autostart=True, **parameters)),
                stdout=node_log.open('wb'),
                stderr=subprocess.STDOUT,
                env={**os.environ, 'PYTHONUNBUFFERED': '1'},
                start_new_session=True,
            )
        )

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGINT)
        try:
            assert process.wait(20.0) == 0, node_log.read_text()
        finally:
            process.kill()
