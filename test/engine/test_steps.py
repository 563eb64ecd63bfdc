# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Work that goes on in steps, and what it took."""

from __future__ import annotations

from vlmaxxing_ros.engine.steps import Job, Piece, SteadyClock, Steps, Stopwatch, finish


def counting(done: list[int]) -> Steps[str]:
    """Two steps, then the result."""
    for number in range(2):
        done.append(number)
        yield Piece('prefill', 3.0, [])
    return 'all'


def test_a_stage_adds_up() -> None:
    watch = Stopwatch()
    for _ in range(2):
        with watch.stage('plan'):
            pass
    assert set(watch.seconds) == {'plan'}
    assert watch.seconds['plan'] > 0.0


def test_a_job_does_one_step_at_a_time_and_then_says_what_came_of_it() -> None:
    done: list[int] = []
    job = Job(counting(done), 1.0, SteadyClock())
    assert done == []
    assert not job.step()
    assert done == [0]
    assert job.cost < 1.0
    assert job.finish() == 'all'
    assert job.cost == 0.0
    assert job.watch.rows == {'prefill': 6.0}


def test_a_job_that_is_given_up_does_no_more() -> None:
    done: list[int] = []
    job = Job(counting(done), 1.0, SteadyClock())
    job.step()
    job.close()
    assert job.step()
    assert done == [0]
    assert job.result is None


class Counted:
    """A clock that passes by work: a second per row."""

    time = 0.0

    def now(self) -> float:
        """Seconds."""
        return self.time

    def worked(self, piece: Piece) -> None:
        """The work takes its time."""
        self.time += piece.rows


def test_a_slice_has_as_many_steps_as_fit_once_it_is_known_how_long_they_take() -> None:
    def steps() -> Steps[None]:
        for _ in range(9):
            yield Piece('prefill', 1.0, [])

    job, taken = Job(steps(), 9.0, Counted(), max_slice=3.0), []
    while not job.step():
        taken.append(job.watch.rows['prefill'])
    assert taken == [1.0, 4.0, 7.0]


def test_steps_can_be_done_at_once() -> None:
    watch = Stopwatch()
    assert finish(counting([]), watch) == 'all'
    assert watch.rows == {'prefill': 6.0}
