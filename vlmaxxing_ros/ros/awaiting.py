# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Results from other threads, awaited in callbacks without blocking the executor.

An rclpy future that is completed elsewhere does not wake the executor by itself; ours do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent import futures
from contextlib import suppress
from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.task import Future


def complete(node: Node, future: Future, result: Any) -> None:
    """Complete an rclpy future from any thread, and have its callback go on."""
    future.set_result(result)
    if node.executor is not None:
        with suppress(InvalidHandle):  # the executor is going down
            node.executor.wake()


async def result_of(node: Node, future: futures.Future[Any]) -> Any:
    """Await a `concurrent.futures` future; raises what it raises."""
    finished = Future()
    future.add_done_callback(lambda _: complete(node, finished, None))
    await finished
    return future.result()


async def in_thread(node: Node, function: Callable[[], Any]) -> Any:
    """Run a function that takes long in a thread of its own; raises what it raises."""
    future: futures.Future[Any] = futures.Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # Rust's panics are no Exception
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await result_of(node, future)
