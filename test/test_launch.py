# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The launch file, read and run by the real launch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('launch_ros', reason='launch is not on PyPI: run this where ROS is installed')

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from integration.ros_process import Peer, wait_until
from launch.launch_description_sources import get_launch_description_from_any_launch_file
from rcl_interfaces.srv import GetParameters

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / 'launch' / 'vlmaxxing.launch.py'
TWO = ROOT / 'launch' / 'two_machines.launch.py'
VARIANTS = [FILE, *(FILE.with_suffix(f'.{kind}') for kind in ('xml', 'yaml'))]

RUN = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import AnyLaunchDescriptionSource
from launch_ros.actions import PushROSNamespace

source = AnyLaunchDescriptionSource(sys.argv[1])
arguments = [argument.split(':=') for argument in sys.argv[2:]]
service = LaunchService()
service.include_launch_description(
    LaunchDescription(
        [
            PushROSNamespace('fleet'),
            IncludeLaunchDescription(source, launch_arguments=arguments),
        ]
    )
)
sys.exit(service.run())
"""


@pytest.fixture(autouse=True)
def installed() -> None:
    """Launch finds the node where colcon or make has put it."""
    try:
        prefix = Path(get_package_prefix('vlmaxxing_ros'))
    except PackageNotFoundError:
        pytest.skip('vlmaxxing_ros is not installed: build it with colcon, or run make setup')
    assert (prefix / 'lib' / 'vlmaxxing_ros' / 'vlmaxxing_node').exists()


def arguments_of(file: Path) -> dict[str, Any]:
    """What `ros2 launch FILE --show-args` shows."""
    description = get_launch_description_from_any_launch_file(str(file))
    return {argument.name: argument for argument in description.get_launch_arguments()}


@pytest.mark.parametrize('file', VARIANTS, ids=lambda file: file.suffix)
def test_every_argument_is_described_and_has_a_default(file: Path) -> None:
    arguments = arguments_of(file)
    assert arguments.keys() == {
        'params_file',
        'model',
        'cameras_file',
        'image',
        'base_topic',
        'twist',
        'camera_info',
        'regions',
        'transport',
        'namespace',
        'use_sim_time',
        'autostart',
        'log_level',
    }
    for argument in arguments.values():
        assert len(argument.description) > 10
        assert argument.default_value is not None


@pytest.mark.parametrize('file', VARIANTS, ids=lambda file: file.suffix)
def test_the_node_is_launched_as_told_and_ends_with_the_launch(
    spawn: Callable[..., Any], tmp_path: Path, file: Path
) -> None:
    launched = spawn(
        *(sys.executable, '-c', RUN, file),
        *(f'model:={tmp_path}/none', 'image:=/front/image_raw', 'namespace:=robot'),
    )
    said = launched.wait_for('not configured: ', timeout=90.0)
    assert f'{tmp_path}/none' in said, 'autostarted with the model given'
    assert '[fleet.robot.vlmaxxing]' in said
    launched.interrupt()
    assert 'process has finished cleanly' in launched.output


@pytest.mark.parametrize(
    ('argument', 'said'),
    [
        ('transport:=theora', 'is not valid. Valid options are'),
        ('autostart:=maybe', 'is not valid. Valid options are'),
        ('params_file:=/nope.yaml', 'no such file: /nope.yaml'),
        ('cameras_file:=/nope.yaml', '/nope.yaml cannot be read'),
        (f'cameras_file:={ROOT}/config/fastdds_shm.xml', 'names no cameras'),
    ],
)
def test_an_argument_that_cannot_be_is_refused(
    spawn: Callable[..., Any], argument: str, said: str
) -> None:
    launched = spawn(sys.executable, '-c', RUN, FILE, argument)
    assert launched.wait() != 0
    assert said in launched.output


def test_the_log_level_is_the_nodes_wherever_it_is_pushed(
    spawn: Callable[..., Any], tmp_path: Path
) -> None:
    launched = spawn(
        *(sys.executable, '-c', RUN, FILE),
        *(f'model:={tmp_path}/none', 'namespace:=robot', 'log_level:=error'),
    )
    launched.wait_for('not configured: ', timeout=90.0)
    assert 'loading the model' not in launched.output


def test_the_cameras_topics_are_those_given(spawn: Callable[..., Any]) -> None:
    given = {'image': '/front/image_raw', 'twist': '/front/twist', 'camera_info': '/front/info'}
    given['regions'] = '/front/gripper'
    remapped = (f'{name}:={topic}' for name, topic in given.items())
    launched = spawn(sys.executable, '-c', RUN, FILE, *remapped)
    peer = Peer()
    for topic in given.values():
        wait_until(lambda topic=topic: peer.count_subscribers(topic), timeout=90.0, what=topic)
    peer.close()
    launched.interrupt()


def test_what_is_not_given_is_as_in_the_parameter_file(
    spawn: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / 'parameters.yaml'
    file.write_text('/**:\n  ros__parameters:\n    use_sim_time: true\n    high: 9.5\n')
    launched = spawn(sys.executable, '-c', RUN, FILE, f'params_file:={file}', 'autostart:=false')
    launched.wait_for('unconfigured: ', timeout=90.0)
    peer = Peer()
    request = GetParameters.Request(names=['use_sim_time', 'high', 'autostart'])
    sim_time, high, autostart = peer.call(
        GetParameters, '/fleet/vlmaxxing/get_parameters', request
    ).values
    peer.close()
    assert (sim_time.bool_value, high.double_value, autostart.bool_value) == (True, 9.5, False)


def test_all_cameras_come_from_one_file(spawn: Callable[..., Any]) -> None:
    file = ROOT / 'config' / 'cameras.yaml'
    launched = spawn(sys.executable, '-c', RUN, FILE, f'cameras_file:={file}')
    peer = Peer()
    topics = ('/front/image_raw/compressed', '/front/twist', '/wrist/depth/image_rect_raw')
    for topic in topics:
        wait_until(lambda topic=topic: peer.count_subscribers(topic), timeout=90.0, what=topic)
    request = GetParameters.Request(names=['cameras', 'front.transport', 'wrist.depth_range'])
    cameras, transport, depth = peer.call(
        GetParameters, '/fleet/vlmaxxing/get_parameters', request
    ).values
    peer.close()
    assert list(cameras.string_array_value) == ['front', 'wrist']
    assert transport.string_value == 'compressed'
    assert list(depth.double_array_value) == [0.2, 1.5]
    launched.interrupt()


def test_a_camera_is_not_given_in_two_places(spawn: Callable[..., Any]) -> None:
    given = (f'cameras_file:={ROOT}/config/cameras.yaml', 'image:=/front/image_raw')
    launched = spawn(sys.executable, '-c', RUN, FILE, *given)
    assert launched.wait() != 0
    assert 'image: write it in cameras_file' in launched.output


def test_of_two_machines_the_one_that_computes_runs_the_node(spawn: Callable[..., Any]) -> None:
    assert {'machine', 'peer', 'middleware', 'raw', 'transport'} <= arguments_of(TWO).keys()
    told = ('machine:=compute', 'peer:=127.0.0.1', 'base_topic:=/front/image_raw')
    launched = spawn(sys.executable, '-c', RUN, TWO, *told)
    peer, topic = Peer(), '/front/image_raw/compressed'
    wait_until(lambda: peer.count_subscribers(topic), timeout=90.0, what=topic)
    peer.close()
    launched.interrupt()


def test_of_two_machines_the_robot_compresses_its_images(spawn: Callable[..., Any]) -> None:
    told = ('machine:=robot', 'peer:=127.0.0.1', 'raw:=/front/image_raw')
    launched = spawn(sys.executable, '-c', RUN, TWO, *told)
    try:
        get_package_prefix('image_transport')
    except PackageNotFoundError:  # as in the wheels: launch looks for it in vain
        launched.wait()
        assert "'image_transport' not found" in launched.output
        return
    peer, topic = Peer(), '/front/image_raw/compressed'
    wait_until(lambda: peer.count_publishers(topic), timeout=60.0, what=topic)
    peer.close()
    launched.interrupt()
