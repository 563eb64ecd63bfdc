# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A session's history: in order, bounded by generations, and exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine.scenes import (
    GRID,
    PERIOD,
    answer,
    change_blocks,
    frames_held,
    is_as_cold,
    moving_scene,
    scene,
)

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.stream.budget import FrameKind
from vlmaxxing_ros.engine.stream.session import StreamSession


def test_keyframe_interval_zero_puts_every_frame_on_the_history(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keyframe_interval=0.0, keep_keyframes=10))
    frames = moving_scene(6)
    kinds = [session.admit(frame).kind for frame in frames]
    assert kinds == [FrameKind.TAIL] + [FrameKind.KEYFRAME] * 5
    assert [f.stamp for f in frames_held(session)] == [f.stamp for f in frames]


@pytest.mark.parametrize('idle', [True, False])
def test_memory_is_bounded_by_two_generations_and_answers_stay_exact(
    qwen: Family, idle: bool
) -> None:
    config = EngineConfig(
        keyframe_interval=0.0, keep_keyframes=100, token_budget=256, tail_mode='exact'
    )
    session = StreamSession(qwen, config)
    bound = 0
    generations = set()
    frames = moving_scene(60)
    for frame in frames:
        budget = session.admit(frame)
        generations.add(budget.generation)
        assert budget.tokens_cached <= 256
        # KVCache grows in steps of 256 rows; the first frame fills one, 256 rows and room for a
        # question two.
        bound = bound or 2 * (2 * budget.cache_bytes)
        assert budget.cache_bytes <= bound
        if idle:
            session.idle()
    assert len(generations) > 5
    held = frames_held(session)
    assert held[-1].pixels is frames[-1].pixels
    assert len(held) >= 4
    assert is_as_cold(session)


@pytest.mark.parametrize('idle_slices', [0, 1, 10])
def test_a_rebuild_outruns_a_keyframe_per_frame(qwen: Family, idle_slices: int) -> None:
    config = EngineConfig(keyframe_interval=0.0, keep_keyframes=5, tail_mode='exact')
    session = StreamSession(qwen, config)
    keyframes = []
    for frame in moving_scene(60):
        session.admit(frame)
        for _ in range(idle_slices):
            session.idle()
        keyframes.append(len(session.stream.cache.ledger.history))
    assert session.stream.cache.number > 3
    assert max(keyframes) <= 2 * 5 + 5


def test_a_question_during_a_rebuild_is_answered_from_the_old_generation(qwen: Family) -> None:
    config = EngineConfig(
        keyframe_interval=0.0, keep_keyframes=5, tail_mode='exact', max_slice=0.001
    )
    session = StreamSession(qwen, config)
    rebuilding = 0
    for frame in moving_scene(30):
        if work := session.background():
            work.step()
        progress = session.admit(frame).rebuild_progress
        before = session.stream.cache.number
        answer(session)
        assert session.stream.cache.number == before
        rebuilding += 0.0 < progress < 1.0
    assert rebuilding > 0


def test_a_requested_keyframe_comes_with_the_next_frame(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keyframe_interval=float('inf')))
    frames = moving_scene(4)
    session.admit(frames[0])
    session.admit(frames[1])
    session.keyframe()
    assert session.admit(frames[2]).kind is FrameKind.KEYFRAME
    assert session.admit(frames[3]).kind is FrameKind.TAIL


def test_compression_turned_on_meanwhile_keeps_the_frames_in_their_order(qwen: Family) -> None:
    config = EngineConfig(keyframe_interval=0.0, keep_keyframes=8, token_budget=1000)
    session, frames = StreamSession(qwen, config), moving_scene(48)
    for frame in frames[:24]:
        session.admit(frame)
        session.configure(replace(config, compression='infinipot', token_budget=200))
        session.configure(config)
    session.configure(replace(config, compression='infinipot', token_budget=200))
    for frame in frames[24:]:
        session.admit(frame)
    while session.idle():
        pass
    stamps = [frame.stamp for frame in session.stream.cache.ledger.frames]
    assert stamps == sorted(stamps)
    assert stamps[-2:] == [frame.stamp for frame in frames[-2:]]
    assert not answer(session).evidence.exact


def test_a_budget_that_cannot_hold_the_keyframes_is_reported(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(token_budget=128, keep_keyframes=4))
    assert 'set it to at least 208' in session.admit(scene(PERIOD)).status_text
    assert StreamSession(qwen, EngineConfig()).admit(scene(PERIOD)).status_text == 'first frame'


def test_a_history_is_in_the_order_in_which_it_was_seen(family: Family) -> None:
    session = StreamSession(family, EngineConfig(keyframe_interval=0.1, keep_keyframes=4))
    rng = np.random.default_rng(0)
    shown = scene(PERIOD)
    session.admit(shown)
    for index in range(2, 60):
        fresh = np.zeros((GRID.rows, GRID.cols), bool)
        fresh[tuple(rng.integers((GRID.rows, GRID.cols)))] = True
        # Every other change is gone with the next frame.
        changed = change_blocks(shown, fresh, stamp=index * PERIOD)
        session.see(changed)
        shown = replace(shown if index % 2 else changed, stamp=index * PERIOD)
        if index % 5 == 0:
            session.ask(Question(text='what?', max_tokens=1))
        if index % 7 == 0:
            session.idle()
        assert session.stream is not None
        segments = session.stream.cache.ledger.segments
        stamps = [s.frame.stamp for s in segments if s.frame is not None]
        assert stamps == sorted(stamps)
    assert session.audit().ok
