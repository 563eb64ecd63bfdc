# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Initialise ROS for one of our executables; arguments that ROS cannot use are one line.

Knows nothing of nodes.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import rclpy
import yaml
from rclpy.logging import LoggingSeverity, set_logger_level
from rclpy.signals import SignalHandlerOptions

from vlmaxxing_ros.ros.dds import use_profile

_WHERE = re.compile(r',? at (/\S+\.c:\d+|line 0)')  # in rcl's own sources


class ArgumentsError(Exception):
    """ROS arguments or a parameter file that cannot be used; the text says which."""


def refuse_arguments() -> None:
    """For an executable that takes ROS arguments only: rclpy ignores any other, or renames topics.

    Raises:
        ArgumentsError: there is one; the text says how parameters and topics are given.
    """
    beside, ros = [], False
    for argument in sys.argv[1:]:
        if argument in ('--ros-args', '--'):
            ros = argument == '--ros-args'
        elif not ros:
            beside.append(argument)
    if beside:
        raise ArgumentsError(
            f'unknown arguments: {" ".join(beside)}; parameters are given as --ros-args -p '
            'name:=value, topics as --ros-args -r from:=to'
        )


def start_ros() -> None:
    """Initialise rclpy's default context; signals stay with the caller.

    Raises:
        ArgumentsError: after `--ros-args` stands something that ROS does not take.
    """
    use_profile()
    for option, file in pairwise(sys.argv):
        if option == '--params-file':
            _check_file(Path(file))
    set_logger_level('rcl', LoggingSeverity.FATAL)  # it would say the same, in other words
    try:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:
        text = _WHERE.sub('', str(error)).removeprefix('failed to initialize rcl: ')
        raise ArgumentsError(f'ROS arguments: {" ".join(text.split())}') from error
    set_logger_level('rcl', LoggingSeverity.UNSET)


def _check_file(file: Path) -> None:
    """Refuse a text that is no parameter file: rcl would take it for an empty one."""
    with suppress(OSError, ValueError, yaml.YAMLError):  # rcl says what is wrong
        content = yaml.safe_load(file.read_text(encoding='utf-8'))
        if not isinstance(content, dict | None):
            raise ArgumentsError(f'{file} is no parameter file: it must begin with /**: or a node')
