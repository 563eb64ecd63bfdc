# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Parameters are declared from the settings, described, checked together and handed over once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from rclpy.parameter import Parameter

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.ros.parameters import ParameterError, Parameters
from vlmaxxing_ros.ros.settings import CameraConfig, NodeConfig, Settings
from vlmaxxing_ros.ros.watch_settings import WatchConfig

MakeNode = Callable[..., Any]


def no_refresh(settings: Settings) -> str:
    return 'this model cannot' if settings.engine.tail_mode == 'refresh' else ''


def declared(make_node: MakeNode, **overrides: object) -> tuple[Any, Parameters, list[Settings]]:
    node, changes = make_node(**overrides), []
    return node, Parameters(node, changes.append, no_refresh), changes


def test_every_setting_is_a_parameter_with_its_default(make_node: MakeNode) -> None:
    node, parameters, _ = declared(make_node)
    assert parameters.settings == Settings(cameras={'camera': CameraConfig()})
    for config, prefix in ((NodeConfig, ''), (EngineConfig, ''), (CameraConfig, 'camera.')):
        for spec in fields(config):
            value = node.get_parameter(prefix + spec.name).value
            assert (tuple(value) if isinstance(spec.default, tuple) else value) == spec.default


def test_every_descriptor_tells_meaning_unit_and_range(make_node: MakeNode) -> None:
    node, _, _ = declared(make_node)
    for spec in fields(EngineConfig):
        described = node.describe_parameter(spec.name)
        assert described.description.startswith(spec.metadata['description'])
        assert f'[{spec.metadata["unit"]}]' in described.description or not spec.metadata['unit']
        assert described.read_only == spec.metadata['fixed']
        for choice in spec.metadata['choices']:
            assert choice in described.additional_constraints
        if spec.metadata['minimum'] is not None:
            ranges = [*described.floating_point_range, *described.integer_range]
            assert ranges[0].from_value == spec.metadata['minimum']
            assert ranges[0].to_value == (spec.metadata['maximum'] or math.inf)


def test_each_camera_has_settings_of_its_own(make_node: MakeNode) -> None:
    _, parameters, _ = declared(
        make_node,
        **{'cameras': ['front', 'depth'], 'front.transport': 'compressed'},
        **{'depth.depth_range': [0.3, 5.0]},
    )
    assert parameters.settings.cameras['front'].transport == 'compressed'
    assert parameters.settings.cameras['depth'].scaling().depth_range == (0.3, 5.0)


@pytest.mark.parametrize(
    ('given', 'follow'), [('auto', 'auto'), ('off', 'off'), (True, 'auto'), (False, 'off')]
)
def test_off_is_off_though_yaml_reads_a_bare_one_as_false(
    make_node: MakeNode, given: object, follow: str
) -> None:
    _, parameters, _ = declared(make_node, follow=given)
    assert parameters.settings.engine.follow == follow
    node, parameters, _ = declared(make_node)
    assert node.set_parameters([Parameter('follow', value=given)])[0].successful
    assert parameters.settings.engine.follow == follow


@pytest.mark.parametrize('value', [0.0, 2.5, math.inf])
def test_a_good_change_is_handed_over_once(make_node: MakeNode, value: float) -> None:
    node, parameters, changes = declared(make_node)
    results = node.set_parameters([Parameter('keyframe_interval', value=value)])
    assert results[0].successful
    assert [change.engine.keyframe_interval for change in changes] == [value]
    assert parameters.settings == changes[0]


def test_values_that_depend_on_each_other_change_together(make_node: MakeNode) -> None:
    node, parameters, changes = declared(make_node)
    low, high = Parameter('low', value=20.0), Parameter('high', value=30.0)
    refused = node.set_parameters([low])[0]
    assert not refused.successful
    assert refused.reason == 'low (20.0) must not exceed high (8.0)'
    assert node.get_parameter('low').value == parameters.settings.engine.low == 3.0
    assert node.set_parameters_atomically([low, high]).successful
    assert len(changes) == 1


def test_a_change_that_cannot_be_used_now_is_refused_and_the_next_one_is_not(
    make_node: MakeNode,
) -> None:
    node, parameters, changes = declared(make_node)
    result = node.set_parameters([Parameter('tail_mode', value='refresh')])[0]
    assert (result.successful, result.reason) == (False, 'this model cannot')
    assert node.get_parameter('tail_mode').value == parameters.settings.engine.tail_mode == 'auto'
    assert node.set_parameters([Parameter('max_tokens', value=7)])[0].successful
    assert [change.engine.max_tokens for change in changes] == [7]


@pytest.mark.parametrize(
    ('name', 'value', 'said'),
    [
        ('tail_mode', 'sometimes', 'must be one of auto, exact, refresh'),
        ('follow', 'on', "must be one of auto, off, not 'on'"),
        ('low', 300.0, 'low'),
        ('low', math.nan, 'low'),
        ('keep_keyframes', -1, 'keep_keyframes'),
        ('deadline', 0.0, 'deadline'),
        ('model', 'other', 'model'),
        ('cameras', ['other'], 'cameras'),
        ('camera.transport', 'compressed', 'camera.transport'),
    ],
)
def test_a_bad_change_is_refused_with_the_reason(
    make_node: MakeNode, name: str, value: object, said: str
) -> None:
    node, parameters, changes = declared(make_node)
    before = parameters.settings
    result = node.set_parameters([Parameter(name, value=value)])[0]
    assert not result.successful
    assert said in result.reason
    assert changes == []
    assert parameters.settings == before


