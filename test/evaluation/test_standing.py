# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The node's watch and a poll in simulated time: when they ask, what they tell, how late."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from integration.gripper import gripper_pictures

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import load_family
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.evaluation.standing import Cold, Poll, StandingArm, ToldChange
from vlmaxxing_ros.ros.settings import NodeConfig
from vlmaxxing_ros.ros.watch_settings import WatchConfig

GRIPPER = WatchConfig(question='Is the gripper open or closed?', choices=('open', 'closed'))
CHANGE = 3.0  # s at which the gripper closes


@cache
def film() -> list[Frame]:
    """Six seconds at 10 Hz: a gripper that closes, seen by a camera that spoils nothing."""
    pictures, grid = gripper_pictures(), Grid(4, 4, 28)
    return [
        Frame(pictures.open if index < CHANGE * 10 else pictures.closed, grid, index * 10**8)
        for index in range(60)
    ]


def watched(speed: float, config: WatchConfig = GRIPPER, **limits: Any) -> StandingArm:
    arm = StandingArm(load_family('nano'), EngineConfig(), NodeConfig(**limits), config, speed)
    arm.play(film())
    return arm


def test_a_watch_asks_once_at_first_and_once_about_the_change() -> None:
    arm = watched(speed=2000.0, watch_duty=1.0)
    assert arm.asked == 2
    assert [change.answer for change in arm.told] == ['open', 'closed']
    assert [change.evidence for change in arm.told] == [0.0, CHANGE]
    assert CHANGE < arm.told[1].at < CHANGE + 0.1


def test_two_runs_do_the_same_and_a_slow_model_keeps_to_its_share_of_the_time() -> None:
    slow, again = (watched(speed=100.0, watch_duty=0.1).told for _ in range(2))
    assert slow == again
    first, second = slow
    assert second.at - first.at > 0.9 * first.at / 0.1, 'what the first answer took is waited for'


@pytest.mark.parametrize('rate', [1.0, 2.0, 10.0])
def test_a_poll_asks_at_its_rate_about_the_newest_frame(rate: float) -> None:
    poll = Poll(GRIPPER, rate)
    poll.play(film(), lambda frame: Cold(_truth(frame), (), cost=0.05))
    assert poll.asked == 1 + int(5.9 * rate)
    assert poll.told == [
        ToldChange('open', 0.0, 0.05),
        ToldChange('closed', CHANGE, pytest.approx(CHANGE + 0.05)),
    ]


def test_a_poll_that_takes_longer_than_its_period_goes_on_when_it_ends() -> None:
    poll = Poll(GRIPPER, 10.0)
    poll.play(film(), lambda frame: Cold(_truth(frame), (), cost=0.7))
    assert poll.asked == 9
    assert poll.told[1] == ToldChange('closed', pytest.approx(3.5), pytest.approx(4.2))


def _truth(frame: Frame) -> str:
    return 'open' if np.array_equal(frame.pixels, film()[0].pixels) else 'closed'
