# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The executables: what happens before their libraries are loaded, and when one of those fails.

Knows modules by name only: loading them takes a second, in which Ctrl-C has to end quietly.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys


def bag_player() -> int:
    """Play a recording into ROS 2."""
    return _run('bag_player', 'vlmaxxing_ros.ros.bag_player', interrupted=0)


def video_player() -> int:
    """Publish a video as a camera would."""
    return _run('video_player', 'vlmaxxing_ros.ros.video_player', interrupted=0)


def doctor() -> int:
    """Check this machine."""
    return _run('vlmaxxing_doctor', 'vlmaxxing_ros.ros.doctor')


def evaluate() -> int:
    """Measure on recordings."""
    return _run('vlmaxxing_evaluate', 'vlmaxxing_ros.evaluation.main', failed=2)


def node() -> int:
    """Run the node."""
    return _run('vlmaxxing_node', 'vlmaxxing_ros.ros.running', interrupted=0)


def top() -> int:
    """Watch the node in a terminal."""
    return _run('vlmaxxing_top', 'vlmaxxing_ros.ros.top', interrupted=0)


def _run(name: str, module: str, *, interrupted: int = 130, failed: int = 1) -> int:
    """Load a module and run its `main`; returns the exit status, whatever is raised.

    Args:
        name: of the executable.
        module: that has `main`.
        interrupted: exit status after Ctrl-C.
        failed: exit status after an error that nobody expected.
    """
    # No exception: the libraries being loaded would wrap it or print it.
    signal.signal(signal.SIGINT, lambda *_: os._exit(interrupted))
    try:
        main = importlib.import_module(module).main
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return int(main() or 0)
    except KeyboardInterrupt:
        return interrupted
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        text = ' '.join(str(error).split())
        print(
            f'{name}: {type(error).__name__}: {text} (PYTHONDEVMODE=1 shows where)', file=sys.stderr
        )
        return failed
