# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How the integration tests start our executables, and a small ROS peer to test them with."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

PLAYER = (sys.executable, '-m', 'vlmaxxing_ros.ros.bag_player')
NODE = (sys.executable, '-m', 'vlmaxxing_ros.ros.node')


class Peer(Node):
    """A node that spins in a thread of its own, in a context of its own."""

    def __init__(self, name: str = 'peer') -> None:
        self._own_context = rclpy.Context()
        rclpy.init(context=self._own_context)
        super().__init__(name, context=self._own_context)
        self._executor = SingleThreadedExecutor(context=self._own_context)
        self._executor.add_node(self)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def collect(self, kind: Any, topic: str, qos: Any = 10) -> list[Any]:
        """Subscribe; the list returned grows with every message."""
        messages: list[Any] = []
        self.create_subscription(kind, topic, messages.append, qos)
        return messages

    def call(self, kind: Any, name: str, request: Any, timeout: float = 60.0) -> Any:
        """Call a service and wait for its response; fail after `timeout` s."""
        client = self.create_client(kind, name)
        try:
            assert client.wait_for_service(timeout), f'no service {name} within {timeout} s'
            future = client.call_async(request)
            return wait_until(future.done, timeout, f'{name} answered') and future.result()
        finally:
            self.destroy_client(client)

    def close(self) -> None:
        """Stop spinning and leave the domain."""
        self._executor.shutdown()
        self._thread.join()
        self.destroy_node()
        rclpy.shutdown(context=self._own_context)


def wait_until(condition: Callable[[], Any], timeout: float = 60.0, what: str = '') -> Any:
    """Wait until `condition()` is true and return its value; fail after `timeout` s."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f'{what or condition} not within {timeout} s')
