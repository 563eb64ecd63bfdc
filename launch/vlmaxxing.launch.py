# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Start the node and make it active.

    ros2 launch vlmaxxing_ros vlmaxxing.launch.py image:=/front/image_raw

Every argument left empty is as in the parameter file.  Autostart is the node's own: launch_ros has
it only from 0.26.7 (Jazzy) on, and nobody has to wait for a transition event.
"""

from __future__ import annotations

import os
from typing import Any

import yaml
from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.utilities import prefix_namespace

ENDING = '20'
"""Seconds that the node has after SIGTERM: a large model may be in the middle of a frame."""

TOPICS = ('image', 'twist', 'camera_info', 'regions')
"""Topics of a camera, read in place of <camera>/image and so on."""

OF_ONE_CAMERA = ('base_topic', 'transport', *TOPICS)
"""Arguments that are about the camera `camera`."""

LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal']


def generate_launch_description() -> LaunchDescription:
    """The arguments, and the actions that depend on them."""
    config = os.path.join(get_package_share_directory('vlmaxxing_ros'), 'config')
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'params_file',
                default_value=os.path.join(config, 'vlmaxxing.yaml'),
                description='parameter file of the node; config/vlmaxxing.yaml explains each',
            ),
            DeclareLaunchArgument(
                'model',
                default_value='',
                description='nano (built in), a model folder, or a hub id',
            ),
            DeclareLaunchArgument(
                'cameras_file',
                default_value='',
                description='YAML file of all cameras and their topics, as config/cameras.yaml; '
                'in place of image, base_topic, transport, twist, camera_info and regions',
            ),
            DeclareLaunchArgument(
                'image',
                default_value='',
                description='topic to read in place of camera/image',
            ),
            DeclareLaunchArgument(
                'base_topic',
                default_value='',
                description='topic of image_transport to read in place of image, such as '
                '/front/image_raw: /front/image_raw/compressed is found by the transport',
            ),
            DeclareLaunchArgument(
                'twist',
                default_value='',
                description='topic to read in place of camera/twist: how the camera turns',
            ),
            DeclareLaunchArgument(
                'camera_info',
                default_value='',
                description='topic to read in place of camera/camera_info; needed with twist only',
            ),
            DeclareLaunchArgument(
                'regions',
                default_value='',
                description='topic to read in place of camera/regions: what must never wait',
            ),
            DeclareLaunchArgument(
                'transport',
                default_value='',
                choices=['', 'raw', 'compressed', 'compressedDepth', 'ffmpeg'],
                description='how the images are sent, by its name in image_transport',
            ),
            DeclareLaunchArgument(
                'namespace',
                default_value='',
                description='namespace of the node and of its cameras',
            ),
            DeclareLaunchArgument(
                'use_sim_time',
                default_value='',
                choices=['', 'true', 'false'],
                description='follow /clock, as for recordings and simulators',
            ),
            DeclareLaunchArgument(
                'autostart',
                default_value='true',
                choices=['true', 'false'],
                description='configure and activate at once; false: a lifecycle manager does it',
            ),
            DeclareLaunchArgument(
                'log_level',
                default_value='info',
                choices=LOG_LEVELS,
                description='what the node logs',
            ),
            OpaqueFunction(function=start),
        ]
    )


def start(context: LaunchContext) -> list[Action]:
    """The node.

    Raises:
        FileNotFoundError: there is no such parameter file; launch_ros alone would only warn.
        ValueError: the cameras cannot be read, or are given twice.
    """

    def value(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    params_file = value('params_file')
    if not os.path.isfile(params_file):
        raise FileNotFoundError(f'params_file: no such file: {params_file}')
    if value('cameras_file'):
        if both := [name for name in OF_ONE_CAMERA if value(name)]:
            raise ValueError(f'{", ".join(both)}: write it in cameras_file, for its camera')
        given, remapped = read_cameras(value('cameras_file'))
    else:
        given = {f'camera.{name}': value(name) for name in ('transport', 'base_topic')}
        remapped = {f'camera/{name}': value(name) for name in TOPICS}
    given['model'] = value('model')
    switches = {name: value(name) for name in ('use_sim_time', 'autostart')}
    # PushROSNamespace of an including launch file comes first, as in launch_ros itself.
    pushed = context.launch_configurations.get('ros_namespace')
    namespace = prefix_namespace(pushed, value('namespace')) or ''
    logger = '.'.join(filter(None, [*namespace.split('/'), 'vlmaxxing']))
    return [
        LifecycleNode(
            package='vlmaxxing_ros',
            executable='vlmaxxing_node',
            name='vlmaxxing',
            namespace=value('namespace'),
            parameters=[
                params_file,
                {name: setting for name, setting in given.items() if setting != ''}
                | {name: text == 'true' for name, text in switches.items() if text},
            ],
            remappings=[(topic, other) for topic, other in remapped.items() if other],
            ros_arguments=['--log-level', f'{logger}:={value("log_level")}'],
            output='screen',
            sigterm_timeout=ENDING,
        )
    ]


def read_cameras(path: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Parameters and remappings from a file of cameras.

    Raises:
        ValueError: it is none; the text says why.
    """
    try:
        with open(path, encoding='utf-8') as file:
            cameras = yaml.safe_load(file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f'cameras_file: {path} cannot be read: {error}') from error
    if not isinstance(cameras, dict) or not cameras:
        raise ValueError(f'cameras_file: {path} names no cameras; see config/cameras.yaml')
    parameters: dict[str, Any] = {'cameras': list(cameras)}
    remapped: dict[str, str] = {}
    for camera, settings in cameras.items():
        if not isinstance(settings, dict):
            raise ValueError(f'cameras_file: {camera} needs settings; see config/cameras.yaml')
        for name, setting in settings.items():
            if name in TOPICS:
                remapped[f'{camera}/{name}'] = setting
            else:
                parameters[f'{camera}.{name}'] = setting
    return parameters, remapped
