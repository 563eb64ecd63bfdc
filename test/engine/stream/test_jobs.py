# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Jobs go on in slices: nobody sees half of one, and who gives one up leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from engine.scenes import GRID, PERIOD, change_blocks, moving_scene, scene
from engine.situations import SLICES, ask, background, building, paying, settling

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.answer_job import AnswerJob
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.random_models.families import random_family

MakeFrames = Callable[..., list[Frame]]


def begin(session: StreamSession, question: Question) -> AnswerJob:
    return session.answering(question, Terms(), evidence_age=lambda _: 0.0, start=0.0)


def contents(session: StreamSession) -> list[np.ndarray]:
    assert session.stream is not None
    return [np.array(array) for array in session.stream.cache.contents()]


SITUATIONS = {'pay': paying, 'settle': settling, 'build': building}


@pytest.mark.parametrize('kind', SITUATIONS)
def test_a_question_in_the_middle_of_a_job_is_answered_from_what_stands(
    qwen: Family, kind: str
) -> None:
    session = SITUATIONS[kind](qwen)
    before, held = ask(session).finish(), contents(session)
    steps = 0
    while not background(session).step():
        steps += 1
        now = ask(session).finish()
        assert now.token_ids == before.token_ids
        assert (now.rows_paid, now.evidence) == (0, before.evidence)
        pairs = zip(contents(session), held, strict=True)
        assert all(np.array_equal(ours, theirs) for ours, theirs in pairs)
    assert steps > 2, 'it is done in slices'


CHOICES = Question(text='what?', choices=('red', 'top left', 'blue'))
SAMPLED = Question(text='what?', max_tokens=4, temperature=1.0, seed=3)
LONG = Question(text=50 * 'what is it? ', max_tokens=2)


@pytest.mark.parametrize(
    ('model', 'question'),
    [
        ('qwen2_5_vl', SAMPLED),
        ('qwen2_5_vl', CHOICES),
        ('qwen2_5_vl', LONG),
        ('gemma4', CHOICES),
        ('lfm2_vl', CHOICES),
    ],
)
def test_an_answer_that_is_set_aside_notices_nothing_of_what_is_done_meanwhile(
    model: str, question: Question
) -> None:
    family = random_family(model)

    def watched() -> tuple[StreamSession, list[Frame]]:
        """A session with a history, and the frames to come."""
        config = EngineConfig(keyframe_interval=0.2, keep_keyframes=2, **SLICES)
        session = StreamSession(family, config)
        frames = [session.frame(each.pixels, stamp=each.stamp) for each in moving_scene(9)]
        for frame in frames[:6]:
            session.admit(frame)
        return session, frames[6:]

    undisturbed = begin(watched()[0], question).finish()
    session, frames = watched()
    job, others = begin(session, question), 0
    while not job.step():
        if job.paying is None and frames:
            others += len(ask(session).finish().token_ids)  # on the same cache
            session.see(frames.pop(0))
            others += len(ask(session, Terms()).finish().token_ids)
            session.idle()
    assert job.answer is not None
    for said in ('token_ids', 'choice_probabilities', 'margin', 'evidence'):
        assert getattr(job.answer, said) == getattr(undisturbed, said)
    assert others > 10
    assert session.audit().ok


def test_a_question_that_pays_in_place_does_not_end_a_whole_frame_under_way(
    qwen: Family,
) -> None:
    session = settling(qwen)
    stream, job = session.stream, background(session)
    assert stream is not None
    assert not job.step()
    newest, fresh = stream.sight.newest, np.zeros((GRID.rows, GRID.cols), bool)
    fresh[0, 0] = True
    session.see(change_blocks(newest, fresh, stamp=newest.stamp + PERIOD))
    answer = ask(session, Terms()).finish()
    assert answer.rows_paid > 0
    assert answer.evidence.blocks_owed == 0
    while (work := session.background()) and work.job is job:
        work.step()
    assert stream.cache.ledger.exact
    assert (stream.sight.owed().blocks == fresh).all(), 'it was whole before that moved'
    assert session.audit().ok


def test_a_question_in_the_middle_of_an_audit_is_answered_from_what_stands(qwen: Family) -> None:
    session = building(qwen)
    while session.idle():
        pass
    before, job = ask(session).finish(), session.auditing()
    while not job.step():
        assert ask(session).finish().token_ids == before.token_ids
    assert job.result.ok


