# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What went wrong in any of the node's threads: logged now and then with a count, and remembered.

Knows nothing of threads, models or rclpy.  May be told from any thread.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol

_PERIOD = 10.0  # s between two lines about the same thing, and for which an error is news
_MOST = 100  # things that are told apart; texts may quote what a stranger sent


class Log(Protocol):
    """What is needed of a logger."""

    def error(self, message: str) -> Any:
        """Say that something failed."""


class Failures:
    """The failures of a node.

    Args:
        log: a logger.

    Attributes:
        last: what failed last and why; empty: nothing has.
        count: how often something failed.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._kinds: dict[str, tuple[float, int]] = {}  # s of time.monotonic, times since then
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._kinds.clear()
            self.last, self.count, self._when = '', 0, 0.0

    @property
    def recent(self) -> bool:
        """Whether something failed just now."""
        return bool(self.last) and time.monotonic() - self._when < _PERIOD

    def add(self, what: str, error: BaseException, who: str = '') -> None:
        """Something failed; `who` is the camera or the thread, if that is known."""
        whose = f'{who}: ' if who else ''
        kind, now = f'{whose}{what}: {type(error).__name__}', time.monotonic()
        with self._lock:
            self.last, self._when = f'{whose}{type(error).__name__}: {error}', now
            self.count += 1
            text = f'{what}: {self.last}'
            if len(self._kinds) > _MOST:
                self._kinds.clear()
            since, times = self._kinds.get(kind, (-_PERIOD, 0))
            if now - since < _PERIOD:
                self._kinds[kind] = since, times + 1
                return
            self._kinds[kind] = now, 0
        self._log.error(f'{text} ({times} times more since it was last said)' if times else text)
