# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Lets answers out a few at a time.

All clients of a service read one topic: a client with ROS's queue of ten loses its own response
while it is busy, if many go to others at the same moment.
"""

from __future__ import annotations

from collections import deque

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.task import Future

from vlmaxxing_ros.ros.awaiting import complete

_PERIOD = 0.01  # s
_FEW = 1  # at once: a client may have to take the responses of all others one by one
_PERIODS = 100  # in which all that wait are let out


class Pace:
    """Turns to answer, on the executor's thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._waiting: deque[Future] = deque()
        self._free = _FEW
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(_PERIOD, self._let_out, clock=steady)
        self._timer.cancel()

    async def turn(self) -> None:
        """Return when it is time to answer: at once as a rule."""
        if self._timer.is_canceled():
            self._timer.reset()
        if self._free:
            self._free -= 1
            return
        waits = Future()
        self._waiting.append(waits)
        await waits

    def _let_out(self) -> None:
        if not self._waiting and self._free == _FEW:
            self._timer.cancel()
        self._free = max(_FEW, len(self._waiting) // _PERIODS)
        while self._waiting and self._free:
            self._free -= 1
            complete(self._node, self._waiting.popleft(), None)
        self._free = min(self._free, _FEW)