@pytest.mark.parametrize(
    ('name', 'value', 'said'),
    [
        ('tail_mode', 'sometimes', 'tail_mode must be one of auto, exact, refresh'),
        ('follow', 3, 'follow must be one of auto, off, not 3'),
        ('low', 300.0, 'low'),
        ('low', 3, 'low'),
        ('cameras', ['front/left'], "'front/left' is no usable name"),
        ('cameras', ['a', 'a'], 'different names'),
        ('camera.transport', 'theora', 'transport must be one of raw, compressed'),
        ('camera.depth_range', [5.0, 0.3], 'depth_range must be'),
    ],
)
def test_a_bad_value_at_start_is_one_clear_error(
    make_node: MakeNode, name: str, value: object, said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        declared(make_node, **{name: value})


def test_what_is_no_parameter_is_named_and_what_may_be_meant(make_node: MakeNode) -> None:
    given = {
        'modle': 'nano',
        'camera.transprot': 'raw',
        'zzz': 1,
        'camera.depth_range': [0.5, 2.0],
        'qos_overrides./camera/image.subscription.depth': 9,
    }
    _, parameters, _ = declared(make_node, **given)
    said = parameters.unknown()
    assert 'modle (is model meant?)' in said
    assert 'camera.transprot (is camera.transport meant?)' in said
    assert said.endswith('zzz')
    assert 'qos' not in said
    assert 'depth_range' not in said


def test_our_own_file_is_no_mistake_whatever_the_cameras(make_node: MakeNode) -> None:
    _, parameters, _ = declared(make_node, **{'cameras': ['front'], 'camera.transport': 'raw'})
    assert parameters.unknown() == ''


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        ({'model': ''}, 'model is empty: write nano'),
        ({'cameras': None}, r'cameras is empty: write for example \[camera\]'),
    ],
)
def test_what_is_empty_is_refused_with_what_to_write(
    make_node: MakeNode, given: dict[str, object], said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        declared(make_node, **given)


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        ({'front.protect': [0.5]}, 'front: protect has 1 numbers'),
        ({'front.protect': [0.6, 0.0, 0.5, 0.5]}, 'front: protect: a region is'),
        ({'front.protect': [0, 0, 1, 1]}, r'front.protect must be .* write \[0.0, 0.0, 1.0, 1.0\]'),
        (
            {'front.protect': None},
            r'front.protect is empty: write for example \[0.0, 0.0, 0.0, 0.0',
        ),
        ({'front.depth_range': [2.0, 1.0]}, 'front: .*depth_range'),
    ],
)
def test_what_is_wrong_with_a_camera_is_said_by_its_name(
    make_node: MakeNode, given: dict[str, object], said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        declared(make_node, **{'cameras': ['front'], **given})


def test_watches_are_declared_by_their_ids(make_node: MakeNode) -> None:
    node, parameters, _ = declared(
        make_node,
        **{'watches': ['gripper', 'door'], 'gripper.question': 'open?', 'door.question': 'shut?'},
        **{'gripper.choices': ['yes', 'no'], 'gripper.on_change': [0.0, 0.5, 0.5, 0.5]},
        **{'door.period': 5.0},
    )
    watches = parameters.settings.watches
    assert watches == {
        'gripper': WatchConfig(
            question='open?', choices=('yes', 'no'), on_change=(0.0, 0.5, 0.5, 0.5)
        ),
        'door': WatchConfig(question='shut?', period=5.0),
    }
    assert parameters.unknown() == ''
    described = node.describe_parameter('door.min_probability')
    assert described.floating_point_range[0].to_value == 1.0
    assert described.read_only


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        ({}, 'gripper: the question is empty'),
        ({'gripper.question': 'open?', 'gripper.choices': ['yes']}, 'gripper: choices must be two'),
        (
            {'gripper.question': 'open?', 'gripper.choices': [True, False]},
            r"gripper.choices must be a list of texts.*\['true', 'false'\], quotes included",
        ),
        ({'gripper.question': 'open?', 'gripper.camera': 'rear'}, "gripper: no camera 'rear'"),
        (
            {'gripper.question': 'open?', 'gripper.on_change': [0.0, 0.0, 2.0, 1.0]},
            'fractions',
        ),
        ({'gripper.question': 'open?', 'gripper.period': 5}, 'gripper.period.*write 5.0'),
        ({'watches': ['a b']}, "'a b' is no usable id"),
        ({'watches': ['a', 'a']}, 'watches must be different'),
        ({'gripper.question': 'x' * 99, 'max_question_characters': 9}, 'gripper: the question has'),
        (
            {'watches': ['a', 'b'], 'a.question': 'a?', 'b.question': 'b?', 'max_watches': 1},
            'there are 2, more than 1',
        ),
    ],
)
def test_a_watch_that_cannot_be_is_one_clear_error(
    make_node: MakeNode, given: dict[str, object], said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        declared(make_node, **{'watches': ['gripper'], **given})
