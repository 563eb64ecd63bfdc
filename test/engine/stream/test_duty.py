# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The background's share of the time is kept."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.engine.stream.duty import Duty


@pytest.mark.parametrize('share', [0.05, 0.2, 0.5, 1.0])
@pytest.mark.parametrize('piece', [0.01, 0.5])
def test_work_without_end_is_held_to_its_share(share: float, piece: float) -> None:
    duty, now = Duty(0.0), 0.0
    while now < 100.0:
        if duty.allows(share, now):
            duty.spend(piece)
            now += piece
        else:
            now += max(1e-3, duty.wait(share))
    assert duty.share(now) == pytest.approx(share, abs=0.02)


def test_without_a_share_there_is_no_work() -> None:
    duty = Duty(0.0)
    assert not duty.allows(0.0, 1000.0)
    assert duty.wait(0.0) == float('inf')


def test_an_idle_hour_is_not_made_up_for_by_a_busy_one() -> None:
    duty, now, busy = Duty(0.0), 3600.0, 0.0
    while duty.allows(0.1, now) and busy < 10.0:
        duty.spend(0.05)
        now, busy = now + 0.05, busy + 0.05
    assert busy < 0.3
