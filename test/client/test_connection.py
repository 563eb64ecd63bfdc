# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The connection raises what a call raises, outlives its user's callbacks, and ends in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from integration.ros_process import Peer, wait_until
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future as RclpyFuture

from vlmaxxing_msgs.action import Ask
from vlmaxxing_msgs.msg import FreshBudget, WatchSettings
from vlmaxxing_msgs.srv import Watch
from vlmaxxing_ros.client.connection import Connection, Disconnected
from vlmaxxing_ros.client.pending_answer import DEADLINE, PendingAnswer, patience, wait
from vlmaxxing_ros.client.subscribed_watch import SubscribedWatch

WAIT = 30.0  # s, far more than anything here takes


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = Connection('nobody')
    yield made
    made.close()


def test_what_a_function_or_a_coroutine_returns_or_raises_comes_to_who_waits(
    connection: Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    async def doubled(number: int) -> int:
        return 2 * number

    def fails() -> None:
        raise ZeroDivisionError('of the call')

    assert wait(connection.begin(doubled, 21), WAIT) == 42
    assert wait(connection.begin(threading.current_thread), WAIT) is not threading.main_thread()
    with pytest.raises(ZeroDivisionError, match='of the call'):
        wait(connection.begin(fails), WAIT)
    assert 'of the call' not in capfd.readouterr().err, 'it is not logged as well'


def test_a_failing_callback_is_logged_and_the_next_message_comes(
    connection: Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    taken: list[FreshBudget] = []

    def fail(budget: FreshBudget) -> None:
        taken.append(budget)
        raise ZeroDivisionError("the user's own mistake")

    node = connection.node
    wait(connection.begin(node.create_subscription, FreshBudget, 'budgets', fail, 10), WAIT)
    publisher = node.create_publisher(FreshBudget, 'budgets', 10)
    wait_until(lambda: publisher.publish(FreshBudget()) or len(taken) >= 3)
    assert "ZeroDivisionError: the user's own mistake" in capfd.readouterr().err


def test_a_node_that_is_not_there_is_not_waited_for_longer_than_said(
    connection: Connection,
) -> None:
    assert not connection.wait(0.1)


def test_what_nobody_answers_times_out() -> None:
    with pytest.raises(TimeoutError, match=r'no answer from the node in 0\.01 s: is it running'):
        wait(Future(), 0.01)


def test_who_still_waits_when_it_is_closed_is_told_and_so_is_who_begins_then() -> None:
    connection = Connection('nobody')
    pending = PendingAnswer(connection, Ask.Goal(question='well?'))
    outcome: list[Any] = []

    def ask() -> None:
        try:
            pending.result()
        except Disconnected as error:
            outcome.append(error)

    waiting = threading.Thread(target=ask)
    waiting.start()
    wait(connection.begin(lambda: None), WAIT)
    connection.close()
    waiting.join(WAIT)
    assert 'closed' in str(outcome[0])
    with pytest.raises(Disconnected):
        connection.begin(ask)


def test_a_watch_whose_response_was_lost_ends_with_its_client() -> None:
    peer = Peer('silent')
    came: list[Any] = []

    async def serve(request: Watch.Request, response: Watch.Response) -> Watch.Response:
        came.append((request.operation, request.watch.id))
        if request.operation == Watch.Request.ADD:
            await RclpyFuture()  # nobody completes it
        return response

    group = ReentrantCallbackGroup()
    peer.create_service(Watch, '/silent/watch', serve, callback_group=group)
    connection = Connection('silent')
    assert connection.watches.wait_for_service(WAIT)
    watches: list[SubscribedWatch] = []

    def added() -> bool:
        """Until the peer has discovered the client, it is LIST's response that is lost."""
        watches.append(SubscribedWatch(connection, WatchSettings(question='well?'), came.append))
        with suppress(FutureTimeoutError):
            watches[-1].begun.result(1.0)
        return (Watch.Request.ADD, watches[-1].id) in came

    wait_until(added)
    connection.close()
    wait_until(lambda: (Watch.Request.REMOVE, watches[-1].id) in came)
    peer.close()


@pytest.mark.parametrize(('deadline', 'kept'), [(0.0, DEADLINE), (33.0, 33.0), (3600.0, 3600.0)])
def test_a_question_is_waited_for_longer_than_the_node_may_take(
    connection: Connection, deadline: float, kept: float
) -> None:
    goal = Ask.Goal(question='well?', deadline=deadline)
    pending = PendingAnswer(connection, goal)
    wait(connection.begin(lambda: None), WAIT)
    assert goal.deadline == kept, 'the node is told'
    assert pending.patience > kept


@pytest.mark.parametrize('deadline', [1e10, float('inf'), float('nan'), -1.0])
def test_a_deadline_that_cannot_be_is_no_reason_to_wait_for_ever(deadline: float) -> None:
    assert 0.0 < patience(Ask.Goal(deadline=deadline)) <= 86405.0
