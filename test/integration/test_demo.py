# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The first command of the README: `make demo` is this executable."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

DEMO = (sys.executable, '-m', 'vlmaxxing_ros.demo.run', '--duration', '5', '--out')


@pytest.mark.skipif(
    not (Path(sys.executable).parent / 'bag_player').exists(),
    reason='the executables are not installed beside this Python',
)
def test_the_demo_answers_and_leaves_a_report_and_says_why_it_cannot(tmp_path: Path) -> None:
    done = subprocess.run((*DEMO, tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    right, asked = map(int, re.findall(r'(\d+) of (\d+) answers right', done.stdout)[0])
    assert 0 < right <= asked
    assert f'report: {tmp_path}/report.html' in done.stdout.replace('\n', '')
    assert 'data:image' in (tmp_path / 'report.html').read_text()

    command = (*DEMO, tmp_path, '--model', tmp_path / 'no_model')
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'did not become active: ' in done.stdout
    assert 'no_model' in done.stdout
