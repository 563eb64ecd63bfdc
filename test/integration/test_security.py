# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The SROS2 policy allows a running node everything that it has on the graph, and nothing else.

Its form is checked by the rules of sros2's policy.xsd; keystore and encrypted traffic are not:
sros2 is not on PyPI.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from integration.ros_process import Peer, wait_until
from rclpy.action import get_action_server_names_and_types_by_node

from vlmaxxing_msgs.msg import WatchSettings
from vlmaxxing_msgs.srv import Watch

POLICY = Path(__file__).resolve().parents[2] / 'config' / 'sros2_policy.xml'
KINDS = {  # of lists: what may be asked for, and what each entry is called
    'topics': ({'publish', 'subscribe'}, 'topic'),
    'services': ({'reply', 'request'}, 'service'),
    'actions': ({'call', 'execute'}, 'action'),
}
Names = dict[str, set[str]]


@pytest.fixture(scope='module', autouse=True)
def node(start_node: Callable[..., None], model: str) -> None:
    start_node(model=model, use_sim_time=True)


def profile() -> ET.Element:
    """The policy's only profile."""
    root = ET.parse(POLICY).getroot()
    (found,) = root.findall('enclaves/enclave/profiles/profile')
    return found


def full(name: str) -> str:
    """A name as the graph shows it: sros2's rule."""
    if name.startswith('~'):
        return '/vlmaxxing' + name[1:]
    return name if name.startswith('/') else f'/{name}'


def allowed() -> Names:
    """What the policy allows, by what is allowed."""
    names: Names = {}
    for group in profile():
        for what in group.attrib:
            names.setdefault(what, set()).update(full(entry.text or '') for entry in group)
    return names


def there(peer: Peer) -> Names:
    """What the node has on the graph; an action's own topics and services belong to the action."""
    node = ('vlmaxxing', '/')

    def plain(found: list[tuple[str, list[str]]]) -> set[str]:
        return {name for name, _ in found if '/_action/' not in name}

    names = {
        'publish': plain(peer.get_publisher_names_and_types_by_node(*node)),
        'subscribe': plain(peer.get_subscriber_names_and_types_by_node(*node)),
        'reply': plain(peer.get_service_names_and_types_by_node(*node)),
        'request': plain(peer.get_client_names_and_types_by_node(*node)),
        'execute': plain(get_action_server_names_and_types_by_node(peer, *node)),
    }
    return {what: found for what, found in names.items() if found}


def test_its_form_is_sros2s() -> None:
    root = ET.parse(POLICY).getroot()
    assert (root.tag, root.attrib) == ('policy', {'version': '0.2.0'})
    assert [len(root.findall(path)) for path in ('enclaves', 'enclaves/enclave')] == [1, 1]
    assert root.find('enclaves/enclave').get('path') == '/vlmaxxing'
    assert profile().attrib == {'ns': '/', 'node': 'vlmaxxing'}
    for group in profile():
        rules, entry = KINDS[group.tag]
        assert group.attrib
        assert group.attrib.keys() <= rules
        assert set(group.attrib.values()) == {'ALLOW'}
        assert len(group)
        assert {element.tag for element in group} == {entry}


def test_it_allows_what_a_running_node_has_and_nothing_else(peer: Peer) -> None:
    wait_until(lambda: 'vlmaxxing' in peer.get_node_names(), what='the node')
    wait_until(lambda: '/camera/image' in there(peer).get('subscribe', ()), what='an active node')
    watch = WatchSettings(id='gripper', question='open?', choices=['yes', 'no'])
    added = peer.call(
        Watch, '/vlmaxxing/watch', Watch.Request(operation=Watch.Request.ADD, watch=watch)
    )
    assert added.status == Watch.Response.OK, added.status_text
    wait_until(lambda: there(peer) == allowed(), timeout=10.0, what=f'{there(peer)} is {allowed()}')
