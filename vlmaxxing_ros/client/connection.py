# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One rclpy node that spins on a thread of its own, and what a client says to `vlmaxxing` with it.

Everything begins on that thread, and whoever waits holds a `concurrent.futures.Future`: threads
wait for its result, asyncio wraps it.  Knows nothing of questions' deadlines, or of who waits.
"""

from __future__ import annotations

import inspect
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures import wait as wait_for_all
from typing import Any, Protocol
from weakref import WeakSet

import rclpy
from rcl_interfaces.srv import GetParameters
from rclpy.action import ActionClient
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from vlmaxxing_msgs.action import Ask
from vlmaxxing_msgs.srv import Query, Watch
from vlmaxxing_ros.ros.question_qos import ACTION_CLIENT, QUESTIONS

_PROBE = 1.0  # s for the answer to a first call, which may be lost
_FAREWELL = 2.0  # s for the node to hear what we need no more


class Disconnected(ConnectionError):
    """The client was closed while somebody waited."""


class Ending(Protocol):
    """What the node does for us, until we say that it need not."""

    def end(self) -> Future[Any]:
        """Say so; done once the node has heard."""


class Connection:
    """A connection to one node.

    Args:
        name: of the node to ask, with its namespace.

    Attributes:
        node: ours.
        open: what is to be ended in the node when this connection ends.
        dropped: what nobody holds any more, to be ended soon; put here by finalizers, which may run
            at any moment and so must not wait for a lock.
        asks: the action client of ~/ask.
        watches: the service client of ~/watch.
    """

    def __init__(self, name: str) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.name = name
        self.node = Node('vlmaxxing_client', context=self._context)
        self._query = self._service(Query, 'query')
        self.asks = ActionClient(self.node, Ask, f'{name}/ask', **ACTION_CLIENT)
        self._parameters = self._service(GetParameters, 'get_parameters')
        # The last one: what is made first is discovered first, and `wait` tries this one.
        self.watches = self._service(Watch, 'watch')
        self.open: WeakSet[Ending] = WeakSet()
        self.dropped: deque[Ending] = deque()
        self._promises: set[Future[Any]] = set()
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _service(self, kind: Any, name: str) -> Any:
        return self.node.create_client(kind, f'{self.name}/{name}', qos_profile=QUESTIONS)

    def _spin(self) -> None:
        """Spin until the context is shut down; an error in a callback ends that callback only."""
        while self._context.ok():
            try:
                self._executor.spin_once(timeout_sec=0.1)
                while self.dropped:
                    self.dropped.popleft().end()
            except (ExternalShutdownException, Disconnected):
                return
            except Exception:
                self.node.get_logger().error(f'a callback failed:\n{traceback.format_exc()}')

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return not self._context.ok()

    def close(self) -> None:
        """End what is open and leave; who still waits for something then gets `Disconnected`."""
        if self.closed:
            return
        ends = [each.end() for each in list(self.open)]
        if self.watches.service_is_ready():
            wait_for_all(ends, _FAREWELL)
        self._context.try_shutdown()
        self._thread.join()
        self._executor.shutdown()
        self.asks.destroy()  # a node does not, and it would count as somebody who still waits
        self.node.destroy_node()
        for promise in list(self._promises):
            promise.set_exception(Disconnected('the client was closed'))

    def promise(self) -> Future[Any]:
        """What is to come of something that was begun; it cannot be cancelled from outside."""
        if self.closed:
            raise Disconnected('the client is closed')
        promise: Future[Any] = Future()
        promise.set_running_or_notify_cancel()
        self._promises.add(promise)
        promise.add_done_callback(self._promises.discard)
        return promise

    def begin(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Run a function, or a coroutine that awaits rclpy's futures, on the thread that spins.

        rclpy's action client notes what it waits for after sending: a response that another thread
        takes in between is dropped.
        """
        promise = self.promise()
        self._executor.create_task(self._run, promise, call, arguments)
        return promise

    def _run(self, promise: Future[Any], call: Callable[..., Any], arguments: Any) -> None:
        try:
            result = call(*arguments)
        except Exception as error:
            promise.set_exception(error)
            return
        if inspect.iscoroutine(result):
            self._executor.create_task(self._finish, promise, result)
        else:
            promise.set_result(result)

    async def _finish(self, promise: Future[Any], coroutine: Coroutine[Any, Any, Any]) -> None:
        try:
            promise.set_result(await coroutine)
        except Exception as error:
            promise.set_exception(error)

    def query(self, request: Query.Request) -> Future[Any]:
        """Call ~/query; the response is its result."""
        return self._call(self._query, request)

    def parameter(self, name: str) -> Future[Any]:
        """The response to a question for one parameter of the node."""
        return self._call(self._parameters, GetParameters.Request(names=[name]))

    def _call(self, client: Any, request: Any) -> Future[Any]:
        promise = self.promise()
        client.call_async(request).add_done_callback(
            lambda responded: promise.set_result(responded.result())
        )
        return promise

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` s until the node is there and a first call was answered.

        Each side discovers the other by itself: a response to a client that the node does not know
        yet is lost.
        """
        until = time.monotonic() + timeout
        ready = [
            client.wait_for_service for client in (self._query, self._parameters, self.watches)
        ]
        for wait in (*ready, self.asks.wait_for_server):
            if not wait(max(0.0, until - time.monotonic())):
                return False
        while time.monotonic() < until:
            try:
                self._call(self.watches, Watch.Request()).result(_PROBE)
            except FutureTimeoutError:
                continue
            return True
        return False
