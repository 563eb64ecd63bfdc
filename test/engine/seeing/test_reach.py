# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How far back a history reaches."""

from __future__ import annotations

import math

import pytest

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.reach import Reach


def test_it_reaches_back_over_the_keyframes_that_are_kept_and_twice_that_at_most() -> None:
    reach = Reach.of(EngineConfig(keyframe_interval=0.5, keep_keyframes=4))
    assert (reach.least, reach.most) == (2e9, 4e9)


@pytest.mark.parametrize(
    'settings',
    [{'keyframe_interval': 0.0}, {'keyframe_interval': math.inf}, {'keep_keyframes': 0}],
)
def test_where_keyframes_are_not_taken_by_time_none_is_too_old(settings: dict[str, float]) -> None:
    assert Reach.of(EngineConfig(**settings)).most == math.inf
