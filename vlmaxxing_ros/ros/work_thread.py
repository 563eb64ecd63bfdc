# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One thread that runs other threads' calls, and its own work in between.

MLX streams belong to the thread that made them: whatever touches the model runs here.  Knows
nothing of models, cameras or ROS.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar('T')
_LONGEST = 3600.0  # s; the operating system's waits have a bound


class WorkThread:
    """A thread that never ends on an error, whatever its kind: Rust's panics are no `Exception`.

    Args:
        work: does one bounded piece of work; returns the seconds until it wants to be called
            again (0: at once, None: when woken).  First called when woken, or after a call.
        on_error: told of anything that `work` raises.
        at_end: called last, before the thread ends.
        name: of the thread.
    """

    def __init__(
        self,
        work: Callable[[], float | None],
        on_error: Callable[[BaseException], None],
        at_end: Callable[[], None] = lambda: None,
        *,
        name: str,
    ) -> None:
        self._work = work
        self._on_error = on_error
        self._at_end = at_end
        self._changed = threading.Condition()
        self._calls: list[tuple[Callable[[], Any], Future[Any]]] = []
        self._woken = False
        self._stopping = False
        # A daemon: a model that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], T]) -> Future[T]:
        """Run a function on the thread, before anything else it has to do."""
        future: Future[T] = Future()
        with self._changed:
            if self._stopping:
                future.cancel()
            else:
                self._calls.append((function, future))
                self._changed.notify()
        return future

    def wake(self) -> None:
        """There is something new to work on."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def stop(self, timeout: float) -> bool:
        """End the thread after what it is doing; False if that takes longer than `timeout` s."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        # So that `top -H` tells the threads apart; Linux only.
        with suppress(OSError):
            Path(f'/proc/self/task/{threading.get_native_id()}/comm').write_text(
                threading.current_thread().name
            )
        pause: float | None = None
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._calls or self._woken or self._stopping, timeout=pause
                )
                calls, self._calls = self._calls, []
                self._woken = False
                stopping = self._stopping
            if stopping:
                for _, future in calls:
                    future.cancel()
                self._at_end()
                return
            for function, future in calls:
                _run_call(function, future)
            try:
                pause = self._work()
                pause = None if pause is None else min(pause, _LONGEST)
            except BaseException as error:
                with suppress(BaseException):
                    self._on_error(error)
                pause = 0.1  # whatever it is, it must not spin


def _run_call(function: Callable[[], Any], future: Future[Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
