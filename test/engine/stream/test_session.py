# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A session: what is admitted, what it costs, when it begins anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from engine.counting import counting_rows
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
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.budget import FrameKind, FreshBudget
from vlmaxxing_ros.engine.stream.session import StreamSession

MakeFrames = Callable[..., list[Frame]]


def test_the_first_frame_is_taken_whole_and_answered_about(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig())
    budget = session.admit(scene(PERIOD))
    assert budget.kind is FrameKind.TAIL
    assert (budget.blocks_total, budget.blocks_admitted) == (24, 24)
    assert budget.tokens_added == 26
    reply = answer(session)
    assert reply.finish_reason in ('stop', 'length')
    assert reply.evidence.exact
    assert reply.evidence.newest_stamp == PERIOD
    assert reply.evidence.frame_id == 'optical'


def test_an_unchanged_frame_costs_nothing_and_is_evidence(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keyframe_interval=float('inf'), keep_keyframes=0))
    session.admit(scene(PERIOD))
    budget = session.admit(scene(2 * PERIOD))
    assert budget.kind is FrameKind.NONE
    assert (budget.blocks_admitted, budget.windows_computed, budget.tokens_added) == (0, 0, 0)
    assert answer(session).evidence.newest_stamp == 2 * PERIOD
    assert answer(session).evidence.oldest_block_age == pytest.approx(0.1)


def test_a_changed_block_costs_its_row_and_the_next_question_those_behind_it(qwen: Family) -> None:
    config = EngineConfig(keep_keyframes=0, max_age=1000.0)
    session = StreamSession(qwen, config)
    first = scene(PERIOD)
    session.admit(first)
    fresh = np.zeros((GRID.rows, GRID.cols), bool)
    fresh[1, 2] = True
    budget = session.admit(change_blocks(first, fresh, stamp=2 * PERIOD))
    assert budget.kind is FrameKind.TAIL
    assert budget.blocks_novel == 1
    assert (budget.blocks_admitted, budget.tokens_added) == (1, 1)
    assert budget.windows_computed == 1
    first_answer, second_answer = answer(session), answer(session)
    assert not first_answer.evidence.exact
    recomputed = second_answer.reused_tokens - first_answer.reused_tokens
    assert 1 < recomputed < GRID.blocks
    assert first_answer.prompt_tokens == second_answer.prompt_tokens


def test_a_hinted_rotation_takes_the_tail_whole_if_it_is_fast(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keep_keyframes=0))
    session.admit(scene(PERIOD))
    slow = session.admit(scene(2 * PERIOD), camera_velocity=(0.0, 50.0))
    assert (slow.status_text, slow.blocks_admitted) == ('', 0)
    fast = session.admit(scene(3 * PERIOD, shade=1), camera_velocity=(-60.0, 80.0))
    assert fast.status_text == 'camera moved 0.36 blocks in one frame'
    assert (fast.kind, fast.blocks_admitted) == (FrameKind.TAIL, GRID.blocks)


def test_the_exact_tail_is_the_newest_frame_cold(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(tail_mode='exact', keep_keyframes=0))
    frames = moving_scene(5)
    for frame in frames:
        session.admit(frame)
    assert answer(session).evidence.exact
    assert [f.stamp for f in frames_held(session)] == [frames[-1].stamp]
    assert is_as_cold(session)


def test_once_all_is_calm_auto_is_the_newest_frames_cold(family: Family) -> None:
    session = StreamSession(family, EngineConfig(keyframe_interval=0.3))
    frames = moving_scene(9)
    for frame in frames:
        session.admit(frame)
    assert not answer(session).evidence.exact
    assert not session.idle(), 'a moment ago something changed'
    for index in range(10, 22):
        session.admit(replace(frames[-1], stamp=index * PERIOD))
    while session.idle():
        pass
    assert answer(session).evidence.exact
    assert [f.stamp // PERIOD for f in frames_held(session)] == [1, 4, 7, 21]
    assert is_as_cold(session)


def test_stamps_that_go_backwards_restart_the_session_and_say_so(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig())
    session.admit(scene(10 * PERIOD, seed=1))
    budget = session.admit(scene(PERIOD))
    assert 'backwards' in budget.status_text
    assert frames_held(session)[0].stamp == PERIOD


def test_time_is_counted_from_the_sessions_first_frame(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keyframe_interval=0.0))
    for number in (7, 9):
        session.admit(scene(number * PERIOD, seed=number))
    assert [f.elapsed for f in frames_held(session)] == [0.0, pytest.approx(2 * PERIOD * 1e-9)]
    session.admit(scene(PERIOD))
    assert frames_held(session)[0].elapsed == 0.0  # restarted


def test_a_new_image_size_restarts_the_session_and_says_so(
    qwen: Family, make_frames: MakeFrames
) -> None:
    session = StreamSession(qwen, EngineConfig())
    session.admit(make_frames(1)[0])
    budget = session.admit(scene(5 * PERIOD))
    assert 'size changed' in budget.status_text
    assert budget.blocks_total == 24
    answer(session)


def test_a_repeated_stamp_is_dropped(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig())
    session.admit(scene(PERIOD))
    budget = session.admit(scene(PERIOD, seed=1))
    assert budget.kind is FrameKind.DROPPED
    assert 'stamp' in budget.status_text


def test_the_budget_counts_the_rows_that_went_through_the_model(qwen: Family) -> None:
    with counting_rows(qwen) as counted:
        session = StreamSession(qwen, EngineConfig(keyframe_interval=0.3, keep_keyframes=50))
        counted.clear()
        budgets: list[FreshBudget] = [session.admit(frame) for frame in moving_scene(12)]
    prefix = len(qwen.text.prefix_ids)
    assert sum(counted) == prefix + sum(b.tokens_added for b in budgets)
    for budget in budgets:
        verdicts = (
            budget.blocks_static
            + budget.blocks_shifted
            + budget.blocks_novel
            + budget.blocks_expired
        )
        assert verdicts == budget.blocks_total


def test_effective_fresh_frames_follow_the_papers_formula(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keep_keyframes=0))
    budgets = [session.admit(frame) for frame in moving_scene(5)]
    reuse = 1.0 - sum(b.fresh_ratio for b in budgets) / 5
    assert budgets[-1].effective_fresh_frames == pytest.approx(1 + 4 * (1 - reuse))
