# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The queue with questions for which nobody may wait any more: set aside, and how they end."""

from __future__ import annotations

import time

import pytest
from ros.desks import ServedQueue, serve
from ros.requests import asks

from vlmaxxing_ros.ros.ticket import Status


def test_a_doubted_question_lets_everybody_pass_and_is_answered_then(asked: ServedQueue) -> None:
    asked.show(asked.now)
    asked.submit(asks('gone?')).doubt(True)
    asked.submit(asks('the watch?', standing=True))
    assert asked.ask(asks('the planner?')).request.text == 'the planner?'
    assert asked.end().request.text == 'the watch?'
    outcome = asked.end()
    assert (outcome.request.text, outcome.status) == ('gone?', Status.OK)


LONG = asks('gone?', max_tokens=8)


def test_a_doubted_answer_is_set_aside_and_goes_on_where_it_stood(asked: ServedQueue) -> None:
    asked.show(asked.now)
    undisturbed = asked.ask(LONG).answer
    asked.begin(LONG, tokens=3)
    asked.show(asked.now + 1, pay=False)
    assert asked.ask(asks('the planner?')).request.text == 'the planner?'
    outcome = asked.end()
    assert undisturbed is not None
    assert outcome.answer is not None
    assert (outcome.request, outcome.status) == (LONG, Status.OK)
    assert outcome.answer.token_ids == undisturbed.token_ids
    assert len(asked.queue) == 0


def test_doubted_answers_take_turns_so_that_none_waits_for_the_end_of_another(
    asked: ServedQueue,
) -> None:
    asked.show(asked.now)
    asked.begin(asks('first?', max_tokens=8), tokens=1)
    asked.begin(asks('second?', max_tokens=12), tokens=1)
    asked.submit(asks('third?', max_tokens=2)).doubt(True)
    ended = [asked.end().request.text for _ in range(3)]
    assert ended == ['third?', 'first?', 'second?']


def test_of_many_doubted_questions_three_are_begun_and_the_rest_wait(asked: ServedQueue) -> None:
    asked.show(asked.now)
    tickets = [asked.submit(asks(f'{number}?', max_tokens=4)) for number in range(5)]
    for ticket in tickets:
        ticket.doubt(True)
    most = 0
    while len(asked.outcomes) < 5:
        serve(asked.queue)
        most = max(most, sum(t.begun is not None and not t.done for t in tickets))
    assert most == 3
    assert {outcome.status for outcome in asked.outcomes} == {Status.OK}


def test_where_more_come_to_be_doubted_the_oldest_gives_up_its_place(asked: ServedQueue) -> None:
    asked.show(asked.now)
    texts = [f'{number}?' for number in range(6)]
    tickets = [asked.begin(asks(text, max_tokens=8), tokens=1) for text in texts]
    assert [ticket.done for ticket in tickets] == [True, True, False, False, False, False]
    assert {outcome.status for outcome in asked.outcomes} == {Status.OVERLOADED}
    assert [outcome.request.text for outcome in asked.outcomes] == ['0?', '1?']
    assert 'askers may be gone' in asked.outcomes[0].status_text
    asked.outcomes.clear()
    assert asked.ask(asks('the planner?')).request.text == '2?', (
        'for the planner it is one too many'
    )
    assert asked.end().request.text == 'the planner?'
    assert {asked.end().status for _ in range(3)} == {Status.OK}


def test_one_that_pays_is_not_set_aside_before_it_has(asked: ServedQueue) -> None:
    asked.show(asked.now, pay=False)
    asked.submit(LONG).doubt(True)
    serve(asked.queue)
    asked.submit(asks('the planner?'))
    assert asked.queue.facts.answering
    while asked.queue.facts.answering:
        serve(asked.queue)
    assert asked.end().request.text == 'the planner?'


