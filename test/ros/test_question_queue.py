# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The queue with a real session, step by step: what counts as fresh, and how old evidence is."""

from __future__ import annotations

from typing import Any

import pytest
from ros.desks import SECOND, ServedQueue
from ros.requests import asks

from vlmaxxing_ros.ros.ticket import Status


def test_an_image_stamped_far_ahead_of_the_nodes_clock_is_not_fresh(asked: ServedQueue) -> None:
    asked.show(asked.now + 60 * SECOND)
    outcome = asked.ask(asks('well?', max_evidence_age=0.5, deadline=0.05))
    assert outcome.status is Status.STALE
    assert "stamped 60 s ahead of the node's clock" in outcome.status_text
    assert 'use_sim_time' in outcome.status_text


def test_an_image_stamped_ahead_becomes_fresh_by_itself(asked: ServedQueue) -> None:
    asked.show(asked.now + SECOND // 2)
    ticket = asked.queue.submit(
        asks('well?', max_evidence_age=2.0, deadline=20.0),
        on_token=lambda *_: None,
        on_done=asked.outcomes.append,
        wake=lambda: None,
    )
    due = asked.queue.next_due()
    assert not asked.queue.facts.askable
    assert due is not None
    assert due < ticket.due - 10.0, 'it looks again when the image is present, not at the deadline'
    asked.now += SECOND // 2
    assert asked.queue.facts.askable


@pytest.mark.parametrize('deadline', [1e10, float('inf'), float('nan'), -1.0])
def test_a_deadline_that_cannot_be_is_refused(asked: ServedQueue, deadline: float) -> None:
    asked.show(asked.now)
    outcome = asked.ask(asks('well?', max_evidence_age=1e-6, deadline=deadline))
    assert outcome.status is Status.INVALID_REQUEST
    assert 'deadline' in outcome.status_text


def test_clocks_that_are_nearly_the_same_make_no_image_stale(asked: ServedQueue) -> None:
    asked.show(asked.now + SECOND // 20)
    outcome = asked.ask(asks('well?', max_evidence_age=0.5))
    assert outcome.status is Status.OK
    assert outcome.evidence_age == pytest.approx(-0.05)


def test_the_evidences_age_is_that_of_the_newest_image_it_rests_on(asked: ServedQueue) -> None:
    for age in (5, 4, 1):
        asked.show(asked.now - age * SECOND)
    assert asked.ask(asks('well?')).evidence_age == pytest.approx(1.0)
    past = asked.ask(asks('well?', as_of=asked.now - 2 * SECOND))
    assert past.answer is not None
    assert past.evidence_age == (asked.now - past.answer.evidence.newest_stamp) * 1e-9 > 3.0


def test_a_watch_s_question_lets_everybody_pass(asked: ServedQueue) -> None:
    asked.show(asked.now)
    asked.submit(asks('the watch?', standing=True))
    assert asked.ask(asks('the planner?')).request.text == 'the planner?'
    assert asked.ask(asks('another planner?')).request.text == 'another planner?'
    assert len(asked.queue) == 1, 'it still waits'


def test_a_watch_s_question_takes_nobody_s_place(asked: ServedQueue) -> None:
    asked.show(asked.now)
    most = asked.queue.limits.max_waiting_questions
    asked.submit(asks('gone?')).doubt(True)
    for _ in range(most - 2):
        asked.submit(asks('well?'))
    asked.submit(asks('the watch?', standing=True))
    asked.submit(asks('well?'))
    assert not asked.outcomes
    asked.submit(asks('the watch?', standing=True))
    asked.submit(asks('well?'))
    assert [outcome.status for outcome in asked.outcomes] == 2 * [Status.OVERLOADED]
    assert [outcome.request.text for outcome in asked.outcomes] == ['the watch?', 'gone?']


BOTH = ('camera', 'wrist')


def test_a_question_about_two_cameras_waits_until_both_are_young_enough(asked: ServedQueue) -> None:
    asked.show(asked.now)
    asked.submit(asks('well?', cameras=BOTH, max_evidence_age=1.0))
    assert not asked.queue.facts.askable
    asked.show(asked.now - 60 * SECOND, 'wrist')
    assert not asked.queue.facts.askable
    asked.show(asked.now, 'wrist')
    assert asked.queue.facts.askable


@pytest.mark.parametrize(
    ('age', 'status', 'said'),
    [(None, Status.NO_EVIDENCE, 'no image of wrist'), (60, Status.STALE, 'newest image of wrist')],
)
def test_where_one_of_two_cameras_will_not_do_it_is_named(
    asked: ServedQueue, age: int | None, status: Status, said: str
) -> None:
    asked.show(asked.now)
    if age is not None:
        asked.show(asked.now - age * SECOND, 'wrist')
    outcome = asked.ask(asks('well?', cameras=BOTH, max_evidence_age=1.0, deadline=0.05))
    assert outcome.status is status
    assert said in outcome.status_text


def test_an_answer_about_two_cameras_is_as_old_as_the_older(asked: ServedQueue) -> None:
    asked.show(asked.now - SECOND)
    asked.show(asked.now - 3 * SECOND, 'wrist')
    outcome = asked.ask(asks('well?', cameras=BOTH))
    assert (outcome.status, outcome.camera) == (Status.OK, 'camera')
    assert outcome.answer is not None
    assert [part.age for part in outcome.answer.cameras] == pytest.approx([1.0, 3.0])
    assert outcome.evidence_age == pytest.approx(3.0)


def test_where_the_model_fails_the_stream_that_was_being_paid_is_the_one_that_is_lost(
    asked: ServedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.show(asked.now)
    asked.show(asked.now, 'wrist', pay=False)

    def fail(*_: object) -> None:
        raise RuntimeError('out of order')

    with monkeypatch.context() as patched:
        patched.setattr(asked.family, 'encode', fail)
        outcome = asked.ask(asks('well?', cameras=BOTH))
    assert outcome.status is Status.MODEL_ERROR
    assert asked.failed == [('wrist', True)]
    asked.failed.clear()
    asked.ask(asks('well?', cameras=BOTH))
    with monkeypatch.context() as patched:
        patched.setattr(asked.family, 'logits', fail)
        asked.ask(asks('well?', cameras=BOTH))
    assert asked.failed == [('camera', False)], 'it was done on a fork'


@pytest.mark.parametrize(
    ('fields', 'said'),
    [
        ({'camera': 'wrist', 'cameras': BOTH}, 'camera and cameras exclude each other'),
        ({'cameras': ('camera', 'rear')}, "no camera 'rear': there is camera, wrist"),
        ({'cameras': ('camera', '')}, "no camera ''"),
        ({'cameras': ('wrist', 'wrist')}, 'must be different'),
        ({'cameras': BOTH, 'as_of': 5}, 'as_of is about one camera'),
    ],
)
def test_cameras_that_cannot_be_asked_about_are_refused_at_once(
    asked: ServedQueue, fields: dict[str, Any], said: str
) -> None:
    asked.submit(asks('well?', **fields))
    (outcome,) = asked.outcomes
    assert outcome.status is Status.INVALID_REQUEST
    assert said in outcome.status_text
