# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The robot has the cameras, another machine the model: start this on both.

On the robot `machine:=robot peer:=COMPUTER raw:=/front/image_raw`, where COMPUTER is the other
one's address and `raw` what the camera's driver does not compress by itself; on the other machine
`machine:=compute peer:=ROBOT base_topic:=/front/image_raw`, and any argument of
vlmaxxing.launch.py.

Sets the middleware for what it starts.  The driver, and whoever asks, need the same variables.
"""

from __future__ import annotations

import os

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import EqualsSubstitution, LaunchConfiguration
from launch_ros.actions import Node

CYCLONE, ZENOH = 'rmw_cyclonedds_cpp', 'rmw_zenoh_cpp'


def generate_launch_description() -> LaunchDescription:
    """The arguments, and what runs on this machine."""
    share = get_package_share_directory('vlmaxxing_ros')
    node = os.path.join(share, 'launch', 'vlmaxxing.launch.py')
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'machine',
                choices=['robot', 'compute'],
                description='which of the two this one is: where the cameras or the model are',
            ),
            DeclareLaunchArgument(
                'peer', description='address of the other machine, as this one reaches it'
            ),
            DeclareLaunchArgument(
                'middleware',
                default_value='',
                choices=['', 'rmw_fastrtps_cpp', CYCLONE, ZENOH],
                description='RMW_IMPLEMENTATION, the same on both; empty: as in the environment',
            ),
            DeclareLaunchArgument(
                'raw',
                default_value='',
                description='robot: topic of raw images to compress, where the driver does not',
            ),
            DeclareLaunchArgument(
                'transport',
                default_value='compressed',
                choices=['raw', 'compressed', 'compressedDepth', 'ffmpeg'],
                description='how the images cross the link: raw ones of a few MB are lost on it',
            ),
            OpaqueFunction(function=connect),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(node),
                condition=IfCondition(
                    EqualsSubstitution(LaunchConfiguration('machine'), 'compute')
                ),
            ),
        ]
    )


def connect(context: LaunchContext) -> list[Action]:
    """Variables of the middleware, its router where it has one, and the robot's compression."""

    def value(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    middleware, raw = value('middleware'), value('raw')
    # Of DDS: whom to look for where multicast does not pass.  Zenoh's routers have addresses.
    actions: list[Action] = [SetEnvironmentVariable('ROS_STATIC_PEERS', value('peer'))]
    if middleware:
        actions.append(SetEnvironmentVariable('RMW_IMPLEMENTATION', middleware))
    if middleware == CYCLONE and 'CYCLONEDDS_URI' not in os.environ:
        share = get_package_share_directory('vlmaxxing_ros')
        ours = f'file://{os.path.join(share, "config", "cyclonedds.xml")}'
        actions.append(SetEnvironmentVariable('CYCLONEDDS_URI', ours))
        actions.append(SetEnvironmentVariable('VLMAXXING_PEER', value('peer')))
    if middleware == ZENOH:
        there = f'connect/endpoints=["tcp/{value("peer")}:7447"]'
        connects = {'ZENOH_CONFIG_OVERRIDE': there} if value('machine') == 'compute' else {}
        actions.append(
            Node(package=ZENOH, executable='rmw_zenohd', output='screen', additional_env=connects)
        )
    if value('machine') == 'robot' and raw:
        actions.append(
            Node(
                package='image_transport',
                executable='republish',
                parameters=[{'in_transport': 'raw', 'out_transport': value('transport')}],
                remappings=[
                    ('in', raw),
                    (f'out/{value("transport")}', f'{raw}/{value("transport")}'),
                ],
                output='screen',
            )
        )
    return actions
