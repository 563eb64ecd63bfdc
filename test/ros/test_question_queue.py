# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The queue with a real session, step by step: what counts as fresh, and how old evidence is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from ros.requests import asks

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.random_models.families import random_family
from vlmaxxing_ros.ros.camera import Camera
from vlmaxxing_ros.ros.question_queue import QuestionQueue
from vlmaxxing_ros.ros.schedule import Turn, next_turn
from vlmaxxing_ros.ros.settings import NodeConfig
from vlmaxxing_ros.ros.ticket import Outcome, Request, Status, Ticket

SECOND = 10**9


@pytest.fixture(scope='module')
def family() -> Family:
    return random_family()


@dataclass
class ServedQueue:
    """A queue with one camera whose images are stamped as told; `now` is the node's clock in ns."""

    family: Family
    now: int = 100 * SECOND
    outcomes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.failed: list[tuple[str, bool]] = []
        self.queue = QuestionQueue(
            NodeConfig(), clock=lambda: self.now, on_failure=self._note_failure
        )
        self.queue.cameras = {
            name: Camera(name, np.asarray, StreamSession(self.family, EngineConfig(max_tokens=1)))
            for name in ('camera', 'wrist')
        }

    def _note_failure(self, camera: Camera, error: BaseException, lost: bool) -> str:
        self.failed.append((camera.name, lost))
        return ''

    def show(self, stamp: int, camera: str = 'camera', *, pay: bool = True) -> None:
        """An image of noise."""
        session = self.queue.cameras[camera].session
        pixels = np.random.default_rng(stamp).integers(0, 256, (112, 112, 3), dtype=np.uint8)
        frame = session.frame(pixels, stamp=stamp)
        if pay:
            session.admit(frame)
        else:
            session.see(frame)

    def submit(self, request: Request) -> Ticket:
        """A question."""
        return self.queue.submit(
            request, on_token=lambda *_: None, on_done=self.outcomes.append, wake=lambda: None
        )

    def ask(self, request: Request) -> Outcome:
        """A question, served until one ends."""
        self.submit(request)
        return self.end()

    def end(self) -> Outcome:
        """Serve until one ends."""
        while not self.outcomes:
            self.step()
        return self.outcomes.pop()

    def step(self) -> None:
        """Do what comes next."""
        self.queue.sort_out()
        turn = next_turn(self.queue.facts)
        if turn is Turn.ANSWER:
            self.queue.step()
        elif turn is Turn.START:
            self.queue.start()
        else:
            time.sleep(0.001)

    def begin(self, request: Request, tokens: int) -> Ticket:
        """A question, served until so many tokens of its answer are there, and then doubted."""
        ticket = self.submit(request)
        while ticket.token is None or ticket.token.token_count < tokens:
            self.step()
        ticket.doubt(True)
        return ticket


@pytest.fixture
def asked(family: Family) -> ServedQueue:
    return ServedQueue(family)


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
        asked.step()
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
    asked.step()
    asked.submit(asks('the planner?'))
    assert asked.queue.facts.answering
    while asked.queue.facts.answering:
        asked.step()
    assert asked.end().request.text == 'the planner?'


def test_while_one_pays_no_other_takes_a_step(asked: ServedQueue) -> None:
    asked.show(asked.now)
    gone = asked.begin(LONG, tokens=2)
    asked.show(asked.now + 1, pay=False)
    asked.submit(asks('the planner?'))
    asked.step()
    gone.doubt(False)
    sight = asked.queue.cameras['camera'].session.sight
    assert sight is not None
    steps = 0
    while sight.owed().blocks.any():
        asked.step()
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
    asked.step()
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
