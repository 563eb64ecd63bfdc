# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The client for asyncio: any number of tasks ask and watch at once, and any may be cancelled.

Nothing in it blocks the loop.  Knows nothing of the engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from vlmaxxing_msgs.action import Ask
from vlmaxxing_msgs.msg import Answer, WatchEvent, WatchSettings
from vlmaxxing_ros.client.connection import Connection, Disconnected
from vlmaxxing_ros.client.pending_answer import CALL, PendingAnswer, no_answer
from vlmaxxing_ros.client.subscribed_watch import SubscribedWatch


class AsyncClient:
    """A connection to one node; use it in an `async with` block, in one event loop.

    Args:
        node: name of the node to ask, with its namespace.
    """

    def __init__(self, node: str = 'vlmaxxing') -> None:
        self._connection = Connection(node)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End our watches, cancel our questions, and leave."""
        await asyncio.to_thread(self._connection.close)

    async def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the node; False: it is not there."""
        return await asyncio.to_thread(self._connection.wait, timeout)

    async def cameras(self) -> list[str]:
        """Names of the node's cameras.

        Raises:
            TimeoutError: no response came.
        """
        (value,) = (await _outcome(self._connection.parameter('cameras'), CALL)).values
        return list(value.string_array_value)

    async def ask(
        self,
        question: str,
        *,
        on_token: Callable[[Ask.Feedback], None] | None = None,
        **fields: Any,
    ) -> Answer:
        """Ask and wait for the answer; cancelling the task cancels the question, too.

        Args:
            question: the question.
            on_token: told every token, in this loop.
            fields: further fields of Ask's goal; without a deadline it is 30 s.

        Raises:
            TimeoutError: no result came by the deadline and a little longer.
            Disconnected: the client was closed.
        """
        feed = None if on_token is None else _in_loop(on_token)
        pending = PendingAnswer(self._connection, Ask.Goal(question=question, **fields), feed)
        try:
            answer: Answer = await _outcome(pending.answer, pending.patience)
        except BaseException:
            pending.cancel()
            raise
        return answer

    def watch(self, question: str, **settings: Any) -> AsyncEvents:
        """Have the node keep asking; iterate over the result to be told each change of the answer.

        It begins at once; if the node refuses it, the first event asked for raises `Refused`.

        Args:
            question: the question.
            settings: further fields of WatchSettings.msg.
        """
        return AsyncEvents(self._connection, WatchSettings(question=question, **settings))


class AsyncEvents(AsyncIterator[WatchEvent]):
    """The changes of one watch's answer, its first answer included; ends once it is closed.

    Cancelling who waits for an event leaves the watch as it is.  It ends with the `async with`
    block or with `aclose`, with the client, or when nobody holds this object any more; one that
    was there before stays.

    Attributes:
        id: of the watch.
    """

    _watch: SubscribedWatch | None = None  # until it has begun

    def __init__(self, connection: Connection, settings: WatchSettings) -> None:
        self._queue: asyncio.Queue[WatchEvent | None] = asyncio.Queue()
        # The queue, not this object: nobody else may hold that.
        watch = SubscribedWatch(connection, settings, _in_loop(self._queue.put_nowait))
        self._watch, self._begun, self.id = watch, watch.begun, watch.id

    async def __anext__(self) -> WatchEvent:
        await _outcome(self._begun, CALL)
        event = await self._queue.get()
        if event is None:
            self._queue.put_nowait(None)  # for the next who asks
            raise StopAsyncIteration
        return event

    async def aclose(self) -> None:
        """End the watch, and wait until the node has."""
        if self._watch is not None:
            with suppress(Disconnected, TimeoutError):
                await _outcome(self._watch.end(), CALL)

    async def __aenter__(self) -> AsyncEvents:
        await _outcome(self._begun, CALL)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self._watch is not None:
            self._watch.drop()


def _in_loop(call: Callable[[Any], None]) -> Callable[[Any], None]:
    """The same call from another thread: it is made in the running loop."""
    loop = asyncio.get_running_loop()

    def later(value: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(call, value)

    return later


async def _outcome(promise: Future[Any], timeout: float) -> Any:
    """Wait for what was promised.

    Raises:
        TimeoutError: it did not come within `timeout` s.
    """
    try:
        return await asyncio.wait_for(asyncio.wrap_future(promise), timeout)
    except asyncio.TimeoutError as error:
        raise no_answer(timeout) from error
