# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Image callback to planned frame through rclpy, and whether frames are lost at 30 fps.

Everything is real: a recording, `bag_player`, the node, and beside it a subscriber that does
nothing, each in a process of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from vlmaxxing_msgs.msg import FreshBudget
from vlmaxxing_ros.client import Client
from vlmaxxing_ros.demo.recordings import write_recording
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.ros.dds import use_profile

SECONDS = 20.0
FPS = 30.0


def measure() -> dict[str, float]:
    """Play 640x480 raw at 30 fps into the node; frames and latencies.

    Returns:
        frames sent, received by the idle subscriber and by the node, planned and dropped; medians
        (s) of conversion and planning; and of `behind_idle`: how much later than the idle
        subscriber's word a third process has the node's, less what vision and prefill took.
    """
    os.environ['ROS_DOMAIN_ID'] = str(1 + os.getpid() % 100)
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    use_profile()
    programs = Path(sys.executable).parent
    quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
    heard: dict[str, list[tuple[float, FreshBudget]]] = {'camera': [], 'idle': []}
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as opened:
        world = Tabletop(seed=1, size=(480, 640), duration=SECONDS)
        bag = write_recording(Path(scratch) / 'bag', world, fps=FPS)
        for command in (
            [programs / 'vlmaxxing_node', '--ros-args', '-p', 'autostart:=true'],
            [sys.executable, '-m', 'bench.idle_subscriber'],
        ):
            process = subprocess.Popen(command, **quiet)
            opened.callback(process.wait)
            opened.callback(process.terminate)
        client = opened.enter_context(Client())
        client.on_budget(lambda budget: heard[budget.camera].append((time.monotonic(), budget)))
        if not client.wait(60.0):
            raise RuntimeError('the node did not come up')
        player = [programs / 'bag_player', bag, '--qos', 'sensor', '--wait-for-subscribers', '2']
        subprocess.run(player, check=True, **quiet)
        time.sleep(2.0)
    planned = [budget for _, budget in heard['camera']]
    return {
        'sent': round(SECONDS * FPS),
        'idle_received': len(heard['idle']),
        'received': planned[-1].frames_received,
        'planned': planned[-1].frames_planned,
        'dropped': planned[-1].frames_dropped,
        'convert_median': statistics.median(b.convert_time for b in planned),
        'plan_median': statistics.median(b.plan_time for b in planned),
        'behind_idle_median': statistics.median(_behind(heard['idle'], heard['camera'])),
    }


def _behind(
    idle: list[tuple[float, FreshBudget]], node: list[tuple[float, FreshBudget]]
) -> list[float]:
    """Seconds from the idle subscriber's word to the node's, per frame, model's work left out."""
    came = {(b.header.stamp.sec, b.header.stamp.nanosec): at for at, b in idle}
    found = []
    for at, budget in node:
        stamp = budget.header.stamp
        if (stamp.sec, stamp.nanosec) in came:
            model = budget.vision_time + budget.prefill_time
            found.append(at - came[stamp.sec, stamp.nanosec] - model)
    return found
