# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How the integration tests start our executables, and a small ROS peer to test them with."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from integration.recordings import scene
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, qos_profile_sensor_data

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_msgs.srv import Query
from vlmaxxing_ros.ros.messages import to_image, to_ns

PLAYER = (sys.executable, '-m', 'vlmaxxing_ros.ros.bag_player')
NODE = (sys.executable, '-m', 'vlmaxxing_ros.ros.running')
ROOT = Path(__file__).resolve().parents[2]


def node_arguments(**parameters: object) -> list[str]:
    """Command line of a node with these parameters (`__` in a name stands for a dot)."""
    arguments = ['--ros-args']
    for name, value in parameters.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        arguments += ['-p', f'{name.replace("__", ".")}:={text}']
    return arguments


def wait_until(condition: Callable[[], Any], timeout: float = 60.0, what: str = '') -> Any:
    """Wait until `condition()` is true and return its value; fail after `timeout` s."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f'{what or condition} not within {timeout} s')


class Peer(Node):
    """A node that spins in a thread of its own, in a context of its own."""

    def __init__(self, name: str = 'peer') -> None:
        self._own_context = rclpy.Context()
        rclpy.init(context=self._own_context)
        super().__init__(name, context=self._own_context)
        self._callers: dict[str, Any] = {}
        self.cameras: dict[Any, TestCamera] = {}
        self._executor = SingleThreadedExecutor(context=self._own_context)
        self._executor.add_node(self)
        self._closing = False
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        while not self._closing:
            self._executor.spin_once(timeout_sec=0.1)

    def collect(self, kind: Any, topic: str, qos: Any = 10) -> list[Any]:
        """Subscribe; the list returned grows with every message."""
        messages: list[Any] = []
        self.create_subscription(kind, topic, messages.append, qos)
        return messages

    def client(self, kind: Any, name: str, timeout: float = 60.0) -> Any:
        """A client that the server knows; fail after `timeout` s."""
        client = self.create_client(kind, name)
        assert client.wait_for_service(timeout), f'no service {name} within {timeout} s'
        # Each side discovers the other by itself: a response to a client that the server does not
        # know yet is lost.
        time.sleep(0.5)
        return client

    def call(self, kind: Any, name: str, request: Any, timeout: float = 60.0) -> Any:
        """Call a service and wait for its response; fail after `timeout` s."""
        if name not in self._callers:
            self._callers[name] = self.client(kind, name, timeout)
        client = self._callers[name]
        assert client.wait_for_service(timeout), f'no service {name} within {timeout} s'
        future = client.call_async(request)
        wait_until(future.done, timeout, f'a response of {name}')
        return future.result()

    def run(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call on the thread that spins, as rclpy's action clients want it; what it returns."""
        task = self._executor.create_task(call, *arguments)
        wait_until(task.done, what=str(call))
        return task.result()

    def query(self, question: str, **fields: Any) -> Answer:
        """Ask the node and wait for the answer."""
        request = Query.Request(question=question, **fields)
        return self.call(Query, '/vlmaxxing/query', request).answer

    def close(self) -> None:
        """Stop spinning and leave the domain."""
        self._closing = True  # before the executor, whose guards a handler may still trigger
        self._thread.join()
        self._executor.shutdown()
        self.destroy_node()
        rclpy.shutdown(context=self._own_context)


def spinning_peer() -> Iterator[Peer]:
    """A spinning node, until the generator goes on; for fixtures."""
    node = Peer()
    yield node
    node.close()


class TestCamera:
    """A camera that sends one image at a time, and waits for what became of it."""

    __test__ = False

    def __init__(self, peer: Peer, kind: Any, name: str = 'camera', *, topic: str = '') -> None:
        self._peer = peer
        self._name = name
        self._budgets: list[FreshBudget] = []
        budgets = peer.create_subscription(
            FreshBudget, '/vlmaxxing/fresh_budget', self._budgets.append, QoSProfile(depth=100)
        )
        self._publisher = peer.create_publisher(
            kind, topic or f'/{name}/image', qos_profile_sensor_data
        )
        self.sent = 0
        wait_until(self._publisher.get_subscription_count, what='the node has subscribed')
        wait_until(budgets.get_publisher_count, what='budgets are published')
        # Each side discovers the other by itself, and best effort waits for nobody: let the node
        # match what has been matched here.
        time.sleep(1.0)

    @classmethod
    def of(cls, peer: Peer, kind: Any) -> TestCamera:
        """The peer's camera of this kind, made once: the node has known it since then."""
        if kind not in peer.cameras:
            peer.cameras[kind] = cls(peer, kind)
        peer.cameras[kind].sent = 0
        return peer.cameras[kind]

    def now(self) -> int:
        """The time in nanoseconds."""
        return int(self._peer.get_clock().now().nanoseconds)

    def show(self, pixels: np.ndarray | None = None, *, stamp: int = 0) -> FreshBudget:
        """Send an image (a scene of the recordings, stamped now); its budget."""
        pixels = scene(self.sent) if pixels is None else pixels
        return self.send(to_image(pixels, stamp=stamp or self.now(), frame_id=f'{self._name}_lens'))

    def send(self, message: Any) -> FreshBudget:
        """Send a message; its budget."""
        self.sent += 1
        stamp, known = to_ns(message.header.stamp), len(self._budgets)
        self._publisher.publish(message)
        return wait_until(
            lambda: next(
                (
                    budget
                    for budget in self._budgets[known:]
                    if budget.camera == self._name and to_ns(budget.header.stamp) == stamp
                ),
                None,
            ),
            what=f'the budget of the image stamped {stamp}',
        )


def questions_waiting(peer: Peer) -> str:
    """What the next diagnostics say about questions."""
    seen = peer.collect(DiagnosticArray, '/diagnostics')
    wait_until(lambda: seen, what='diagnostics')
    return str(next(v.value for v in seen[-1].status[0].values if v.key == 'questions'))
