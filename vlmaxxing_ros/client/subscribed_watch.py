# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A standing question that a client asks the node to keep, and its events as they come.

Subscribes first and adds the watch then, so that nothing is missed.  Knows nothing of who takes
the events.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from uuid import uuid4

from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from rclpy.subscription import Subscription

from vlmaxxing_msgs.msg import WatchEvent, WatchSettings
from vlmaxxing_msgs.srv import Watch
from vlmaxxing_ros.client.connection import Connection

_LATCHED = QoSProfile(depth=256, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)  # of max_watches


class Refused(ValueError):
    """The node does not take a watch; `status` is one of Watch.srv's."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class SubscribedWatch:
    """A watch from its beginning to its end.

    Args:
        connection: to the node.
        settings: of the watch; without an id it is given one that nobody else has.
        on_event: told every event, on the connection's thread, and None when there are no more.

    Attributes:
        id: of the watch.
        begun: done once the node keeps the watch; raises `Refused`.
    """

    def __init__(
        self,
        connection: Connection,
        settings: WatchSettings,
        on_event: Callable[[WatchEvent | None], None],
    ) -> None:
        settings.id = self.id = settings.id or f'client_{uuid4().hex}'
        self._connection = connection
        self._settings = settings
        self._on_event = on_event
        self._subscription: Subscription | None = None
        self._ours = self._over = False
        self._gone: Future[None] | None = None
        connection.open.add(self)
        self.begun = connection.begin(self._begin)

    def end(self) -> Future[None]:
        """Subscribe no more, and have the node end the watch; one that was there before stays."""
        if self._gone is None:
            self._on_event(None)
            self._gone = self._connection.begin(self._end)
        return self._gone

    def drop(self) -> None:
        """End it soon, and wait for nothing."""
        if self._gone is None:
            self._connection.dropped.append(self)

    # On the connection's thread

    async def _begin(self) -> None:
        node, topic = self._connection.node, f'{self._connection.name}/events'
        self._subscription = node.create_subscription(WatchEvent, topic, self._take, _LATCHED)
        there = await self._connection.watches.call_async(Watch.Request())
        if self._over:
            return
        known = {state.settings.id for state in there.watches}
        request = Watch.Request(operation=Watch.Request.ADD, watch=self._settings)
        self._ours = self.id not in known
        response = await self._connection.watches.call_async(request)
        if response.status != Watch.Response.OK:
            self._ours = False
            self._unsubscribe()
            raise Refused(response.status, response.status_text)

    def _take(self, event: WatchEvent) -> None:
        if event.watch == self.id:
            self._on_event(event)

    async def _end(self) -> None:
        self._over = True
        self._unsubscribe()
        # Whether or not there was a response, which may be lost: requests arrive in their order.
        # If people chose the id, and another client adds it between our two requests, that
        # client's watch may be removed with it.
        if self._ours:
            request = Watch.Request(operation=Watch.Request.REMOVE)
            request.watch.id = self.id
            await self._connection.watches.call_async(request)

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._connection.node.destroy_subscription(self._subscription)
            self._subscription = None
