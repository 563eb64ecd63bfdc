# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A session's questions: about now and about the past, and those that are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from engine.scenes import (
    GRID,
    PERIOD,
    answer,
    change_blocks,
    moving_scene,
    scene,
)

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidRequest, NoEvidence
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.budget import FrameKind
from vlmaxxing_ros.engine.stream.session import StreamSession


def test_asking_before_any_frame_says_so(qwen: Family) -> None:
    with pytest.raises(NoEvidence, match='camera publishing'):
        StreamSession(qwen, EngineConfig()).ask(Question(text='anything?'))


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
