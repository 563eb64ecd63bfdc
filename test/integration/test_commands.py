# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The executables as they are installed: what goes wrong is one line, and Ctrl-C is none."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Spawn = Callable[..., Any]
BIN = Path(sys.executable).parent


def command(name: str) -> Path:
    """An installed executable."""
    path = BIN / name
    if not path.exists():
        pytest.skip(f'{name} is not installed beside this Python')
    return path


@pytest.mark.parametrize('after', [0.25, 0.5, 0.8, 1.2])
@pytest.mark.parametrize(
    ('name', 'status'),
    [
        ('bag_player', 0),
        ('video_player', 0),
        ('vlmaxxing_doctor', 130),
        ('vlmaxxing_evaluate', 130),
        ('vlmaxxing_node', 0),
    ],
)
def test_ctrl_c_while_it_starts_ends_it_quietly(
    spawn: Spawn, tmp_path: Path, name: str, status: int, after: float
) -> None:
    (tmp_path / 'questions.yaml').write_text('- {id: q, at: 0, question: What?}\n')
    arguments = {
        'bag_player': [tmp_path],
        'video_player': [tmp_path],
        'vlmaxxing_evaluate': [tmp_path, '--questions', tmp_path / 'questions.yaml'],
    }
    process = spawn(command(name), *arguments.get(name, []))
    time.sleep(after)
    if process.running:
        os.kill(process.pid, signal.SIGINT)
        # Over before the signal came: a folder that is no recording, no --out.
        assert process.wait() in (status, 1, 2), process.output
    assert 'Traceback' not in process.output


@pytest.mark.parametrize('name', ['vlmaxxing_node', 'bag_player'])
@pytest.mark.parametrize(
    ('text', 'said'),
    [
        (None, 'opening YAML file'),
        ('a: [', 'parse params file'),
        ('hello', 'is no parameter file'),
        ('/**:\n  ros__parameters:\n    cameras: [a, 1]\n', 'same type'),
    ],
)
def test_a_parameter_file_that_cannot_be_read_is_one_line(
    spawn: Spawn, tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    file = tmp_path / 'parameters.yaml'
    if text is not None:
        file.write_text(text)
    bag = [tmp_path] if name == 'bag_player' else []
    process = spawn(command(name), *bag, '--ros-args', '--params-file', file)
    assert process.wait() == 1
    (line,) = process.output.splitlines()
    assert said in line
    assert str(file) in line


@pytest.mark.parametrize(
    ('argument', 'said'),
    [
        ('deadline:=30', 'deadline must be a number with a point, not 30: write 30.0'),
        ('camera.depth_range:=[0, 4]', 'write [0.0, 4.0]'),
        ('autostart:=1', 'autostart must be true or false, not 1: write true'),
        ('model:=7', "write '7', quotes included"),
        ('cameras:=front', 'write [front]'),
        ('max_waiting_questions:=2.5', 'must be a whole number, not 2.5'),
        ('deadline:=-1.0', 'deadline'),
        ('deadline', 'parse parameter override rule'),
    ],
)
def test_a_parameter_that_cannot_be_is_one_line_that_says_what_to_write(
    spawn: Spawn, argument: str, said: str
) -> None:
    process = spawn(command('vlmaxxing_node'), '--ros-args', '-p', argument)
    assert process.wait() == 1
    (line,) = process.output.splitlines()
    assert said in line


@pytest.mark.parametrize('argument', ['model:=nano', '--model'])
def test_an_argument_that_is_none_of_ros_s_is_one_line_that_says_how_they_are_given(
    spawn: Spawn, argument: str
) -> None:
    process = spawn(command('vlmaxxing_node'), argument, '--ros-args', '-p', 'autostart:=true')
    assert process.wait() == 1
    (line,) = process.output.splitlines()
    assert f'unknown arguments: {argument}; parameters are given as --ros-args -p' in line


def test_an_error_that_nobody_expected_is_one_line(spawn: Spawn, tmp_path: Path) -> None:
    # A folder where the questions should be: no check of ours, an error of Python's.
    process = spawn(
        command('vlmaxxing_evaluate'),
        *(tmp_path, '--questions', tmp_path, '--out', tmp_path / 'out'),
    )
    assert process.wait() == 2
    assert 'Traceback' not in process.output
    assert 'Is a directory' in process.output
