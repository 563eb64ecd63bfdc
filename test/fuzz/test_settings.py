# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whatever is set: settings within their ranges, or a refusal that names the parameter."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')


from fuzz.cases import TEXT, cases, tried
from hypothesis import example, given
from hypothesis import strategies as st
from rclpy.parameter import Parameter

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.ros.parameters import Parameters
from vlmaxxing_ros.ros.settings import CameraConfig, NodeConfig, Settings

INTEGERS = st.integers(-(2**63), 2**63 - 1)
CONFIGS = (EngineConfig, NodeConfig, CameraConfig)
FIELDS = [(config, spec.name) for config in CONFIGS for spec in fields(config)]
ANY = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.lists(st.floats(), max_size=3).map(tuple)
    | st.lists(TEXT, max_size=3).map(tuple)
)


@cases(0.12)
@example(field=(NodeConfig, 'cameras'), value=(0.0,))
@given(field=st.sampled_from(FIELDS), value=ANY)
def test_a_setting_is_within_its_range_or_refused(field: tuple[type, str], value: Any) -> None:
    config, name = field
    taken, why = tried(lambda: config(**{name: value}), ValueError)
    if why:
        return
    spec = next(spec for spec in fields(config) if spec.name == name)
    low, high = spec.metadata['minimum'], spec.metadata['maximum']
    assert getattr(taken, name) == value
    assert low is None or value >= low
    assert high is None or value <= high


@pytest.fixture(scope='module')
def changing() -> Any:
    """A node whose parameters are changed, and what they were changed to."""
    import rclpy

    rclpy.init()
    node = rclpy.create_node('changed')
    taken: list[Settings] = []
    parameters = Parameters(node, taken.append, lambda _: '')
    yield node, parameters
    node.destroy_node()
    rclpy.shutdown()


NAMES = sorted({spec.name for config in (EngineConfig, NodeConfig) for spec in fields(config)})
VALUES = (
    st.booleans()
    | INTEGERS
    | st.floats()
    | TEXT
    | st.lists(st.booleans(), max_size=2)
    | st.lists(st.floats(), max_size=2)
    | st.lists(TEXT, max_size=2)
)


@cases(0.08)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=3))
def test_a_running_node_takes_parameters_together_or_says_why_not(
    changing: Any, values: dict[str, Any]
) -> None:
    node, parameters = changing
    before = parameters.settings
    given_ = [Parameter(name, value=value) for name, value in values.items()]
    result = node.set_parameters_atomically(given_)
    if not result.successful:
        assert result.reason
        assert parameters.settings == before
