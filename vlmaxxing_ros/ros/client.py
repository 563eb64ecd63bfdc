# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Ask a running `vlmaxxing` node from Python: blocking calls, and what it publishes.

Used by the demo and as an example for planners; knows nothing of the engine.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from types import TracebackType
from typing import Any

import rclpy
from rclpy.action import ActionClient
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from vlmaxxing_msgs.action import Ask
from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_msgs.srv import Query
from vlmaxxing_ros.ros.question_qos import ACTION_CLIENT, QUESTIONS

_DEADLINE = 30.0  # s, the node's by default
_MORE = 5.0  # s for the way there and back


class Client:
    """A connection to one node; use it in a `with` block.

    Args:
        node: name of the node to ask, with its namespace.
    """

    def __init__(self, node: str = 'vlmaxxing') -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self._node = Node('vlmaxxing_client', context=self._context)
        self._name = node
        self._query = self._node.create_client(Query, f'{node}/query', qos_profile=QUESTIONS)
        self._ask = ActionClient(self._node, Ask, f'{node}/ask', **ACTION_CLIENT)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        """Spin until the context is shut down; an error in a callback ends that callback only."""
        while self._context.ok():
            try:
                self._executor.spin_once(timeout_sec=0.1)
            except ExternalShutdownException:
                return
            except Exception:
                self._node.get_logger().error(f'a callback failed:\n{traceback.format_exc()}')

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._context.try_shutdown()
        self._thread.join()
        self._executor.shutdown()
        self._node.destroy_node()

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the node's service and action."""
        return bool(self._query.wait_for_service(timeout) and self._ask.wait_for_server(timeout))

    def on_budget(self, callback: Callable[[FreshBudget], None]) -> None:
        """Call back for every planned frame."""
        self._node.create_subscription(FreshBudget, f'{self._name}/fresh_budget', callback, 50)

    def on_overlay(self, callback: Callable[[Image], None]) -> None:
        """Call back for every overlay image; the node makes them while someone listens."""
        self._node.create_subscription(
            Image, f'{self._name}/overlay', callback, qos_profile_sensor_data
        )

    def query(self, question: str, *, timeout: float | None = None, **fields: Any) -> Answer:
        """Ask and wait for the whole answer.

        Args:
            question: the question.
            timeout: seconds to wait for the response itself; by default somewhat longer than the
                question's deadline, or than 30 s without one.
            fields: further fields of Query's request.

        Raises:
            TimeoutError: no response came.
        """
        request = Query.Request(question=question, **fields)
        return _wait(self._query.call_async(request), _patience(timeout, request)).answer

    def ask(
        self,
        question: str,
        *,
        on_token: Callable[[Ask.Feedback], None] | None = None,
        timeout: float | None = None,
        **fields: Any,
    ) -> Answer:
        """Ask, and watch the answer being decoded; `timeout` and `fields` are those of `query`.

        Raises:
            TimeoutError: no result came.
        """

        def feedback(message: Any) -> None:
            if on_token is not None:
                on_token(message.feedback)

        goal = Ask.Goal(question=question, **fields)
        timeout = _patience(timeout, goal)
        handle = self._run(self._ask.send_goal_async, goal, feedback, timeout=timeout)
        return self._run(handle.get_result_async, timeout=timeout).result.answer

    def _run(self, call: Callable[..., Any], *arguments: Any, timeout: float) -> Any:
        """Begin on the thread that spins, and wait for what comes of it.

        rclpy's action client notes what it waits for after sending: a response that another thread
        takes in between is dropped.
        """
        return _wait(_wait(self._executor.create_task(call, *arguments), timeout), timeout)


def _patience(timeout: float | None, request: Any) -> float:
    """Seconds to wait for a response: the node ends every question by its deadline."""
    return (request.deadline or _DEADLINE) + _MORE if timeout is None else timeout


def _wait(pending: Any, timeout: float) -> Any:
    """Wait for an rclpy future from a thread that does not spin; raises what it raises."""
    done: Future[Any] = Future()

    def pass_on(finished: Any) -> None:
        if error := finished.exception():
            done.set_exception(error)
        else:
            done.set_result(finished.result())

    pending.add_done_callback(pass_on)
    try:
        return done.result(timeout)
    except FutureTimeoutError as error:
        raise TimeoutError(f'no answer from the node in {timeout} s: is it running?') from error