def test_while_one_pays_no_other_takes_a_step(asked: ServedQueue) -> None:
    asked.show(asked.now)
    gone = asked.begin(LONG, tokens=2)
    asked.show(asked.now + 1, pay=False)
    asked.submit(asks('the planner?'))
    serve(asked.queue)
    gone.doubt(False)
    sight = asked.queue.cameras['camera'].session.sight
    assert sight is not None
    steps = 0
    while sight.owed().blocks.any():
        serve(asked.queue)
        steps += 1
        assert gone.token is not None
        assert gone.token.token_count == 2
    assert steps > 1
    assert asked.end().request.text == 'the planner?'


def test_one_whose_asker_is_there_after_all_goes_on(asked: ServedQueue) -> None:
    asked.show(asked.now)
    asked.begin(LONG, tokens=2).doubt(False)
    assert asked.ask(asks('the planner?')).request == LONG


def test_one_that_was_set_aside_is_cancelled_as_any_other(asked: ServedQueue) -> None:
    asked.show(asked.now)
    ticket = asked.begin(LONG, tokens=2)
    asked.submit(asks('the planner?'))
    serve(asked.queue)
    ticket.cancel()
    outcome = asked.end()
    assert (outcome.request, outcome.status) == (LONG, Status.CANCELLED)
    assert outcome.answer is not None
    assert outcome.answer.answer_tokens == 2


@pytest.mark.parametrize('by', ['the executor', "the model's thread"])
def test_one_that_was_set_aside_ends_by_its_deadline(asked: ServedQueue, by: str) -> None:
    asked.show(asked.now)
    ticket = asked.begin(LONG, tokens=2)
    asked.begin(asks('another?', max_tokens=8), tokens=1).doubt(False)
    ticket.due = time.monotonic() - 1.0
    asked.queue.finish_overdue() if by == 'the executor' else asked.queue.sort_out()
    (outcome,) = asked.outcomes
    assert (outcome.request, outcome.status) == (LONG, Status.TIMEOUT)
    asked.queue.sort_out()
    assert len(asked.queue) == 1


@pytest.mark.parametrize('at_once', [True, False])
def test_all_that_was_set_aside_ends_with_the_rest(asked: ServedQueue, at_once: bool) -> None:
    asked.show(asked.now)
    asked.begin(LONG, tokens=2)
    asked.begin(asks('another?', max_tokens=8), tokens=1)
    (asked.queue.abandon if at_once else asked.queue.cancel_all)('it is over')
    asked.queue.sort_out()
    assert [(o.status, o.status_text) for o in asked.outcomes] == 2 * [
        (Status.CANCELLED, 'it is over')
    ]
    assert len(asked.queue) == 0


def test_one_that_was_set_aside_counts_as_waiting_and_gives_up_its_place(
    asked: ServedQueue,
) -> None:
    asked.show(asked.now)
    asked.begin(LONG, tokens=2)
    asked.begin(asks('another?', max_tokens=8), tokens=1).doubt(False)
    for _ in range(asked.queue.limits.max_waiting_questions):
        asked.submit(asks('well?'))
    (outcome,) = asked.outcomes
    assert (outcome.request, outcome.status) == (LONG, Status.OVERLOADED)
    asked.submit(asks('one more?'))
    assert asked.outcomes[1].request.text == 'one more?'
    assert asked.outcomes[1].status is Status.OVERLOADED


def test_what_fails_for_one_that_was_set_aside_ends_that_one_alone(
    asked: ServedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.show(asked.now)
    asked.begin(LONG, tokens=2)
    assert asked.ask(asks('the planner?')).status is Status.OK

    def fail(*_: object) -> None:
        raise RuntimeError('out of order')

    with monkeypatch.context() as patched:
        patched.setattr(asked.family, 'logits', fail)
        outcome = asked.end()
    assert (outcome.request, outcome.status) == (LONG, Status.MODEL_ERROR)
    assert asked.failed == [('camera', False)]
    assert asked.ask(asks('the planner?')).status is Status.OK
