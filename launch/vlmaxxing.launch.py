# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Start the node and make it active.

    ros2 launch vlmaxxing_ros vlmaxxing.launch.py image:=/front/image_raw

Every argument left empty is as in the parameter file.  Autostart is the node's own, so that this
works with every launch_ros and no transition event can be missed.
"""

from __future__ import annotations

import os

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode

from launch import LaunchContext, LaunchDescription

PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
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
                'image',
                default_value='',
                description='topic to read in place of camera/image',
            ),
            DeclareLaunchArgument(
                'transport',
                default_value='',
                choices=['', 'raw', 'compressed'],
                description='type of that topic: raw is Image, compressed is CompressedImage',
            ),
            DeclareLaunchArgument(
                'namespace',
                default_value='',
                description='namespace of the node and of its cameras',
            ),
            DeclareLaunchArgument(
                'use_sim_time',
                default_value='false',
                choices=['true', 'false'],
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
            OpaqueFunction(function=start, args=[os.path.join(config, 'fastdds_shm.xml')]),
        ]
    )


def start(context: LaunchContext, profile: str) -> list[SetEnvironmentVariable | LifecycleNode]:
    """The node, and the Fast DDS profile for large images unless another one is in use."""

    def value(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    logger = '.'.join([*value('namespace').strip('/').split('/'), 'vlmaxxing']).lstrip('.')
    given = {'model': value('model'), 'camera.transport': value('transport')}
    switches = {name: value(name) == 'true' for name in ('use_sim_time', 'autostart')}
    node = LifecycleNode(
        package='vlmaxxing_ros',
        executable='vlmaxxing_node',
        name='vlmaxxing',
        namespace=value('namespace'),
        parameters=[
            value('params_file'),
            {**{name: text for name, text in given.items() if text}, **switches},
        ],
        remappings=[('camera/image', value('image'))] if value('image') else [],
        ros_arguments=['--log-level', f'{logger}:={value("log_level")}'],
        output='screen',
    )
    if any(context.environment.get(variable) for variable in PROFILE_VARIABLES):
        return [node]
    return [*(SetEnvironmentVariable(name, profile) for name in PROFILE_VARIABLES), node]
