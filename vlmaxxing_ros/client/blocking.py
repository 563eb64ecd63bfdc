# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The client whose calls wait: for scripts, threads and behaviour trees.

Any number of threads may share one.  Knows nothing of the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from vlmaxxing_msgs.action import Ask
from vlmaxxing_msgs.msg import Answer, FreshBudget, WatchEvent, WatchSettings
from vlmaxxing_msgs.srv import Query
from vlmaxxing_ros.client.connection import Connection, Disconnected
from vlmaxxing_ros.client.pending_answer import CALL, DEADLINE, PendingAnswer, patience, wait
from vlmaxxing_ros.client.subscribed_watch import SubscribedWatch


class Client:
    """A connection to one node; use it in a `with` block.

    Args:
        node: name of the node to ask, with its namespace.
    """

    def __init__(self, node: str = 'vlmaxxing') -> None:
        self._connection = Connection(node)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End our watches, cancel our questions, and leave."""
        self._connection.close()

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the node; False: it is not there."""
        return self._connection.wait(timeout)

    def cameras(self) -> list[str]:
        """Names of the node's cameras.

        Raises:
            TimeoutError: no response came.
        """
        (value,) = wait(self._connection.parameter('cameras'), CALL).values
        return list(value.string_array_value)

    def on_budget(self, callback: Callable[[FreshBudget], None]) -> None:
        """Call back for every planned frame."""
        self._subscribe(FreshBudget, 'fresh_budget', callback, 50)

    def on_overlay(self, callback: Callable[[Image], None]) -> None:
        """Call back for every overlay image; the node makes them while someone listens."""
        self._subscribe(Image, 'overlay', callback, qos_profile_sensor_data)

    def on_diagnostics(self, callback: Callable[[DiagnosticArray], None]) -> None:
        """Call back for all of /diagnostics, that of other nodes too."""
        self._subscribe(DiagnosticArray, '/diagnostics', callback, 10)

    def _subscribe(self, kind: Any, name: str, callback: Callable[[Any], None], qos: Any) -> None:
        topic = name if name.startswith('/') else f'{self._connection.name}/{name}'
        node = self._connection.node
        wait(self._connection.begin(node.create_subscription, kind, topic, callback, qos), CALL)

    def query(self, question: str, *, timeout: float | None = None, **fields: Any) -> Answer:
        """Ask and wait for the whole answer.

        Args:
            question: the question.
            timeout: seconds to wait for the response itself; by default somewhat longer than the
                question's deadline.
            fields: further fields of Query's request; without a deadline it is 30 s.

        Raises:
            TimeoutError: no response came.
            Disconnected: the client was closed.
        """
        request = Query.Request(question=question, **fields)
        request.deadline = request.deadline or DEADLINE
        allowed = patience(request) if timeout is None else timeout
        answer: Answer = wait(self._connection.query(request), allowed).answer
        return answer

    def ask(
        self,
        question: str,
        *,
        on_token: Callable[[Ask.Feedback], None] | None = None,
        timeout: float | None = None,
        **fields: Any,
    ) -> Answer:
        """Ask, and watch the answer being decoded; arguments and errors are those of `query`.

        What ends the waiting, a timeout or Ctrl-C, cancels the question.
        """
        return self.begin(question, on_token=on_token, **fields).result(timeout)

    def begin(
        self,
        question: str,
        *,
        on_token: Callable[[Ask.Feedback], None] | None = None,
        **fields: Any,
    ) -> PendingAnswer:
        """Ask as `ask` does, and wait for nothing."""
        return PendingAnswer(self._connection, Ask.Goal(question=question, **fields), on_token)

    def watch(self, question: str, **settings: Any) -> Events:
        """Have the node keep asking; iterate over the result to be told each change of the answer.

        Args:
            question: the question.
            settings: further fields of WatchSettings.msg.

        Raises:
            Refused: the node does not take it.
            TimeoutError: the node says nothing.
        """
        return Events(self._connection, WatchSettings(question=question, **settings))


class Events(Iterator[WatchEvent]):
    """The changes of one watch's answer, its first answer included; ends once it is closed.

    The watch ends with the `with` block or with `close`, with the client, or when nobody holds
    this object any more; one that was there before stays.

    Attributes:
        id: of the watch.
    """

    _watch: SubscribedWatch | None = None  # until it has begun

    def __init__(self, connection: Connection, settings: WatchSettings) -> None:
        self._queue: SimpleQueue[WatchEvent | None] = SimpleQueue()
        # The queue, not this object: nobody else may hold that.
        watch = self._watch = SubscribedWatch(connection, settings, self._queue.put)
        self.id = watch.id
        wait(watch.begun, CALL)

    def __next__(self) -> WatchEvent:
        try:
            return self.get(None)
        except Disconnected:
            raise StopIteration from None

    def get(self, timeout: float | None) -> WatchEvent:
        """The next event, if it comes within `timeout` seconds; 0: if it is there.

        Raises:
            TimeoutError: it is not.
            Disconnected: the watch has ended.
        """
        try:
            event = self._queue.get(timeout=timeout)
        except Empty:
            raise TimeoutError(f'nothing has changed within {timeout:g} s') from None
        if event is None:
            self._queue.put(None)  # for the next who asks
            raise Disconnected('the watch has ended')
        return event

    def close(self) -> None:
        """End the watch, and wait until the node has."""
        if self._watch is not None:
            with suppress(Disconnected, TimeoutError):
                wait(self._watch.end(), CALL)

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if self._watch is not None:
            self._watch.drop()
