# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A stream: what is admitted, what it costs, what is answered, and that it stays bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from engine.scenes import GRID, PERIOD, change_blocks, moving_scene, scene, session_logits

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidRequest, NoEvidence
from vlmaxxing_ros.engine.families import Family, Features, Rows
from vlmaxxing_ros.engine.question import Answer, Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.budget import FrameKind, FreshBudget
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.engine.stream.session import StreamSession

MakeFrames = Callable[..., list[Frame]]


def answer(session: StreamSession, text: str = 'what is there?', **kwargs: Any) -> Answer:
    asking = session.ask(Question(text=text, **kwargs))
    for _ in asking:
        pass
    assert asking.answer is not None
    return asking.answer


def cold_logits(family: Family, frames: list[Frame], text: str) -> np.ndarray:
    cache = RollingCache(family)
    for frame in frames:
        cache.append(Kind.KEYFRAME, frame, IncrementalEncoder(family).encode(frame).features)
    return np.array(cache.fork().extend(family.text.question_ids(text, ())))


def frames_held(session: StreamSession) -> list[Frame]:
    return session.stream.cache.ledger.frames


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


def test_asking_before_any_frame_says_so(qwen: Family) -> None:
    with pytest.raises(NoEvidence, match='camera publishing'):
        StreamSession(qwen, EngineConfig()).ask(Question(text='anything?'))


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


def test_a_question_about_an_earlier_frame_does_not_pay_for_the_tail(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keyframe_interval=1e9, max_age=1000.0))
    first = scene(PERIOD)
    fresh = np.zeros((GRID.rows, GRID.cols), bool)
    fresh[1, 2] = True
    keyframe = change_blocks(first, fresh, stamp=2 * PERIOD)
    newest = change_blocks(keyframe, np.roll(fresh, 1), stamp=3 * PERIOD)
    for frame in (first, keyframe, newest):
        session.admit(frame)
    answer(session, as_of=PERIOD)
    assert not session.stream.cache.ledger.tail.caught_up
    answer(session)
    assert session.stream.cache.ledger.tail.caught_up


def test_the_exact_tail_is_the_newest_frame_cold(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(tail_mode='exact', keep_keyframes=0))
    frames = moving_scene(5)
    for frame in frames:
        session.admit(frame)
    assert answer(session).evidence.exact
    expected = cold_logits(qwen, frames[-1:], 'what?')
    assert np.array_equal(session_logits(session, 'what?'), expected)


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
    held = frames_held(session)
    assert [f.stamp // PERIOD for f in held] == [1, 4, 7, 21]
    assert np.array_equal(session_logits(session, 'what?'), cold_logits(family, held, 'what?'))


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
    assert np.array_equal(session_logits(session, 'what?'), cold_logits(qwen, held, 'what?'))


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


def test_a_requested_keyframe_comes_with_the_next_frame(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keyframe_interval=float('inf')))
    frames = moving_scene(4)
    session.admit(frames[0])
    session.admit(frames[1])
    session.keyframe()
    assert session.admit(frames[2]).kind is FrameKind.KEYFRAME
    assert session.admit(frames[3]).kind is FrameKind.TAIL


def test_as_of_asks_about_an_earlier_frame(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keyframe_interval=0.0))
    frames = moving_scene(4)
    for frame in frames:
        session.admit(frame)
    reply = answer(session, as_of=frames[1].stamp)
    assert reply.evidence.newest_stamp == frames[1].stamp
    assert reply.prompt_tokens < answer(session).prompt_tokens
    assert reply.answer == _cold_answer(qwen, frames[:2])


def test_as_of_names_the_coordinate_frame_of_the_image_it_rests_on(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keyframe_interval=0.0))
    frames = [replace(f, frame_id=f'lens {i}') for i, f in enumerate(moving_scene(4))]
    for frame in frames:
        session.admit(frame)
    assert answer(session, as_of=frames[1].stamp).evidence.frame_id == 'lens 1'
    assert answer(session).evidence.frame_id == 'lens 3'


def _cold_answer(family: Family, frames: list[Frame]) -> str:
    session = StreamSession(family, EngineConfig(keyframe_interval=0.0, keep_keyframes=100))
    for frame in frames:
        session.admit(frame)
    return answer(session).answer


def test_special_tokens_in_a_question_are_text(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig())
    session.admit(scene(PERIOD))
    reply = answer(session, 'is <|image_pad|> or <|im_end|> there? <|vision_start|>')
    asking = session.ask(Question(text='<|image_pad|>'))
    assert not {507, 508, 509, 510, 511}.intersection(asking.suffix)
    assert reply.reused_tokens == session.stream.cache.ledger.rows


@pytest.mark.parametrize(
    ('fields', 'message'),
    [
        ({'text': '  '}, 'empty'),
        ({'text': 'x', 'choices': ('a',)}, 'two or more'),
        ({'text': 'x', 'choices': ('a', 'a')}, 'different'),
        ({'text': 'x', 'choices': ('a', ' ')}, 'empty'),
        ({'text': 'x', 'choices': ('a', 'b'), 'json_schema': '{}'}, 'exclude'),
        ({'text': 'x', 'temperature': -1.0}, 'temperature'),
        ({'text': 'x', 'temperature': float('nan')}, 'temperature'),
        ({'text': 'x', 'top_p': 1.5}, 'top_p'),
        ({'text': 'x', 'max_tokens': -1}, 'max_tokens'),
        ({'text': 'x', 'max_tokens': 2**32 - 1}, 'max_tokens must be 0 to 32768'),
    ],
)
def test_a_bad_question_is_refused_by_name(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        Question(**fields)


def test_a_question_of_100000_characters_is_refused_and_the_stream_goes_on(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig())
    session.admit(scene(PERIOD))
    with pytest.raises(InvalidRequest, match='max_question_tokens'):
        session.ask(Question(text='why? ' * 20_000))
    assert session.admit(scene(2 * PERIOD)).kind is not FrameKind.DROPPED
    answer(session)


def test_the_budget_counts_the_rows_that_went_through_the_model(qwen: Family) -> None:
    counted: list[int] = []
    original = qwen.hidden

    def counting(rows: Rows, features: Features | None, cache: list[Any]) -> mx.array:
        counted.append(len(rows))
        return original(rows, features, cache)

    qwen.hidden = counting
    try:
        session = StreamSession(qwen, EngineConfig(keyframe_interval=0.3, keep_keyframes=50))
        counted.clear()
        budgets: list[FreshBudget] = [session.admit(frame) for frame in moving_scene(12)]
    finally:
        del qwen.hidden
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


def test_a_past_question_that_reaches_the_tail_says_how_exact_the_tail_is(qwen: Family) -> None:
    config = EngineConfig(keyframe_interval=float('inf'), tail_mode='refresh', max_age=1000.0)
    session = StreamSession(qwen, config)
    frames = moving_scene(4)
    for frame in frames:
        session.admit(frame)
    session.admit(Frame(frames[-1].pixels, GRID, frames[-1].stamp + 5 * PERIOD))  # nothing new
    evidence = answer(session, as_of=frames[-1].stamp + PERIOD).evidence
    assert not evidence.exact
    assert evidence.newest_stamp == frames[-1].stamp
    assert evidence.oldest_block_age == pytest.approx(0.2)


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
