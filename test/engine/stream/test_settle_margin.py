# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""An answer that is not sure waits until what it rests on is exact, if its deadline leaves time."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from engine.scenes import GRID, PERIOD, change_blocks, scene

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Question, Token
from vlmaxxing_ros.engine.stream.answer_job import AnswerJob
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.evaluation.arms.live import SimulatedClock

QUESTION = Question(text='what is there?', max_tokens=4)
CHOICES = replace(QUESTION, choices=('red', 'top left', 'blue'))


def refreshed(family: Family, speed: float = 1e9, **settings: Any) -> StreamSession:
    """Some blocks have changed, two of them, since the first frame was paid whole."""
    settings = {'keep_keyframes': 0, 'audit_interval': 0.0, **settings}
    session = StreamSession(family, EngineConfig(**settings), SimulatedClock(speed))
    first = scene(PERIOD)
    session.admit(first)
    fresh = np.zeros((GRID.rows, GRID.cols), bool)
    fresh[1, 2:4] = True
    session.see(change_blocks(first, fresh, stamp=2 * PERIOD))
    return session


def ask(
    session: StreamSession,
    question: Question = QUESTION,
    terms: Terms | None = None,
    told: list[Token] | None = None,
) -> AnswerJob:
    job = session.answering(
        question,
        terms or Terms(),
        evidence_age=lambda _: 0.0,
        start=0.0,
        on_token=(told if told is not None else []).append,
    )
    job.finish()
    return job


def test_by_default_an_answer_rests_on_what_was_refreshed(qwen: Family) -> None:
    answer = ask(refreshed(qwen)).answer
    assert answer is not None
    assert not answer.evidence.exact
    assert 0.0 < answer.margin < math.inf


@pytest.mark.parametrize('question', [QUESTION, CHOICES], ids=['open', 'choices'])
def test_below_the_margin_the_tail_is_settled_first(qwen: Family, question: Question) -> None:
    unsure = ask(refreshed(qwen), question).answer
    assert unsure is not None
    session = refreshed(qwen, settle_margin=math.nextafter(unsure.margin, math.inf))
    told: list[Token] = []
    sure = ask(session, question, told=told).answer
    assert sure is not None
    assert sure.evidence.exact
    assert sure.rows_paid == unsure.rows_paid + GRID.blocks + 2, 'the frame once more, whole'
    assert sure.prompt_tokens == unsure.prompt_tokens
    recomputed = sure.prompt_tokens - sure.reused_tokens - len(session.stream.probe)
    assert recomputed == GRID.blocks + 2, 'what was refreshed first is no part of what it rests on'
    assert [token.token_count for token in told] == list(range(1, sure.answer_tokens + 1))
    session.admit(replace(session.stream.sight.newest, stamp=3 * PERIOD))
    again = ask(session, question).answer
    assert again is not None
    assert (again.token_ids, again.margin, again.choice_probabilities) == (
        sure.token_ids,
        sure.margin,
        sure.choice_probabilities,
    )
    assert again.rows_paid == 0, 'it is the stream that was settled, not this answer alone'
    assert session.audit().ok


def test_where_others_have_settled_it_meanwhile_it_is_answered_from_that(qwen: Family) -> None:
    session = refreshed(qwen, settle_margin=math.inf)
    first = session.answering(QUESTION, Terms(), evidence_age=lambda _: 0.0, start=0.0)
    while first.paying is not None:
        first.step()
    other = ask(session).answer
    answer = first.finish()
    assert other is not None
    assert answer.evidence.exact
    assert answer.token_ids == other.token_ids


def test_from_the_margin_on_it_is_not(qwen: Family) -> None:
    unsure = ask(refreshed(qwen)).answer
    assert unsure is not None
    answer = ask(refreshed(qwen, settle_margin=unsure.margin)).answer
    assert answer is not None
    assert answer == replace(unsure, latency=answer.latency)


@pytest.mark.parametrize(
    ('terms', 'exact'),
    [
        (Terms(time_left=100.0), True),
        (Terms(time_left=10.0), False),  # at 10 rows per second it takes 11.4 s in all
        (Terms(max_evidence_age=1.0), True),
    ],
)
def test_it_is_where_the_deadline_leaves_time(qwen: Family, terms: Terms, exact: bool) -> None:
    answer = ask(refreshed(qwen, speed=10.0, settle_margin=math.inf), terms=terms).answer
    assert answer is not None
    assert answer.evidence.exact is exact


def test_who_wants_the_fastest_answer_gets_it(qwen: Family) -> None:
    session = refreshed(qwen, settle_margin=math.inf)
    session.pay()
    answer = ask(session, terms=Terms(max_evidence_age=math.inf)).answer
    assert answer is not None
    assert (answer.evidence.exact, answer.rows_paid) == (False, 0)


def test_a_question_about_a_moment_before_the_newest_image_is_answered_from_that(
    qwen: Family,
) -> None:
    session = refreshed(qwen, settle_margin=math.inf)
    session.pay()
    newest = session.stream.sight.newest
    session.see(change_blocks(newest, np.eye(4, 6) > 0, stamp=3 * PERIOD))
    answer = ask(session, replace(QUESTION, as_of=2 * PERIOD)).answer
    assert answer is not None
    assert answer.evidence.newest_stamp == 2 * PERIOD
    assert not answer.evidence.exact


def test_the_keyframe_that_was_spared_is_made_on_the_way(qwen: Family) -> None:
    def keyframes(margin: float) -> tuple[list[int], bool]:
        config = EngineConfig(keyframe_interval=0.3, settle_margin=margin, audit_interval=0.0)
        session = StreamSession(qwen, config)
        session.admit(scene(PERIOD))
        for stamp in (5, 10):
            fresh = np.zeros((GRID.rows, GRID.cols), bool)
            fresh[1, stamp // 5] = True
            newest = session.stream.sight.newest
            frame = change_blocks(newest, fresh, stamp=stamp * PERIOD)
            session.admit(frame) if stamp == 5 else session.see(frame)
        answer = ask(session).answer
        assert answer is not None
        assert answer.evidence.newest_stamp == 10 * PERIOD
        held = session.stream.cache.ledger.frames
        return [frame.stamp // PERIOD for frame in held], answer.evidence.exact

    assert keyframes(0.0) == ([1, 5, 10], False), 'its tail is a copy'
    assert keyframes(math.inf) == ([1, 5, 10], True)


def test_the_iteration_of_a_session_that_asks_at_once_settles_too(qwen: Family) -> None:
    session = refreshed(qwen, settle_margin=math.inf)
    asking = session.ask(QUESTION)
    assert [token for token in asking if token is not None]
    assert asking.answer is not None
    assert asking.answer.evidence.exact
