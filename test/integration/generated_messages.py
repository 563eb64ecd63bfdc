# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A message package that nobody installed, generated from its `.msg` files as ours is from its own.

The rosidl wheels generate and compile it; both this process and those that it starts then find it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_CMAKE = """cmake_minimum_required(VERSION 3.24)
project({name})
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package(std_msgs REQUIRED)
rosidl_generate_interfaces({name} {files} DEPENDENCIES std_msgs)
ament_package()
"""
_PACKAGE = """<?xml version="1.0"?>
<package format="3">
  <name>{name}</name>
  <version>0.0.0</version>
  <description>Messages for a test.</description>
  <maintainer email="nobody@vlmaxxing-ros.example">nobody</maintainer>
  <license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>std_msgs</depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
</package>
"""


def generate(name: str, messages: dict[str, str], folder: Path) -> Path:
    """Generate a package; `messages` are definitions by type.  Where it was installed."""
    source, prefix = folder / name, folder / 'install'
    (source / 'msg').mkdir(parents=True)
    for kind, definition in messages.items():
        (source / 'msg' / f'{kind}.msg').write_text(definition)
    files = ' '.join(f'"msg/{kind}.msg"' for kind in messages)
    (source / 'CMakeLists.txt').write_text(_CMAKE.format(name=name, files=files))
    (source / 'package.xml').write_text(_PACKAGE.format(name=name))
    shutil.copytree(ROOT / 'vlmaxxing_msgs' / 'cmake', source / 'cmake')
    build = folder / 'build'
    for command in (
        ('-S', source, '-B', build, '-G', 'Ninja', '-DBUILD_TESTING=OFF',
         '-DCMAKE_PROJECT_TOP_LEVEL_INCLUDES=cmake/ros_wheels.cmake',
         f'-DPython3_EXECUTABLE={sys.executable}', f'-DCMAKE_INSTALL_PREFIX={prefix}',
         f'-DCMAKE_INSTALL_RPATH={prefix}/lib'),
        ('--build', build, '--target', 'install'),
    ):  # fmt: skip
        done = subprocess.run(('cmake', *map(str, command)), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    return prefix


@contextmanager
def overlaid(prefix: Path) -> Iterator[None]:
    """An installed package can be imported, here and in processes that are started meanwhile."""
    (modules,) = prefix.glob('lib/python3*/site-packages')
    before = dict(os.environ)
    for variable, path in (('PYTHONPATH', modules), ('LD_LIBRARY_PATH', prefix / 'lib')):
        os.environ[variable] = os.pathsep.join(filter(None, (str(path), before.get(variable))))
    sys.path.insert(0, str(modules))
    for library in sorted(prefix.glob('lib/*.so')):  # ROS loads them by name, from where they are
        ctypes.CDLL(str(library))
    try:
        yield
    finally:
        sys.path.remove(str(modules))
        os.environ.clear()
        os.environ.update(before)
