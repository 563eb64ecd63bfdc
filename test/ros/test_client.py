# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The client outlives its user's callbacks, and raises what a call raises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from rclpy.task import Future

from vlmaxxing_msgs.msg import FreshBudget
from vlmaxxing_msgs.srv import Query
from vlmaxxing_ros.ros.client import Client, _patience, _wait

WAIT = 30.0  # s, far more than anything here takes


def test_a_failing_callback_is_logged_and_the_next_message_comes(
    make_node: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    publisher = make_node().create_publisher(FreshBudget, '/vlmaxxing/fresh_budget', 10)
    taken: list[FreshBudget] = []

    def fail(budget: FreshBudget) -> None:
        taken.append(budget)
        raise ZeroDivisionError("the user's own mistake")

    with Client() as client:
        client.on_budget(fail)
        deadline = time.monotonic() + WAIT
        while len(taken) < 3 and time.monotonic() < deadline:
            publisher.publish(FreshBudget())
            time.sleep(0.05)
    assert len(taken) >= 3
    assert "ZeroDivisionError: the user's own mistake" in capfd.readouterr().err


def test_an_error_of_a_call_is_raised_to_its_caller() -> None:
    pending = Future()
    threading.Timer(0.05, pending.set_exception, [ZeroDivisionError('of the call')]).start()
    with pytest.raises(ZeroDivisionError, match='of the call'):
        _wait(pending, WAIT)


def test_a_call_that_nobody_answers_times_out() -> None:
    with pytest.raises(TimeoutError, match='is it running'):
        _wait(Future(), 0.01)


@pytest.mark.parametrize(
    ('timeout', 'deadline', 'least'), [(None, 33.0, 33.0), (None, 0.0, 30.0), (7.0, 33.0, 7.0)]
)
def test_a_call_waits_longer_than_the_node_may_take(
    timeout: float | None, deadline: float, least: float
) -> None:
    patience = _patience(timeout, Query.Request(deadline=deadline))
    assert patience == timeout if timeout else patience > least
