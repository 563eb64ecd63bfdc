# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Memory that runs out is no end: the stream holds less from then on, says so, and goes on."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scarcity import little_memory

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.memory import ran_out
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.stream.rations import Rations
from vlmaxxing_ros.engine.stream.session import StreamSession

GRID = Grid(24, 24, 28)  # the scores of its attention take 42 MB


def noise(number: int) -> Frame:
    pixels = np.random.default_rng(number).integers(0, 256, (GRID.height, GRID.width, 3), np.uint8)
    return Frame(pixels, GRID, number * 10**9, 'optical')


def test_a_budget_is_halved_down_to_a_floor_and_never_raised() -> None:
    rations, config = Rations(), EngineConfig(token_budget=1000)
    assert rations.of(config) is config
    for held in (500, 300):
        assert rations.halve(rations.of(config), 300)
        assert rations.of(config).token_budget == held
        assert f'token_budget is held at {held}' in rations.note
    assert not rations.halve(rations.of(config), 300)
    assert rations.of(EngineConfig(token_budget=200)).token_budget == 200


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux refuses memory on request')
def test_a_stream_that_ran_out_of_memory_holds_less_and_goes_on(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(max_blocks=576, token_budget=8192))
    session.admit(noise(1))
    with little_memory(20_000_000), pytest.raises(MemoryError) as failed:
        session.admit(noise(2))
    assert ran_out(failed.value)
    assert 'held at 4096' in session.shrink()
    budget = session.admit(noise(3))
    assert budget.tokens_budget == 4096
    assert 'memory ran out: token_budget is held at 4096' in budget.status_text
    for number in range(4, 12):
        budget = session.admit(noise(number))
        while session.idle():
            pass
    assert budget.tokens_cached <= 4096
    asking = session.ask(Question(text='what is there?', max_tokens=4))
    assert len(list(asking)) <= 4
    assert asking.answer is not None
    assert asking.answer.evidence.newest_stamp == 11 * 10**9
    assert session.audit().ok


def test_it_ends_at_two_frames_and_with_another_setting(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(max_blocks=576, token_budget=4000))
    assert session.shrink() == ''  # nothing is held
    session.admit(noise(1))
    assert session.shrink()
    assert session.shrink()
    assert session.shrink() == ''
    assert session.stream.config.token_budget == 2 * (GRID.blocks + 2)
    session.configure(EngineConfig(max_blocks=576, token_budget=4000, calm=1.0))
    assert session.stream.config.token_budget == 2 * (GRID.blocks + 2)
    session.configure(EngineConfig(max_blocks=576, token_budget=6000))
    assert session.stream.config.token_budget == 6000
    assert 'memory' not in session.admit(noise(2)).status_text