def test_an_audit_that_takes_the_frame_whole_is_not_undone_by_what_was_under_way(
    qwen: Family,
) -> None:
    session = paying(qwen)
    session.pay()
    assert session.stream is not None
    fresh = np.zeros((GRID.rows, GRID.cols), bool)
    fresh[3, 4] = True
    session.see(change_blocks(session.stream.sight.newest, fresh, stamp=3 * PERIOD))
    assert not background(session).step(), 'in place, and not done'
    assert session.audit().ok
    while session.idle():
        pass
    assert session.stream.sight.owed().count == 0
    assert session.stream.cache.ledger.exact


def test_an_audit_that_takes_the_frame_whole_gives_way_to_what_a_question_pays_meanwhile(
    qwen: Family,
) -> None:
    session = paying(qwen)
    session.pay()
    stream, audit = session.stream, session.auditing()
    assert stream is not None
    while not stream.payer.nbytes:
        assert not audit.step(), 'the refreshed tail is settled before it is compared'
    fresh = np.zeros((GRID.rows, GRID.cols), bool)
    fresh[3, 4] = True
    session.see(change_blocks(stream.sight.newest, fresh, stamp=3 * PERIOD))
    assert ask(session, Terms()).finish().evidence.blocks_owed == 0
    assert audit.finish().ok
    assert stream.sight.owed().count == 0
    assert stream.cache.ledger.frames[-1].stamp == 3 * PERIOD


@pytest.mark.parametrize('kind', SITUATIONS)
def test_a_job_that_is_given_up_leaves_nothing_behind(qwen: Family, kind: str) -> None:
    session = SITUATIONS[kind](qwen)
    assert session.stream is not None
    held, number = contents(session), session.stream.cache.number
    owed = session.stream.sight.owed().count
    background(session).step()
    session.stream.close()
    pairs = zip(contents(session), held, strict=True)
    assert all(np.array_equal(ours, theirs) for ours, theirs in pairs)
    assert session.stream.cache.number == number
    assert session.stream.sight.owed().count == owed
    while session.idle():
        pass
    assert session.audit().ok


@pytest.mark.parametrize('kind', SITUATIONS)
@pytest.mark.parametrize('end', ['reset', 'resolution', 'clock'])
def test_a_stream_that_ends_in_the_middle_of_a_job_begins_anew(
    qwen: Family, kind: str, end: str, make_frames: MakeFrames
) -> None:
    session = SITUATIONS[kind](qwen)
    job = background(session)
    job.step()
    if end == 'reset':
        session.reset()
        session.see(scene(100 * PERIOD))
    elif end == 'resolution':
        session.see(replace(make_frames(1)[0], stamp=100 * PERIOD))
    else:
        session.see(scene(PERIOD // 2))
    assert ask(session, Terms()).finish().evidence.blocks_owed == 0
    assert job.step(), 'there is no more of it'
    assert session.stream is not None
    assert [f.stamp for f in session.stream.cache.ledger.frames] == [session.newest_stamp]
    assert session.audit().ok


def test_a_question_for_the_newest_evidence_takes_over_what_the_background_has_begun(
    qwen: Family,
) -> None:
    session, counted = paying(qwen), 0
    original = qwen.encode

    def counting(*arguments: Any) -> Any:
        nonlocal counted
        counted += 1
        return original(*arguments)

    qwen.encode = counting
    try:
        background(session).step()
        answer = ask(session, Terms()).finish()
    finally:
        del qwen.encode
    assert counted == 1, 'not encoded a second time'
    assert answer.evidence.blocks_owed == 0


def test_a_payment_that_has_not_begun_is_of_the_newest_image(qwen: Family) -> None:
    session = paying(qwen)
    decided = background(session)
    assert session.stream is not None
    fresh = np.zeros((GRID.rows, GRID.cols), bool)
    fresh[2, 4] = True
    session.see(change_blocks(session.stream.sight.newest, fresh, stamp=3 * PERIOD))
    while (work := session.background()) is not None:
        assert work.job is not decided, 'it was given up'
        work.step()
    assert session.stream.sight.owed().count == 0
    assert session.stream.cache.ledger.frames[-1].stamp == 3 * PERIOD


def test_a_question_begins_anew_where_the_background_pays_what_is_out_of_date(
    qwen: Family,
) -> None:
    session = paying(qwen)
    background(session).step()
    assert session.stream is not None
    newest = session.stream.sight.newest
    fresh = np.zeros((GRID.rows, GRID.cols), bool)
    fresh[1, 2] = True
    moved = change_blocks(newest, fresh, stamp=3 * PERIOD, seed=7)
    session.see(moved)
    answer = ask(session, Terms()).finish()
    assert answer.evidence.newest_stamp == 3 * PERIOD
    assert answer.evidence.blocks_owed == 0
    reference = session.stream.sight._planner.reference
    assert reference is not None
    assert (reference.pixels == moved.pixels).all()
