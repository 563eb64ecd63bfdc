# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Every setting as a ROS parameter: declared with description, unit and range, checked, applied.

Knows no particular setting: names, defaults and ranges come from the settings' own dataclasses.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import Field, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterTypeException, ParameterException

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.ros.settings import CameraConfig, NodeConfig, Settings
from vlmaxxing_ros.ros.watch_settings import WatchConfig

if TYPE_CHECKING:
    from rclpy.node import Node
    from rclpy.parameter import Parameter

INT64 = 2**63 - 1
_Named = TypeVar('_Named', CameraConfig, WatchConfig)


class ParameterError(Exception):
    """A parameter given at start cannot be used; the text names it and says what is allowed."""


def descriptor(spec: Field[Any]) -> ParameterDescriptor:
    """Describe one setting the ROS way: text with unit and choices, range, read-only."""
    about = spec.metadata
    text = about['description']
    if about['unit']:
        text = f'{text} [{about["unit"]}]'
    # YAML, and with it ROS's command line, reads a bare off as false.
    described = ParameterDescriptor(
        description=text, read_only=about['fixed'], dynamic_typing='off' in about['choices']
    )
    if about['choices']:
        described.additional_constraints = f'one of: {", ".join(about["choices"])}'
    low, high = about['minimum'], about['maximum']
    if isinstance(spec.default, float) and low is not None:
        to_value = float('inf') if high is None else float(high)
        described.floating_point_range = [
            FloatingPointRange(from_value=float(low), to_value=to_value)
        ]
    elif type(spec.default) is int and low is not None:
        described.integer_range = [
            IntegerRange(from_value=int(low), to_value=INT64 if high is None else int(high))
        ]
    return described


def plain(value: Any, spec: Field[Any] | None = None) -> Any:
    """A parameter's value as the settings hold it: sequences become tuples.

    Of a setting that can be off, false is off; true is its default, which is not off.
    """
    if isinstance(value, bool) and spec is not None and 'off' in spec.metadata['choices']:
        return spec.default if value else 'off'
    return tuple(value) if isinstance(value, (list, tuple)) or hasattr(value, 'typecode') else value


def _written(value: Any) -> str:
    """A value as it is written in a parameter file."""
    return f'[{", ".join(map(str, value))}]' if isinstance(value, list) else str(value)


def _wrong_type(name: str, default: Any, given: Any) -> str:
    """What to write in place of a value of the wrong type: ROS does not turn one into another."""
    kind = {float: 'a number with a point', int: 'a whole number', bool: 'true or false'}
    like = type(default)
    if like is list:
        item = type(default[0])
        items = given if isinstance(given, tuple) else (given,)
        what = f'a list of {"texts" if item is str else "numbers with a point"}'
        if item is str and any(type(value) is bool for value in items):  # YAML's yes and no, too
            words = (f"'{str(value).lower()}'" for value in items)
            write = f'write [{", ".join(words)}], quotes included'
        elif item is str:
            write = f'write [{", ".join(map(str, items))}]'
        elif all(type(value) in (int, float) for value in items):
            write = f'write [{", ".join(str(float(value)) for value in items)}]'
        else:
            write = f'write for example {default}'
    else:
        what = kind.get(like, 'a text')
        if like is float and type(given) is int:
            write = f'write {float(given)}'
        elif like is bool and given in (0, 1):
            write = f'write {"true" if given else "false"}'
        elif like is str and not isinstance(given, tuple):
            write = f"write '{given}', quotes included"
        else:
            write = f'write for example {str(default).lower() if like is bool else default}'
    return f'{name} must be {what}, not {given!r}: {write}'


