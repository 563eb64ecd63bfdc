# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Run the node as a process: spin, start by itself if asked to, and end cleanly on a signal.

rclpy's own signal handlers invalidate the context at once, so that nobody who waits gets an
answer any more.  Here the node is shut down first, while the executor still spins.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from typing import NoReturn

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from vlmaxxing_ros.ros.node import VlmaxxingNode
from vlmaxxing_ros.ros.parameters import ParameterError
from vlmaxxing_ros.ros.starting import ArgumentsError, refuse_arguments, start_ros

_LAST_WORDS = 1.5  # s for the answers to those who still wait
_PATIENCE = 4.0  # s from the signal to the end, whatever hangs


def run() -> int:
    """Run until SIGINT or SIGTERM; 0, or 1 if the node's parameters cannot be used."""
    try:
        refuse_arguments()
        start_ros()
        node = VlmaxxingNode()
    except (ArgumentsError, ParameterError, ParameterException) as error:
        print(f'vlmaxxing: {error}', file=sys.stderr)
        rclpy.try_shutdown()
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: node.stopping.set())
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    spun = threading.Event()
    threading.excepthook = lambda args: _tell(node, args.exc_value, str(args.thread))
    spinner = threading.Thread(target=_spin, args=(node, executor, spun), name='executor')
    spinner.start()
    if node.parameters.settings.node.autostart:
        node.start()
    else:
        node.get_logger().info('unconfigured: waiting for a lifecycle manager, or set autostart')
    while not node.stopping.wait(0.5):  # with a timeout, so that signals get through everywhere
        pass
    node.get_logger().info('shutting down')
    watchdog = threading.Timer(_PATIENCE, _leave_without, args=(node,))
    watchdog.daemon = True
    watchdog.start()
    node.finish()
    deadline = time.monotonic() + _LAST_WORDS
    while node.servers.open and time.monotonic() < deadline:
        time.sleep(0.01)
    if node.servers.open:
        node.get_logger().warning(f'{node.servers.open} questions are left without their answers')
    executor.create_task(spun.set)
    spinner.join(_PATIENCE)
    if not node.worker.stop(_LAST_WORDS):
        node.get_logger().warning('the model is still busy: leaving without it')
    executor.shutdown()
    node.servers.destroy()
    node.destroy_node()
    rclpy.try_shutdown()
    watchdog.cancel()
    return 0


def leave(status: int) -> NoReturn:
    """End the process without finalizing the interpreter.

    The MLX thread's own C++ state takes the GIL when it is destroyed, which may be after the
    thread was joined: during finalization that aborts the process.  Everything else is closed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _spin(node: VlmaxxingNode, executor: SingleThreadedExecutor, spun: threading.Event) -> None:
    """Spin until told not to; an error in one callback ends that callback only."""
    while not spun.is_set():
        try:
            executor.spin_once()
        except ExternalShutdownException:
            node.stopping.set()
            return
        except BaseException as error:  # Rust's panics are no Exception
            _tell(node, error, 'executor')
            node.get_logger().debug(traceback.format_exc())


def _tell(node: VlmaxxingNode, error: BaseException | None, thread: str) -> None:
    """Something was raised that nobody expected; everything goes on."""
    if error is not None:
        node.worker.failures.add('a callback or a thread failed', error, thread)


def _leave_without(node: VlmaxxingNode) -> None:
    node.get_logger().warning('something is still busy: leaving without it')
    leave(0)


def main() -> None:
    """Run the node until SIGINT or SIGTERM."""
    leave(run())


if __name__ == '__main__':
    main()
