# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Budgets, ceilings and estimates follow their formulas."""

from __future__ import annotations

from collections import deque

import pytest

from vlmaxxing_msgs.msg import FreshBudget as FreshBudgetMsg
from vlmaxxing_ros.engine.stream.budget import (
    FrameKind,
    ceiling,
    effective_fresh_frames,
)


def test_kinds_have_the_values_of_the_message() -> None:
    for kind in FrameKind:
        assert getattr(FreshBudgetMsg, kind.name) == kind


@pytest.mark.parametrize(
    ('ratios', 'expected'), [([1.0] * 4, 4.0), ([0.0] * 4, 1.0), ([1.0, 0.5, 0.0, 0.5], 2.5)]
)
def test_effective_fresh_frames(ratios: list[float], expected: float) -> None:
    assert effective_fresh_frames(deque(ratios)) == pytest.approx(expected)


def test_the_ceiling_is_amdahls() -> None:
    assert ceiling(fixed=1.0, dense=9.0, paid=9.0) == pytest.approx(1.0)
    assert ceiling(fixed=1.0, dense=9.0, paid=1.0) == pytest.approx(1 / (0.1 + 0.9 / 9))
    assert ceiling(fixed=1.0, dense=9.0, paid=0.0) == pytest.approx(10.0, rel=1e-3)
    assert ceiling(fixed=1.0, dense=0.0, paid=1.0) == 0.0
