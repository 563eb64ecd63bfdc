# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Many askers at the same moment: each of them is told something by its deadline."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from integration.ros_process import Peer, TestCamera, questions_waiting, wait_until
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.action import ActionClient
from sensor_msgs.msg import Image

from vlmaxxing_msgs.action import Ask
from vlmaxxing_msgs.msg import Answer
from vlmaxxing_msgs.srv import Query
from vlmaxxing_ros.client import Client
from vlmaxxing_ros.ros.dds import VARIABLES
from vlmaxxing_ros.ros.question_qos import ACTION_CLIENT, QUESTIONS

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
WHAT = 'what colors are the blocks?'


@pytest.fixture(scope='module', autouse=True)
def node(start_node: Callable[..., None], model: str) -> None:
    start_node(model=model, max_waiting_questions=3, diagnostics_period=0.2)


@pytest.fixture
def camera(peer: Peer) -> TestCamera:
    camera = TestCamera(peer, Image)
    camera.show()
    return camera


def make_clients(peer: Peer, count: int, **options: Any) -> list[Any]:
    """Clients that the node knows: each side discovers the other by itself."""
    clients = [peer.create_client(Query, '/vlmaxxing/query', **options) for _ in range(count)]
    for client in clients:
        assert client.wait_for_service(60.0)

        def answered(client: Any = client) -> bool:
            pending = client.call_async(Query.Request(question=''))
            deadline = time.monotonic() + 1.0
            while not pending.done() and time.monotonic() < deadline:
                time.sleep(0.01)
            return bool(pending.done())

        wait_until(answered, what='a first answer')
    return clients


def statuses(pending: list[Any], timeout: float = 90.0) -> Counter[int]:
    """How the questions ended."""
    wait_until(lambda: all(future.done() for future in pending), timeout, 'every answer')
    return Counter(future.result().answer.status for future in pending)


def test_clients_that_ask_at_the_same_moment_are_all_answered(
    peer: Peer, camera: TestCamera
) -> None:
    clients = make_clients(peer, 24)
    found = statuses([client.call_async(Query.Request(question=WHAT)) for client in clients])
    assert sum(found.values()) == 24
    assert found.keys() <= {Answer.OK, Answer.OVERLOADED}
    assert found[Answer.OK] >= 3


def test_a_client_with_many_calls_in_flight_is_answered_each_time(
    peer: Peer, camera: TestCamera
) -> None:
    (client,) = make_clients(peer, 1, qos_profile=QUESTIONS)
    found = statuses([client.call_async(Query.Request(question=WHAT)) for _ in range(16)])
    assert sum(found.values()) == 16


def test_a_thousand_questions_at_once_all_get_a_status(peer: Peer, camera: TestCamera) -> None:
    clients = make_clients(peer, 10, qos_profile=QUESTIONS)
    request = Query.Request(question=WHAT, max_evidence_age=1e-6, deadline=5.0)  # none is as fresh
    found = statuses([client.call_async(request) for _ in range(100) for client in clients])
    assert sum(found.values()) == 1000
    assert found.keys() == {Answer.STALE, Answer.OVERLOADED}
    assert peer.query(WHAT).status == Answer.OK


def test_goals_sent_at_once_are_all_accepted_and_all_have_a_result(
    peer: Peer, camera: TestCamera
) -> None:
    with Client() as first, Client() as second, ThreadPoolExecutor(60) as threads:
        for client in (first, second):
            assert client.wait(60.0)
        time.sleep(2.0)
        asking = [
            threads.submit(c.ask, WHAT, timeout=90.0) for _ in range(30) for c in (first, second)
        ]
        found = Counter(future.result().status for future in asking)
    assert sum(found.values()) == 60
    assert found.keys() <= {Answer.OK, Answer.OVERLOADED}
    assert found[Answer.OK] >= 3


def test_a_thousand_goals_at_once_all_get_a_status(peer: Peer, camera: TestCamera) -> None:
    clients = [ActionClient(peer, Ask, '/vlmaxxing/ask', **ACTION_CLIENT) for _ in range(2)]
    assert all(client.wait_for_server(60.0) for client in clients)
    time.sleep(1.0)  # each side discovers the other by itself
    goal = Ask.Goal(question=WHAT, max_evidence_age=1e-6, deadline=5.0)  # no image is as fresh

    def send() -> list[Any]:
        return [client.send_goal_async(goal) for _ in range(500) for client in clients]

    sent = peer.run(send)
    wait_until(lambda: all(future.done() for future in sent), 90.0, 'every goal is accepted')
    results = peer.run(lambda: [future.result().get_result_async() for future in sent])
    wait_until(lambda: all(future.done() for future in results), 90.0, 'every result')
    found = Counter(future.result().result.answer.status for future in results)
    assert sum(found.values()) == 1000
    assert found.keys() == {Answer.STALE, Answer.OVERLOADED}
    assert peer.query(WHAT).status == Answer.OK
    for client in clients:
        client.destroy()


def test_a_storm_of_cancellations_ends_every_goal(peer: Peer, camera: TestCamera) -> None:
    allow(peer, 50)
    action = ActionClient(peer, Ask, '/vlmaxxing/ask', **ACTION_CLIENT)
    assert action.wait_for_server(60.0)
    time.sleep(1.0)
    goal = Ask.Goal(question=WHAT, max_evidence_age=1e-6, deadline=90.0)
    sending = [peer.run(action.send_goal_async, goal) for _ in range(50)]
    wait_until(lambda: all(future.done() for future in sending), what='all are accepted')
    results = [peer.run(future.result().get_result_async) for future in sending]
    for future in [*sending, *sending]:  # each of them twice
        peer.run(future.result().cancel_goal_async)
    wait_until(lambda: all(future.done() for future in results), what='every result')
    found = Counter(future.result().result.answer.status for future in results)
    assert found == {Answer.CANCELLED: 50}
    action.destroy()
    allow(peer, 3)
    assert peer.query(WHAT).status == Answer.OK


