# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Shared memory that killed processes leave behind: the line in the documentation clears it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = '/dev/shm/fastrtps_'  # locks of its files end on _el
PROCESS = """
import rclpy
rclpy.init()
node = rclpy.create_node('somebody')
print('there', flush=True)
rclpy.spin(node)
"""


def locks(pid: int) -> set[str]:
    """The locks that a process holds."""
    held = {os.readlink(link) for link in Path(f'/proc/{pid}/fd').iterdir() if link.exists()}
    return {path for path in held if path.startswith(SHARED) and path.endswith('_el')}


@pytest.mark.skipif(shutil.which('flock') is None, reason='needs flock, of util-linux')
def test_what_a_killed_process_left_is_cleared_and_what_others_use_is_not(
    spawn: Callable[..., Any],
) -> None:
    page = (ROOT / 'docs' / 'operations.md').read_text()
    (line,) = re.findall(r'^for lock in /dev/shm/fastrtps_\*_el; do .* done$', page, re.M)
    killed, living = (spawn(sys.executable, '-c', PROCESS) for _ in range(2))
    for process in (killed, living):
        process.wait_for('there')
    left, used = locks(killed.pid), locks(living.pid)
    assert left
    assert used
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    # Not all that this machine has: only what is ours to clear.
    ours = line.replace('/dev/shm/fastrtps_*_el', ' '.join(sorted(left | used)))
    subprocess.run(['sh', '-c', ours], check=False)  # its status says that the last one is in use
    for lock in left:
        assert not Path(lock).exists()
        assert not Path(lock.removesuffix('_el')).exists()
    for lock in used:
        assert Path(lock).exists()
        assert Path(lock.removesuffix('_el')).exists()
