# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A clock that stands is told, one that runs is not."""

from __future__ import annotations

from itertools import count

from vlmaxxing_ros.ros.standing_clock import StandingClock


def test_a_clock_that_nobody_publishes_is_told() -> None:
    assert 'nobody publishes /clock' in StandingClock(lambda: 0, patience=0.0).hint()


def test_a_clock_that_was_stopped_is_told_with_its_time() -> None:
    hint = StandingClock(lambda: 5_000_000_000, patience=0.0).hint()
    assert hint.startswith('the clock stands at 5.000 s')
    assert 'paused' in hint


def test_a_clock_that_runs_is_not_told() -> None:
    times = count()
    clock = StandingClock(lambda: next(times), patience=60.0)
    assert [clock.hint() for _ in range(3)] == [''] * 3
