# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A frame for which there is no memory is refused by name, before anything is allocated."""

from __future__ import annotations

import re

import mlx.core as mx
import pytest
from scarcity import many_heads

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidFrame
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.stream.session import StreamSession

SIDE = 128 * 28


@pytest.fixture(scope='module')
def greedy() -> Family:
    return many_heads()


def session(family: Family, max_blocks: int) -> StreamSession:
    return StreamSession(family, EngineConfig(max_blocks=max_blocks))


def test_a_frame_that_does_not_fit_is_refused_with_a_value_that_does(greedy: Family) -> None:
    large = session(greedy, 16384)
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    with pytest.raises(InvalidFrame, match=f'{SIDE}x{SIDE} pixels.* GB') as refused:
        large.grid(SIDE, SIDE)
    assert mx.get_peak_memory() <= before
    found = re.search(r'lower max_blocks to (\d+)$', str(refused.value))
    assert found
    fits = int(found[1])
    assert 0 < session(greedy, fits).grid(SIDE, SIDE).blocks <= fits
    with pytest.raises(InvalidFrame):
        session(greedy, fits * 11 // 10).grid(SIDE, SIDE)


def test_smaller_images_of_the_same_camera_are_taken(greedy: Family) -> None:
    large = session(greedy, 16384)
    with pytest.raises(InvalidFrame):
        large.grid(SIDE, SIDE)
    assert large.grid(112, 112).blocks == 16