class Parameters:
    """The node's parameters: declares them, refuses bad changes, hands over the good ones.

    Args:
        node: whose parameters they are.
        on_change: told the settings after each change.
        refuses: why settings that are allowed as such cannot be used now; empty if they can.

    Raises:
        ParameterError: an initial value, from a file or the command line, is not usable.
    """

    def __init__(
        self,
        node: Node,
        on_change: Callable[[Settings], None],
        refuses: Callable[[Settings], str],
    ) -> None:
        self._node = node
        self._on_change = on_change
        self._refuses = refuses
        try:
            about_node = NodeConfig(**self._declare(NodeConfig))
            self.settings = Settings(
                node=about_node,
                cameras={name: self._named(CameraConfig, name) for name in about_node.cameras},
                watches={
                    name: self._named(WatchConfig, name) for name in about_node.watches if name
                },
                engine=EngineConfig(**self._declare(EngineConfig)),
            )
        except (ValueError, ParameterException) as error:
            raise ParameterError(str(error)) from error
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._apply)

    def _declare(self, config: type, prefix: str = '') -> dict[str, Any]:
        """Declare a settings class's fields; returns their initial values by name."""
        values = {}
        for spec in fields(config):
            default = list(spec.default) if isinstance(spec.default, tuple) else spec.default
            name = f'{prefix}{spec.name}'
            try:
                parameter = self._node.declare_parameter(name, default, descriptor(spec))
            except InvalidParameterTypeException as error:
                given = self._node._parameter_overrides[name].value
                raise ParameterError(_wrong_type(name, default, plain(given))) from error
            if parameter.value is None:  # an empty list has no type
                raise ParameterError(f'{name} is empty: write for example {_written(default)}')
            values[spec.name] = plain(parameter.value, spec)
        return values

    def _named(self, config: type[_Named], name: str) -> _Named:
        """The settings of a camera or a watch; what is wrong with them is said by its name."""
        try:
            return config(**self._declare(config, f'{name}.'))
        except ValueError as error:
            raise ValueError(f'{name}: {error}') from error

    def unknown(self) -> str:
        """What was given at start and is no parameter, and what may be meant; empty: nothing."""
        node, said = self._node, []
        settings = [spec.name for config in (EngineConfig, NodeConfig) for spec in fields(config)]
        of_cameras = [spec.name for spec in fields(CameraConfig)]
        of_watches = [spec.name for spec in fields(WatchConfig)]
        known = [*settings, *(f'{c}.{name}' for c in self.settings.cameras for name in of_cameras)]
        known += [f'{w}.{name}' for w in self.settings.watches for name in of_watches]
        # Our own file describes the default camera, whatever the cameras are.
        ignored = {f'{c}.{name}' for c in NodeConfig().cameras for name in of_cameras}
        for name in sorted(set(node._parameter_overrides) - ignored):
            if not node.has_parameter(name) and not name.startswith('qos_overrides.'):
                like = difflib.get_close_matches(name, known, 1)
                said.append(f'{name} (is {like[0]} meant?)' if like else name)
        return f'no such parameter, ignored: {", ".join(said)}' if said else ''

    def _changed(self, parameters: Iterable[Parameter]) -> Settings:
        """The settings after a change.

        Raises:
            ValueError: a value, or its combination with another, is not allowed.
        """
        engine: dict[str, Any] = {}
        node: dict[str, Any] = {}
        ours = {spec.name: (engine, spec) for spec in fields(EngineConfig)}
        ours.update({spec.name: (node, spec) for spec in fields(NodeConfig)})
        for parameter in parameters:
            # Other names are rclpy's (use_sim_time) or QoS overrides, which it guards itself.
            if parameter.name in ours:
                values, spec = ours[parameter.name]
                values[spec.name] = plain(parameter.value, spec)
        settings = self.settings
        return replace(
            settings,
            engine=replace(settings.engine, **engine) if engine else settings.engine,
            node=replace(settings.node, **node) if node else settings.node,
        )

    def _check(self, parameters: list[Parameter]) -> SetParametersResult:
        try:
            settings = self._changed(parameters)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        # Called for every parameter that is declared, too: what changes nothing is not asked about.
        reason = self._refuses(settings) if settings != self.settings else ''
        return SetParametersResult(successful=not reason, reason=reason)

    def _apply(self, parameters: list[Parameter]) -> None:
        settings = self._changed(parameters)
        if settings != self.settings:
            self.settings = settings
            self._on_change(settings)
