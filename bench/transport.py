# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Image callback to planned frame through rclpy, and whether frames are lost at 30 fps.

Everything is real: a recording, `bag_player`, the node, each in a process of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vlmaxxing_ros.demo.recordings import write_recording
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.ros.client import Client
from vlmaxxing_ros.ros.dds import use_profile

SECONDS = 20.0
FPS = 30.0


def measure() -> dict[str, float]:
    """Play 640x480 raw at 30 fps into the node; frames and latencies.

    Returns:
        frames sent and received, frames planned and dropped, and the medians (s) of conversion and
        planning per frame.
    """
    os.environ['ROS_DOMAIN_ID'] = str(1 + os.getpid() % 100)
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    use_profile()
    programs = Path(sys.executable).parent
    budgets = []
    with tempfile.TemporaryDirectory() as scratch:
        world = Tabletop(seed=1, size=(480, 640), duration=SECONDS)
        bag = write_recording(Path(scratch) / 'bag', world, fps=FPS)
        node = subprocess.Popen(
            [programs / 'vlmaxxing_node', '--ros-args', '-p', 'autostart:=true'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            with Client() as client:
                client.on_budget(budgets.append)
                if not client.wait(60.0):
                    raise RuntimeError('the node did not come up')
                player = [programs / 'bag_player', bag, '--qos', 'sensor']
                subprocess.run(
                    [*player, '--wait-for-subscribers', '1'],
                    check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                time.sleep(2.0)
        finally:
            node.terminate()
            node.wait()
    last = budgets[-1]
    return {
        'sent': round(SECONDS * FPS),
        'received': last.frames_received,
        'planned': last.frames_planned,
        'dropped': last.frames_dropped,
        'convert_median': statistics.median(b.convert_time for b in budgets),
        'plan_median': statistics.median(b.plan_time for b in budgets),
    }
