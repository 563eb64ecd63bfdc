# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""config/vlmaxxing.yaml holds the defaults, and ROS reads it as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

import rclpy
from rclpy.node import Node

from vlmaxxing_ros.ros.parameters import Parameters
from vlmaxxing_ros.ros.parameters_file import parameters_file
from vlmaxxing_ros.ros.settings import CameraConfig, Settings

FILE = Path(__file__).resolve().parents[2] / 'config' / 'vlmaxxing.yaml'
DEFAULTS = Settings(cameras={'camera': CameraConfig()})


def test_the_file_is_what_the_code_writes() -> None:
    assert FILE.read_text() == parameters_file(), 'run python -m vlmaxxing_ros.ros.parameters_file'


@pytest.mark.parametrize('edit', [('', ''), ('keyframe_interval: 1.0', 'keyframe_interval: .inf')])
def test_a_node_given_the_file_has_the_settings_in_it(
    tmp_path: Path, edit: tuple[str, str]
) -> None:
    (tmp_path / 'edited.yaml').write_text(FILE.read_text().replace(*edit))
    arguments = ['--ros-args', '--params-file', str(tmp_path / 'edited.yaml')]
    context = rclpy.Context()
    rclpy.init(context=context)
    node = Node('vlmaxxing', context=context, namespace='robot', cli_args=arguments)
    settings = Parameters(node, lambda _: None, lambda _: '').settings
    node.destroy_node()
    rclpy.shutdown(context=context)
    if edit == ('', ''):
        assert settings == DEFAULTS
    else:
        assert settings.engine.keyframe_interval == float('inf')
