# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The worker's thread: calls first, work in between, errors told, never an early end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from vlmaxxing_ros.ros.work_thread import WorkThread

Make = Callable[..., WorkThread]


@pytest.fixture
def make() -> Iterator[Make]:
    """Make threads that end with the test."""
    threads: list[WorkThread] = []

    def start(
        work: Callable[[], float | None] = lambda: None,
        on_error: Callable[[BaseException], None] = lambda _: None,
    ) -> WorkThread:
        threads.append(WorkThread(work, on_error, name='tested'))
        return threads[-1]

    yield start
    for thread in threads:
        assert thread.stop(10.0)


def test_calls_run_on_the_thread_and_return_or_raise(make: Make) -> None:
    thread = make()
    assert thread.call(threading.current_thread).result(10.0).name == 'tested'
    with pytest.raises(ZeroDivisionError):
        thread.call(lambda: 1 // 0).result(10.0)
    assert thread.call(lambda: 'goes on').result(10.0) == 'goes on'


def test_work_is_done_when_woken_and_repeated_while_there_is_some(make: Make) -> None:
    left, done = [3], threading.Event()

    def work() -> float | None:
        if left[0] == 0:
            done.set()
            return None
        left[0] -= 1
        return 0.0

    thread = make(work)
    thread.wake()
    assert done.wait(10.0)
    done.clear()
    left[0] = 1
    thread.wake()
    assert done.wait(10.0)
    assert left == [0]


def test_work_is_called_again_when_it_asked_to_be(make: Make) -> None:
    calls, third = [0], threading.Event()

    def work() -> float | None:
        calls[0] += 1
        if calls[0] == 3:
            third.set()
            return None
        return 0.01

    make(work).wake()
    assert third.wait(10.0)


class Panic(BaseException):
    """What Rust's panics are in Python."""


@pytest.mark.parametrize('kind', [RuntimeError, Panic, SystemExit])
def test_an_error_in_the_work_is_told_and_the_thread_goes_on(
    make: Make, kind: type[BaseException]
) -> None:
    errors: list[BaseException] = []
    failing = threading.Event()
    failing.set()

    def work() -> float | None:
        if failing.is_set():
            failing.clear()
            raise kind('broken')
        return None

    thread = make(work, errors.append)
    assert thread.call(lambda: 'alive').result(10.0) == 'alive'
    assert [str(error) for error in errors] == ['broken']


@pytest.mark.parametrize('pause', [1e10, float('inf')])
def test_a_pause_of_ages_does_not_end_the_thread(make: Make, pause: float) -> None:
    thread = make(lambda: pause)
    for _ in range(3):
        assert thread.call(lambda: 'alive').result(10.0) == 'alive'


def test_an_error_in_a_call_or_in_telling_it_does_not_end_the_thread(make: Make) -> None:
    def panic(*_: object) -> None:
        raise Panic

    thread = make(panic, panic)
    with pytest.raises(Panic):
        thread.call(panic).result(10.0)
    assert thread.call(lambda: 'alive').result(10.0) == 'alive'


def test_after_the_end_calls_are_cancelled(make: Make) -> None:
    thread = make()
    assert thread.stop(10.0)
    assert thread.call(lambda: 1).cancelled()


def test_the_last_that_it_does_it_does_itself() -> None:
    done: list[str] = []
    thread = WorkThread(
        lambda: None,
        lambda _: None,
        lambda: done.append(threading.current_thread().name),
        name='last',
    )
    thread.call(lambda: done.append('call')).result(10.0)
    assert done == ['call']
    assert thread.stop(10.0)
    assert done == ['call', 'last']
