# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Where MLX is not installed the doctor says so, and the node's side of a question still loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

WITHOUT = 'import sys; sys.modules["mlx"] = sys.modules["mlx.core"] = None; '


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run a program as it would run without MLX."""
    return subprocess.run(
        [sys.executable, '-c', WITHOUT + code], capture_output=True, text=True, check=False
    )


def test_the_doctor_says_that_it_is_missing() -> None:
    done = run(
        'sys.argv = ["vlmaxxing_doctor"]; '
        'from vlmaxxing_ros.ros.doctor import main; raise SystemExit(main())'
    )
    assert done.returncode == 1, done.stderr
    assert 'mlx' in done.stdout
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize('module', ['ticket', 'question_queue', 'schedule', 'seeing', 'worker'])
def test_a_module_of_the_nodes_side_loads(module: str) -> None:
    done = run(f'import vlmaxxing_ros.ros.{module}')
    assert done.returncode == 0, done.stderr
