# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Write `config/vlmaxxing.yaml`: every parameter with its default, its meaning as a comment.

python -m vlmaxxing_ros.ros.parameters_file > config/vlmaxxing.yaml
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import Field, fields
from typing import Any

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.ros.settings import CameraConfig, NodeConfig
from vlmaxxing_ros.ros.watch_settings import WatchConfig

HEADER = """\
# Every parameter of the node vlmaxxing, at its default.  Made from the code; a test compares them:
#     python -m vlmaxxing_ros.ros.parameters_file > config/vlmaxxing.yaml
# fixed: cannot be changed while the node runs.
/**:
  ros__parameters:
"""


def parameters_file() -> str:
    """The text of `config/vlmaxxing.yaml`."""
    parts = [HEADER]
    parts += [_entry(spec, 4) for spec in fields(NodeConfig)]
    for camera in NodeConfig().cameras:
        parts.append(f'    {camera}:\n')
        parts += [_entry(spec, 6) for spec in fields(CameraConfig)]
    parts.append('    # With watches: [gripper] each of its parameters is called gripper.<name>:\n')
    parts.append('    # gripper:\n')
    parts += [_commented(_entry(spec, 6), 4) for spec in fields(WatchConfig)]
    parts.append('\n    # The engine\n')
    parts += [_entry(spec, 4) for spec in fields(EngineConfig)]
    return ''.join(parts)


def _entry(spec: Field[Any], indent: int) -> str:
    about = spec.metadata
    notes = [about['description'] + (f' [{about["unit"]}]' if about['unit'] else '')]
    low, high = about['minimum'], about['maximum']
    if about['choices']:
        notes.append(f'one of {", ".join(about["choices"])}')
    if low is not None:
        notes.append(f'at least {low}' if high is None else f'{low} to {high}')
    if about['fixed']:
        notes.append('fixed')
    margin = ' ' * indent
    comment = textwrap.fill(
        '; '.join(notes), 99, initial_indent=f'{margin}# ', subsequent_indent=f'{margin}#   '
    )
    return f'{comment}\n{margin}{spec.name}: {_value(spec.default)}\n'


def _commented(text: str, indent: int) -> str:
    """Lines that are there to be read only."""
    lines = (f'{line[:indent]}# {line[indent:]}\n' for line in text.splitlines())
    return ''.join(lines)


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f'[{", ".join(map(_value, value))}]'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isinf(value):
        return '.inf'
    return str(value) or "''"


if __name__ == '__main__':
    print(parameters_file(), end='')
