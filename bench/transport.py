# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Image callback to planned frame through rclpy, and whether frames are lost at 30 fps.

Everything is real: a recording, `bag_player`, the node, and beside it a subscriber that does
nothing, each in a process of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vlmaxxing_msgs.msg import FreshBudget
from vlmaxxing_ros.demo.recordings import write_recording
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.ros.client import Client
from vlmaxxing_ros.ros.dds import use_profile

SECONDS = 20.0
FPS = 30.0


def measure() -> dict[str, float]:
    """Play 640x480 raw at 30 fps into the node; frames and latencies.

    Returns:
        frames sent, received by the idle subscriber and by the node, planned and dropped; medians
        (s) of conversion and planning; and of `behind_idle`: how long after the idle subscriber's
        callback another process has the frame's budget, less what vision and prefill took.
        That is callback to planned frame, and the budget's own way through DDS besides.
    """
    os.environ['ROS_DOMAIN_ID'] = str(1 + os.getpid() % 100)
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    use_profile()
    programs = Path(sys.executable).parent
    quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
    budgets: list[tuple[int, FreshBudget]] = []
    with tempfile.TemporaryDirectory() as scratch:
        world = Tabletop(seed=1, size=(480, 640), duration=SECONDS)
        bag = write_recording(Path(scratch) / 'bag', world, fps=FPS)
        file = Path(scratch) / 'idle.json'
        node = subprocess.Popen(
            [programs / 'vlmaxxing_node', '--ros-args', '-p', 'autostart:=true'], **quiet
        )
        idle = subprocess.Popen(
            [sys.executable, '-m', 'bench.idle_subscriber', 'camera/image', file], **quiet
        )
        try:
            with Client() as client:
                client.on_budget(lambda budget: budgets.append((time.monotonic_ns(), budget)))
                if not client.wait(60.0):
                    raise RuntimeError('the node did not come up')
                player = [programs / 'bag_player', bag, '--qos', 'sensor']
                subprocess.run([*player, '--wait-for-subscribers', '2'], check=True, **quiet)
                time.sleep(2.0)
        finally:
            for process in (node, idle):
                process.terminate()
                process.wait()
        came = json.loads(file.read_text())
    last = budgets[-1][1]
    return {
        'sent': round(SECONDS * FPS),
        'idle_received': len(came),
        'received': last.frames_received,
        'planned': last.frames_planned,
        'dropped': last.frames_dropped,
        'convert_median': statistics.median(b.convert_time for _, b in budgets),
        'plan_median': statistics.median(b.plan_time for _, b in budgets),
        'behind_idle_median': statistics.median(_behind(came, budgets)),
    }


def _behind(came: dict[str, int], budgets: list[tuple[int, FreshBudget]]) -> list[float]:
    """Seconds from the idle callback to the budget, per frame, without the model's work."""
    found = []
    for at, budget in budgets:
        stamp = budget.header.stamp
        if callback := came.get(str(stamp.sec * 10**9 + stamp.nanosec)):
            model = budget.vision_time + budget.prefill_time
            found.append((at - callback) * 1e-9 - model)
    return found
