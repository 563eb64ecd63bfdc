# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The worker's questions: when they are answered, from what, and how they end."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from ros.requests import asks
from ros.workers import LONG, WAIT, AWorker, held_up, wait_until, with_fields

from vlmaxxing_ros.ros.ticket import Status


def test_a_question_is_answered_from_the_newest_frame(scene: AWorker) -> None:
    scene.show()
    newest = scene.show()
    scene.now += 2 * 10**9
    outcome = scene.ask(asks('what colors are the blocks?')).outcome
    assert (outcome.status, outcome.model) == (Status.OK, 'nano')
    assert outcome.answer is not None
    assert outcome.answer.evidence.newest_stamp == newest.arrival.stamp
    assert outcome.evidence_age == pytest.approx(2.0)
    assert 0.0 < outcome.answer.time_to_first_token <= outcome.latency


def test_a_running_answer_is_cancelled_at_the_next_token(scene: AWorker) -> None:
    scene.show()
    asked = scene.ask(LONG)
    wait_until(lambda: len(asked.tokens) > 3)
    asked.ticket.cancel()
    outcome = asked.outcome
    assert outcome.status is Status.CANCELLED
    assert outcome.answer is not None
    assert outcome.answer.finish_reason == 'cancelled'
    assert outcome.answer.answer == ''.join(asked.tokens)
    assert outcome.answer.answer_tokens < LONG.asked['max_tokens']


def test_a_running_answer_ends_at_its_deadline_with_what_there_is(scene: AWorker) -> None:
    scene.show()
    asked = scene.ask(with_fields(LONG, deadline=0.5, max_tokens=30_000))
    outcome = asked.outcome
    assert outcome.status is Status.TIMEOUT
    assert outcome.latency >= 0.5
    assert outcome.answer is not None
    assert outcome.answer.finish_reason == 'timeout'
    assert outcome.answer.answer == ''.join(asked.tokens) != ''
    assert outcome.answer.evidence.newest_stamp == scene.now


def test_without_a_duty_nothing_is_paid_before_somebody_asks(scene: AWorker) -> None:
    engine = replace(scene.settings.engine, max_duty=0.0)
    scene.worker.configure(replace(scene.settings, engine=engine)).result(WAIT)
    for _ in range(3):
        assert scene.show().budget.blocks_admitted == 0
    outcome = scene.ask(asks('what colors are the blocks?')).outcome
    assert outcome.answer is not None
    assert outcome.answer.rows_paid == 16 + 2
    assert outcome.answer.evidence.blocks_owed == 0
    assert outcome.answer.evidence.newest_stamp == scene.now


def test_the_fastest_answer_pays_nothing_and_says_what_it_does_not_account_for(
    scene: AWorker,
) -> None:
    engine = replace(scene.settings.engine, max_duty=0.0)
    scene.worker.configure(replace(scene.settings, engine=engine)).result(WAIT)
    paid = scene.show()
    assert scene.ask(asks('what colors are the blocks?')).outcome.status is Status.OK
    scene.show()
    outcome = scene.ask(asks('what colors are the blocks?', max_evidence_age=math.inf)).outcome
    assert outcome.status is Status.OK
    assert outcome.answer is not None
    assert (outcome.answer.rows_paid, outcome.answer.evidence.blocks_owed) == (0, 16)
    assert outcome.answer.evidence.newest_stamp == paid.arrival.stamp
    assert outcome.evidence_age == pytest.approx(1.0)
    assert 'not accounted for' in outcome.status_text


def test_a_deadline_holds_even_while_the_thread_is_busy(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_up(scene, monkeypatch) as entered:
        scene.show()
        first = scene.ask(asks('well?'))
        assert entered.wait(WAIT)
        asked = scene.ask(asks('well?', deadline=0.1))
        wait_until(lambda: scene.worker.finish_overdue() or asked.outcomes)
        assert asked.outcome.status is Status.TIMEOUT
    assert first.outcome.status is Status.OK


def test_a_constrained_answer_that_is_cut_is_not_ok(scene: AWorker) -> None:
    scene.show()
    outcome = scene.ask(with_fields(LONG, max_tokens=5)).outcome
    assert outcome.status is Status.INVALID_ANSWER
    assert 'max_tokens' in outcome.status_text
    assert outcome.answer is not None
    assert outcome.answer.finish_reason == 'length'
    assert scene.ask(asks('well?', max_tokens=1)).outcome.status is Status.OK


def test_whoever_waits_can_be_let_go_while_the_model_is_busy(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_up(scene, monkeypatch) as entered:
        scene.show()
        first, second = scene.ask(asks('well?')), scene.ask(asks('well?'))
        assert entered.wait(WAIT)
        scene.worker.abandon('the end')
        assert [q.outcome.status for q in (first, second)] == 2 * [Status.CANCELLED]


def test_closing_cancels_whoever_waits_and_refuses_whoever_comes(scene: AWorker) -> None:
    scene.show()
    running = scene.ask(LONG)
    waiting = scene.ask(asks('well?'))
    wait_until(lambda: running.tokens)
    scene.worker.close('closing time').result(WAIT)
    for asked in (running, waiting):
        assert asked.outcome.status is Status.CANCELLED
        assert asked.outcome.status_text == 'closing time'
    assert scene.ask(asks('well?')).outcome.status is Status.NOT_ACTIVE


def test_questions_are_answered_in_the_order_in_which_they_came(scene: AWorker) -> None:
    scene.show()
    ended: list[int] = []
    for number in range(5):
        scene.worker.submit(
            asks('what colors are the blocks?'),
            on_token=lambda *_: None,
            on_done=lambda _, number=number: ended.append(number),
        )
    wait_until(lambda: len(ended) == 5)
    assert ended == [0, 1, 2, 3, 4]
