# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Intervals, against published values and against themselves."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.evaluation.intervals import clustered, paired_difference, wilson


def test_wilson_s_interval_has_its_textbook_values() -> None:
    # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_newcombe_s_interval_has_its_published_values() -> None:
    # Newcombe (1998), paired data, method 10: 36, 12, 2, 0 of 50.
    assert paired_difference(36, 12, 2, 0) == pytest.approx((0.0569, 0.3404), abs=1e-4)


def test_the_paired_interval_turns_round_with_the_pair() -> None:
    low, high = paired_difference(50, 9, 4, 37)
    assert paired_difference(50, 4, 9, 37) == pytest.approx((-high, -low))


def test_equal_answers_leave_an_interval_that_shrinks_with_their_number() -> None:
    few, many = paired_difference(8, 0, 0, 2), paired_difference(800, 0, 0, 200)
    assert few[0] < many[0] < 0 < many[1] < few[1]


def test_nothing_is_known_from_no_pairs() -> None:
    assert paired_difference(0, 0, 0, 0) == (-1.0, 1.0)
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_bootstrap_resamples_whole_recordings() -> None:
    alike = clustered([1.0] * 20, [10] * 20)
    assert alike == pytest.approx((0.1, 0.1))
    # The same total, all in one recording: far less certain.
    unlike = clustered([20.0] + [0.0] * 19, [10] * 20)
    assert unlike is not None
    assert unlike[1] - unlike[0] > 0.2


def test_a_few_recordings_are_no_sample() -> None:
    assert clustered([1.0] * 9, [10] * 9) is None