def allow(peer: Peer, waiting: int) -> None:
    """Set how many questions may wait."""
    value = ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=waiting)
    wanted = [Parameter(name='max_waiting_questions', value=value)]
    request = SetParameters.Request(parameters=wanted)
    assert peer.call(SetParameters, '/vlmaxxing/set_parameters', request).results[0].successful


LATE = 90.0
"""Seconds, and the deadline of what nobody waits for any more."""


def ask_in_vain(asker: Peer, how: str) -> Any:
    """Ask what is answered at the deadline only; the client."""
    if how == 'query':
        client = asker.create_client(Query, '/vlmaxxing/query')
        assert client.wait_for_service(60.0)
        time.sleep(1.0)
        client.call_async(Query.Request(question=WHAT, max_evidence_age=1e-6, deadline=LATE))
        return client
    action = ActionClient(asker, Ask, '/vlmaxxing/ask')
    assert action.wait_for_server(60.0)
    time.sleep(1.0)
    goal = Ask.Goal(question=WHAT, max_evidence_age=1e-6, deadline=LATE)
    sending = asker.run(action.send_goal_async, goal)
    wait_until(sending.done, what='the goal is accepted')
    return action


@pytest.mark.parametrize('how', ['query', 'ask'])
def test_an_asker_that_is_gone_keeps_nobody_waiting(
    peer: Peer, camera: TestCamera, how: str
) -> None:
    peer.query(WHAT)  # another client, which stays
    gone = Peer('gone')
    clients = [ask_in_vain(gone, how) for _ in range(3)]
    wait_until(lambda: questions_waiting(peer) == '3', what='the questions wait')
    assert peer.query(WHAT).status == Answer.OVERLOADED
    for client in clients:
        gone.run(client.destroy)
    gone.close()
    wait_until(lambda: questions_waiting(peer) == '0', LATE / 3, 'the questions end')
    assert peer.query(WHAT).status == Answer.OK


ASKER = f"""
import time
from integration.test_many_clients import Peer, ask_in_vain
peer = Peer('killed')
ask_in_vain(peer, 'query')
print('asked', flush=True)
time.sleep({LATE})
"""


@pytest.fixture(scope='module')
def mortal(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a process that is forgotten 3 s after it was killed."""
    profile = (ROOT / 'config' / 'fastdds_shm.xml').read_text()
    shorter = tmp_path_factory.mktemp('dds') / 'profile.xml'
    shorter.write_text(profile.replace('<sec>10</sec>', '<sec>3</sec>'))
    return {**dict.fromkeys(VARIABLES, str(shorter)), 'PYTHONPATH': str(TESTS)}


def test_an_asker_that_was_killed_keeps_nobody_waiting(
    peer: Peer, camera: TestCamera, spawn: Callable[..., Any], mortal: dict[str, str]
) -> None:
    asker = spawn(sys.executable, '-c', ASKER, env=mortal)
    asker.wait_for('asked')
    wait_until(lambda: questions_waiting(peer) == '1', what='the question waits')
    os.kill(asker.pid, signal.SIGKILL)
    wait_until(lambda: questions_waiting(peer) == '0', LATE / 2, 'the question ends')


TALKER = """
import time
from integration.test_many_clients import LATE, WHAT, ActionClient, Ask, Peer
peer = Peer('talker')
action = ActionClient(peer, Ask, '/vlmaxxing/ask')
assert action.wait_for_server(60.0)
time.sleep(1.0)
schema = '{"type": "string", "minLength": 100000}'
goal = Ask.Goal(question=WHAT, json_schema=schema, max_tokens=32768, deadline=LATE)
peer.run(action.send_goal_async, goal, lambda message: print('token', flush=True))
time.sleep(LATE)
"""


def test_the_long_answer_of_an_asker_that_was_killed_lets_others_pass_where_some_stay(
    peer: Peer, camera: TestCamera, spawn: Callable[..., Any], mortal: dict[str, str]
) -> None:
    answers = peer.collect(Answer, '/vlmaxxing/answers')
    with Client() as stays:
        assert stays.wait(60.0)
        talker = spawn(sys.executable, '-c', TALKER, env=mortal)
        talker.wait_for('token')
        time.sleep(2.0)  # whoever is there now may have sent it
        os.kill(talker.pid, signal.SIGKILL)
        assert stays.ask('which one?', deadline=LATE).status == Answer.OK
        assert questions_waiting(peer) == '1', 'the other one is still there'
    wait_until(lambda: len(answers) == 2, LATE / 2, 'it ends with the last who could have sent it')
    assert [answer.question for answer in answers] == ['which one?', WHAT]
    assert answers[1].status == Answer.CANCELLED


def test_an_asker_that_stays_is_waited_for(peer: Peer, camera: TestCamera) -> None:
    (client,) = make_clients(peer, 1)
    pending = client.call_async(Query.Request(question=WHAT, max_evidence_age=1e-6, deadline=6.0))
    other = Peer('other')
    ask_in_vain(other, 'query')
    other.close()
    wait_until(pending.done, what='the answer')
    assert pending.result().answer.status == Answer.STALE
