# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Work is priced by what such work has cost."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.engine.steps import Piece, Stopwatch
from vlmaxxing_ros.engine.stream.calibration import Calibration


def job(seconds: float, rows: float = 50.0) -> Stopwatch:
    """A job of one stage."""
    watch = Stopwatch()
    watch.add(Piece('prefill', rows, []), seconds)
    return watch


def test_nothing_has_a_price_before_the_first_job() -> None:
    assert Calibration().seconds(prefill=100, vision=20) == 0.0


def test_a_row_costs_the_median_of_what_rows_have_cost() -> None:
    calibration = Calibration()
    for seconds in (0.1, 0.5, 0.9):
        calibration.add(job(seconds))
    assert calibration.seconds(prefill=100) == pytest.approx(1.0)


def test_a_job_of_a_few_rows_says_nothing() -> None:
    calibration = Calibration()
    calibration.add(job(9.0, rows=2.0))
    assert calibration.seconds(prefill=100) == 0.0
