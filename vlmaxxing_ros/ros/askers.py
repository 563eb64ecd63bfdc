# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Askers that are gone: their questions keep nobody waiting.

rclpy does not tell a callback whose request it has: of a request's id it shows the number alone.
For services ROS's introspection does, by an event for each request, for actions it does not.  A
goal is doubted while somebody who could have sent it is gone, which lets others pass, and
cancelled when everyone is.  Who is there the graph says, which forgets a process that was killed
when its lease ends.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.service import Service
from rclpy.service_introspection import ServiceIntrospectionState

from vlmaxxing_ros.ros.question_qos import QUESTIONS

_PERIOD = 0.5  # s between two looks at the graph
_DISCOVERY = 1.0  # s that the graph may be behind a request
_AT_ONCE = 0.1  # s in which goals that come together are seen with one look

Cancel = Callable[[], None]
Doubt = Callable[[bool], None]


class Askers:
    """Watches over the open questions of a service and an action; on the executor's thread.

    Args:
        node: that serves them.
        service: its requests are reported to this object as they come.
        action: full name.
    """

    def __init__(self, node: Node, service: Service, action: str) -> None:
        self._node = node
        self._replies = f'rr{service.service_name}Reply'
        self._goals = f'rq{action}/_action/send_goalRequest'
        self._unnamed: deque[tuple[Any, int]] = deque()  # requests before their events, and keys
        self._asked: dict[int, tuple[float, Cancel]] = {}  # key: since when
        self._clients: dict[int, bytes] = {}
        self._sent: dict[int, tuple[float, Cancel, Doubt]] = {}
        self._senders: dict[int, set[bytes]] = {}
        self._last_look: tuple[float, set[bytes]] = 0.0, set()  # at who could send goals
        self._graph_tells = False  # whether anyone was ever found in it
        service.configure_introspection(
            node.get_clock(), QUESTIONS, ServiceIntrospectionState.CONTENTS
        )
        event = f'{service.service_name}/_service_event'
        kind: Any = service.srv_type
        node.create_subscription(kind.Event, event, self._name, QUESTIONS)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(_PERIOD, self._look, clock=steady)

    def asked(self, request: Any, cancel: Cancel) -> int:
        """A request of the service is open; the key to give to `done`."""
        key = id(request)
        self._unnamed.append((request, key))
        self._asked[key] = time.monotonic(), cancel
        return key

    def sent(self, goal: Any, cancel: Cancel, doubt: Doubt) -> int:
        """A goal is open, and `doubt` is told whether its asker may be gone; the key for `done`."""
        key, now = id(goal), time.monotonic()
        if now - self._last_look[0] > _AT_ONCE:
            self._last_look = now, self._there()
        self._sent[key] = now, cancel, doubt
        # Now, because who asks may be gone before the next look.
        self._senders[key] = set(self._last_look[1])
        return key

    def done(self, key: int) -> None:
        """A question has its answer."""
        self._asked.pop(key, None)
        self._clients.pop(key, None)
        self._sent.pop(key, None)
        self._senders.pop(key, None)

    def _name(self, event: Any) -> None:
        """Note whose request the oldest one without a name is."""
        if event.info.event_type != event.info.REQUEST_RECEIVED:
            return
        for place, (request, key) in enumerate(self._unnamed):
            if request == event.request[0]:
                del self._unnamed[place]
                if key in self._asked:
                    self._clients[key] = bytes(event.info.client_gid)
                return

    def _look(self) -> None:
        """Cancel what nobody waits for any more."""
        if not self._asked and not self._sent:
            self._unnamed.clear()  # their events were lost
            return
        self._look_at_requests()
        self._look_at_goals()

    def _look_at_requests(self) -> None:
        ends = self._node.get_subscriptions_info_by_topic(self._replies, no_mangle=True)
        there = {bytes(end.endpoint_gid) for end in ends}
        self._graph_tells = self._graph_tells or not there.isdisjoint(self._clients.values())
        for key, client in list(self._clients.items()):
            since, cancel = self._asked[key]
            late = time.monotonic() - since > _DISCOVERY
            if late and self._graph_tells and client not in there:
                cancel()

    def _look_at_goals(self) -> None:
        there = self._there()
        for key, (since, cancel, doubt) in list(self._sent.items()):
            senders = self._senders[key]
            if time.monotonic() - since < _DISCOVERY:
                senders.update(there)
            elif senders and there.isdisjoint(senders):
                cancel()
            else:
                doubt(not senders <= there)

    def _there(self) -> set[bytes]:
        """Who could send a goal."""
        ends = self._node.get_publishers_info_by_topic(self._goals, no_mangle=True)
        return {bytes(end.endpoint_gid) for end in ends}
