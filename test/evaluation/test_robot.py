# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A robot's numbers, on results made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vlmaxxing_ros.evaluation.replay import AskedQuestion
from vlmaxxing_ros.evaluation.robot import misses, percentile, robot

Ask = Callable[..., AskedQuestion]


def test_a_deadline_is_missed_by_what_takes_longer() -> None:
    assert misses([0.1, 0.3, 0.6, 2.0]) == {'0.1': 0.75, '0.25': 0.75, '0.5': 0.5, '1': 0.25}
    assert set(misses([]).values()) == {None}


def test_the_slowest_in_a_hundred_and_what_was_owed(asked: Ask) -> None:
    questions = [asked(str(n), ttft=n / 100, owed=n) for n in range(101)]
    figures = robot(questions)
    assert figures['ttft_p99'] == pytest.approx(0.99)
    assert figures['owed'] == {'questions': 101, 'mean': 50.0, 'max': 100}
    assert robot([asked('silent')])['owed']['questions'] == 0


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 99) is None
    assert robot([])['owed'] == {'questions': 0, 'mean': None, 'max': None}
