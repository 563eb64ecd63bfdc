# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The viewers' layouts show topics and fields that the node really has.

The viewers themselves are not run here: none of them comes from the package indices.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from vlmaxxing_msgs.msg import FreshBudget
from vlmaxxing_msgs.srv import Query
from vlmaxxing_ros import palette

CONFIG = Path(__file__).resolve().parents[1] / 'config'
TOPICS = {'/vlmaxxing/overlay', '/vlmaxxing/answers', '/vlmaxxing/fresh_budget', '/diagnostics'}


@pytest.fixture(scope='module')
def foxglove() -> Any:
    return json.loads((CONFIG / 'foxglove_layout.json').read_text())


def panels(layout: Any) -> Iterator[str]:
    if isinstance(layout, str):
        yield layout
    else:
        assert layout['direction'] in ('row', 'column')
        yield from panels(layout['first'])
        yield from panels(layout['second'])


def test_every_foxglove_panel_has_a_place_and_its_settings(foxglove: Any) -> None:
    placed = list(panels(foxglove['layout']))
    assert sorted(placed) == sorted(foxglove['configById'])
    kinds = {name.partition('!')[0] for name in placed}
    assert kinds == {'Image', 'Plot', 'Table', 'DiagnosticSummary', 'CallService'}


def test_foxglove_plots_fields_of_the_budget_in_our_colours(foxglove: Any) -> None:
    fields = FreshBudget.get_fields_and_field_types()
    ours = {palette.hexadecimal(c) for c in (palette.PAID, palette.REUSED, palette.OWED)}
    for name, panel in foxglove['configById'].items():
        for path in panel.get('paths', []):
            topic, _, field = path['value'].partition('.')
            assert topic == '/vlmaxxing/fresh_budget'
            assert field in fields, (name, field)
            assert path['color'] in {*ours, '#969696'}


def test_foxglove_asks_with_a_request_that_the_service_takes(foxglove: Any) -> None:
    panel = foxglove['configById']['CallService!query']
    assert panel['serviceName'] == '/vlmaxxing/query'
    Query.Request(**json.loads(panel['requestPayload']))


def test_foxglove_and_rviz_show_topics_that_there_are(foxglove: Any) -> None:
    shown = foxglove['configById']
    assert shown['Image!overlay']['imageMode']['imageTopic'] in TOPICS
    assert shown['Table!answers']['topicPath'] in TOPICS
    assert shown['DiagnosticSummary!state']['topicToRender'] in TOPICS
    rviz = yaml.safe_load((CONFIG / 'vlmaxxing.rviz').read_text())
    displays = rviz['Visualization Manager']['Displays']
    assert {d['Topic']['Value'] for d in displays} == {'/vlmaxxing/overlay', '/camera/image'}


def test_the_rqt_perspective_opens_plugins_on_our_names() -> None:
    perspective = json.loads((CONFIG / 'vlmaxxing.perspective').read_text())
    manager = perspective['groups']['pluginmanager']
    running = ast.literal_eval(manager['keys']['running-plugins']['repr'])
    for plugin, numbers in running.items():
        for number in numbers:
            name = f'plugin__{plugin.replace("/", "__")}__{number}'
            assert name in manager['groups'], name
    text = json.dumps(perspective)
    assert '/vlmaxxing/overlay' in text
    assert '/vlmaxxing/query' in text
    for field in ('blocks_admitted', 'blocks_owed'):
        assert f'/vlmaxxing/fresh_budget/{field}' in text
        assert field in FreshBudget.get_fields_and_field_types()
