# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Many askers at the same moment: each of them is told something by its deadline."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from integration.ros_process import Peer, TestCamera, wait_until
from rclpy.action import ActionClient
from sensor_msgs.msg import Image

from vlmaxxing_msgs.action import Ask
from vlmaxxing_msgs.msg import Answer
from vlmaxxing_msgs.srv import Query
from vlmaxxing_ros.ros.question_qos import ACTION_CLIENT, QUESTIONS

WHAT = 'what colors are the blocks?'


@pytest.fixture(scope='module', autouse=True)
def node(start_node: Callable[..., None], model: str) -> None:
    start_node(model=model, max_waiting_questions=3)


@pytest.fixture
def camera(peer: Peer) -> TestCamera:
    camera = TestCamera(peer, Image)
    camera.show()
    return camera


def statuses(pending: list[Any], timeout: float = 90.0) -> Counter[int]:
    """How the questions ended."""
    wait_until(lambda: all(future.done() for future in pending), timeout, 'every answer')
    return Counter(future.result().answer.status for future in pending)


def test_clients_that_ask_at_the_same_moment_are_all_answered(
    peer: Peer, camera: TestCamera
) -> None:
    clients = [peer.create_client(Query, '/vlmaxxing/query') for _ in range(24)]
    assert all(client.wait_for_service(60.0) for client in clients)
    time.sleep(2.0)  # each side discovers the other by itself
    found = statuses([client.call_async(Query.Request(question=WHAT)) for client in clients])
    assert sum(found.values()) == 24
    assert found.keys() <= {Answer.OK, Answer.OVERLOADED}
    assert found[Answer.OK] >= 3


def test_a_client_with_many_calls_in_flight_is_answered_each_time(
    peer: Peer, camera: TestCamera
) -> None:
    client = peer.create_client(Query, '/vlmaxxing/query', qos_profile=QUESTIONS)
    assert client.wait_for_service(60.0)
    time.sleep(1.0)
    found = statuses([client.call_async(Query.Request(question=WHAT)) for _ in range(16)])
    assert sum(found.values()) == 16


def test_a_thousand_questions_at_once_all_get_a_status(peer: Peer, camera: TestCamera) -> None:
    clients = [
        peer.create_client(Query, '/vlmaxxing/query', qos_profile=QUESTIONS) for _ in range(10)
    ]
    assert all(client.wait_for_service(60.0) for client in clients)
    time.sleep(2.0)
    request = Query.Request(question=WHAT, max_evidence_age=1e-6, deadline=5.0)  # none is as fresh
    found = statuses([client.call_async(request) for _ in range(100) for client in clients])
    assert found == {Answer.STALE: 3, Answer.OVERLOADED: 997}
    assert peer.query(WHAT).status == Answer.OK


def test_goals_sent_at_once_are_all_accepted_and_all_have_a_result(
    peer: Peer, camera: TestCamera
) -> None:
    clients = [ActionClient(peer, Ask, '/vlmaxxing/ask', **ACTION_CLIENT) for _ in range(4)]
    assert all(client.wait_for_server(60.0) for client in clients)
    time.sleep(2.0)
    goal = Ask.Goal(question=WHAT)
    sending = [client.send_goal_async(goal) for _ in range(50) for client in clients]
    wait_until(lambda: all(future.done() for future in sending), 90.0, 'every goal')
    handles = [future.result() for future in sending]
    assert all(handle.accepted for handle in handles)
    pending = [handle.get_result_async() for handle in handles]
    wait_until(lambda: all(future.done() for future in pending), 90.0, 'every result')
    found = Counter(future.result().result.answer.status for future in pending)
    assert sum(found.values()) == 200
    assert found.keys() <= {Answer.OK, Answer.OVERLOADED}
    for client in clients:
        client.destroy()
