# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A question on its way: a goal of ~/ask, from sending it to its result.

Knows nothing of who waits for it, or for how long.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any

from rclpy.action.client import ClientGoalHandle

from vlmaxxing_msgs.action import Ask
from vlmaxxing_msgs.msg import Answer
from vlmaxxing_ros.client.connection import Connection, Disconnected
from vlmaxxing_ros.ros.ticket import MAX_DEADLINE

DEADLINE = 30.0
"""Seconds by which a question is answered, where nobody says."""

CALL = 10.0
"""Seconds for what the node answers at once."""

_MORE = 5.0  # s for the way there and back


class PendingAnswer:
    """A question that was sent and may be cancelled; the node ends it by its deadline.

    Args:
        connection: to the node.
        goal: what is asked; a deadline of 0 becomes `DEADLINE`.
        on_token: told every token, on the connection's thread.

    Attributes:
        answer: the `Answer` to come.
    """

    def __init__(
        self,
        connection: Connection,
        goal: Ask.Goal,
        on_token: Callable[[Ask.Feedback], None] | None = None,
    ) -> None:
        goal.deadline = goal.deadline or DEADLINE
        self.answer: Future[Answer] = connection.promise()
        self._connection = connection
        self._goal = goal
        self._on_token = on_token
        self._handle: ClientGoalHandle | None = None
        self._cancelled = False
        connection.open.add(self)
        connection.begin(self._send)

    @property
    def patience(self) -> float:
        """Seconds after which no answer comes any more: the deadline, and the way."""
        return patience(self._goal)

    @property
    def done(self) -> bool:
        """Whether the answer is there."""
        return self.answer.done()

    def result(self, timeout: float | None = None) -> Answer:
        """Wait for the answer; cancel the question if it does not come, or Ctrl-C does.

        Args:
            timeout: seconds to wait; by default somewhat longer than the question's deadline.

        Raises:
            TimeoutError: none came.
            Disconnected: the client was closed.
        """
        try:
            return wait(self.answer, self.patience if timeout is None else timeout)
        except BaseException:
            self.cancel()
            raise

    def cancel(self) -> None:
        """Have the node end it at the next token: the answer is what there is, CANCELLED."""
        if not self.done:
            with suppress(Disconnected):
                self._connection.begin(self._cancel)

    def end(self) -> Future[Answer]:
        """Cancel it; the answer to come."""
        self.cancel()
        return self.answer

    # On the connection's thread

    def _send(self) -> None:
        feed = None if self._on_token is None else self._feed
        try:
            sent = self._connection.asks.send_goal_async(self._goal, feed)
        except Exception as error:  # a text that is none, for example
            self.answer.set_exception(error)
            return
        sent.add_done_callback(self._sent)

    def _feed(self, message: Any) -> None:
        if self._on_token is not None:
            self._on_token(message.feedback)

    def _sent(self, sent: Any) -> None:
        self._handle = sent.result()  # the node accepts every goal
        self._handle.get_result_async().add_done_callback(self._ended)
        if self._cancelled:
            self._handle.cancel_goal_async()

    def _ended(self, ended: Any) -> None:
        self.answer.set_result(ended.result().result.answer)

    def _cancel(self) -> None:
        self._cancelled = True
        if self._handle is not None:
            self._handle.cancel_goal_async()


def patience(request: Any) -> float:
    """Seconds to wait for the response to a question: the node ends each one by its deadline.

    A deadline that cannot be is refused at once.
    """
    return float(min(MAX_DEADLINE, request.deadline or DEADLINE) + _MORE)


def wait(promise: Future[Any], timeout: float) -> Any:
    """Wait for what was promised.

    Raises:
        TimeoutError: it did not come within `timeout` s.
    """
    try:
        return promise.result(timeout)
    except FutureTimeoutError as error:
        raise no_answer(timeout) from error


def no_answer(timeout: float) -> TimeoutError:
    """What is raised where the node says nothing."""
    return TimeoutError(f'no answer from the node in {timeout:g} s: is it running?')
