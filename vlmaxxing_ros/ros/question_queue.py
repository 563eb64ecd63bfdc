# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The question desk: who waits, who is being answered, and how each question ends.

Questions are taken up in the order in which they came, except that one which waits for fresher
evidence lets others pass, and a watch's all of them.  Every question ends by its deadline, with
a named status; none costs the stream what was paid.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmaxxing_ros.engine.errors import InvalidRequest, NoEvidence, Unsupported
from vlmaxxing_ros.ros.camera import Camera
from vlmaxxing_ros.ros.settings import NodeConfig
from vlmaxxing_ros.ros.ticket import Outcome, Request, Status, Ticket

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.question import Answer, Token
    from vlmaxxing_ros.engine.stream.answer_job import AnswerJob

_GRACE = 0.05  # s, in which the worker may end an overdue answer itself, with its evidence
# s that an image may be stamped ahead of the node's clock and still be fresh: /clock at 10 Hz is
# this late, machines that keep their time over the network differ by less.  A stamp further ahead
# says nothing about the image's age.
_AHEAD = 0.1


@dataclass(frozen=True)
class _Running:
    """The question being answered."""

    ticket: Ticket
    job: AnswerJob


class QuestionQueue:
    """Questions from arrival to answer.

    `submit` and `finish_overdue` may be called from any thread, the rest is the worker's.

    Args:
        limits: to begin with.
        clock: the node's time in ns.
        on_failure: told whose question failed, why, and whether the stream's own work did: then
            the stream is lost; otherwise what failed was done on a fork of it.  Returns what was
            done about it.

    Attributes:
        limits: bounds and the default deadline.
        cameras: those with a session, by name; none: the node is not active.
        model: name put into the answers.
    """

    def __init__(
        self,
        limits: NodeConfig,
        *,
        clock: Callable[[], int],
        on_failure: Callable[[Camera, BaseException, bool], str],
    ) -> None:
        self.limits = limits
        self.cameras: dict[str, Camera] = {}
        self.model = ''
        self._clock = clock
        self._on_failure = on_failure
        self._waiting: deque[Ticket] = deque()
        self._running: _Running | None = None

    def __len__(self) -> int:
        return len(self._waiting) + (self._running is not None)

    @property
    def answering(self) -> bool:
        """Whether a question is being answered."""
        return self._running is not None

    def submit(
        self,
        request: Request,
        *,
        on_token: Callable[[Token], None],
        on_done: Callable[[Outcome], None],
        wake: Callable[[], None],
    ) -> Ticket:
        """Queue a question.  `on_done` is called once, from whatever thread ends it."""
        cameras, limits = list(self.cameras), self.limits
        ticket = Ticket(
            request,
            cameras=request.named or tuple(cameras[:1]),
            deadline=request.deadline or limits.deadline,
            on_token=on_token,
            on_done=on_done,
            wake=wake,
        )
        if not cameras:
            ticket.finish(
                Status.NOT_ACTIVE,
                'the node is not active: it may still be loading its model; if it was not told to '
                'start, ros2 lifecycle set <node> configure, then activate',
            )
            return ticket
        try:
            ticket.question = request.check(cameras, limits.max_question_characters)
        except InvalidRequest as error:
            ticket.finish(Status.INVALID_REQUEST, str(error))
            return ticket
        # A watch's question takes nobody's place.
        waiting = sum(t.request.standing <= request.standing for t in list(self._waiting))
        if waiting >= limits.max_waiting_questions:
            ticket.finish(
                Status.OVERLOADED,
                f'{waiting} questions are waiting (max_waiting_questions): ask less '
                'often, or again later',
            )
            return ticket
        self._waiting.append(ticket)
        wake()
        return ticket

    def finish_overdue(self) -> None:
        """Answer the questions whose deadline has passed, however busy the worker is."""
        running, now = self._running, time.monotonic() - _GRACE
        if running is not None and now > running.ticket.due:
            ticket = running.ticket
            ticket.finish(Status.TIMEOUT, _too_slow(ticket), model=self.model)
        for ticket in list(self._waiting):
            if now > ticket.due:
                ticket.finish(*self._why_overdue(ticket), model=self.model)

    def abandon(self, why: str) -> None:
        """End every question as CANCELLED, however busy the worker is."""
        running = self._running
        for ticket in [*([running.ticket] if running else []), *self._waiting]:
            ticket.finish(Status.CANCELLED, why, model=self.model)

    def next_due(self) -> float | None:
        """When something about those who wait is to be done, in seconds of `time.monotonic`.

        A deadline passes, or evidence that is stamped ahead of the clock becomes present.
        """
        return min(map(self._due, list(self._waiting)), default=None)

    def _due(self, ticket: Ticket) -> float:
        ages = [age for name in ticket.cameras if (age := self._age(name)) is not None]
        ahead = -min(ages, default=0.0) - _AHEAD
        return min(ticket.due, time.monotonic() + ahead) if ahead > 0.0 else ticket.due

    def sort_out(self) -> None:
        """Take ended questions out of the queue; end those that are cancelled or overdue."""
        for ticket in list(self._waiting):
            if ticket.cancelled:
                ticket.finish(Status.CANCELLED, 'cancelled before its turn came')
            elif not self.cameras.keys() >= set(ticket.cameras):
                ticket.finish(Status.CANCELLED, 'the node was deactivated meanwhile')
            elif time.monotonic() > ticket.due:
                ticket.finish(*self._why_overdue(ticket), model=self.model)
            if ticket.done:
                self._waiting.remove(ticket)

    @property
    def askable(self) -> bool:
        """Whether a question waits whose evidence is, or can be made, fresh enough."""
        return any(map(self._is_fresh_enough, list(self._waiting)))

    def start(self) -> None:
        """Begin the first of those questions."""
        from vlmaxxing_ros.engine.stream.governor import Terms

        askable = filter(self._is_fresh_enough, list(self._waiting))
        ticket = min(askable, key=lambda ticket: ticket.request.standing, default=None)
        if ticket is None or ticket.question is None:
            return
        self._waiting.remove(ticket)
        ticket.begun = time.monotonic()
        with self._mishaps(ticket):
            session, *beside = (self.cameras[name].session for name in ticket.cameras)
            job = session.answering(
                ticket.question,
                Terms(
                    max_evidence_age=ticket.request.max_evidence_age,
                    time_left=ticket.due - time.monotonic(),
                ),
                evidence_age=self._age_of,
                start=ticket.arrived,
                on_token=ticket.add,
                beside=beside,
            )
            self._running = _Running(ticket, job)

    def step(self) -> None:
        """Do the next piece of work on the running answer."""
        running = self._running
        assert running is not None
        ticket = running.ticket
        with self._mishaps(ticket):
            if ticket.cancelled or ticket.done:
                self._end(running, Status.CANCELLED, 'cancelled: the answer is what there was')
            elif time.monotonic() > ticket.due:
                self._end(running, Status.TIMEOUT, _too_slow(ticket))
            elif running.job.step():
                self._end(running, Status.OK)

    def cancel_all(self, why: str) -> None:
        """End every question as CANCELLED."""
        if self._running is not None:
            self._end(self._running, Status.CANCELLED, why)
        while self._waiting:
            self._waiting.popleft().finish(Status.CANCELLED, why)

    def _end(self, running: _Running, status: Status, text: str = '') -> None:
        """Complete the running question with what the engine has."""
        self._running = None
        reason = 'timeout' if status is Status.TIMEOUT else 'cancelled'
        answer = running.job.answer or running.job.stop(reason)
        if status is Status.OK and (text := _unsatisfied(running.ticket, answer)):
            status = Status.INVALID_ANSWER
        evidence = running.job.evidence
        running.ticket.finish(
            status,
            text or _owing(answer),
            model=self.model,
            answer=answer,
            evidence_age=evidence.age if evidence else 0.0,
        )

    @contextmanager
    def _mishaps(self, ticket: Ticket) -> Iterator[None]:
        """Whatever goes wrong with one question ends that question, and nothing else."""
        try:
            yield
        except NoEvidence as error:
            status, text = Status.NO_EVIDENCE, str(error)
        except (InvalidRequest, Unsupported) as error:
            status, text = Status.INVALID_REQUEST, str(error)
        except BaseException as error:  # Rust's panics are no Exception
            running = self._running
            paying = running.job.paying if running is not None else None
            camera = self.cameras[ticket.cameras[paying or 0]]
            status, text = Status.MODEL_ERROR, f'{type(error).__name__}: {error}'
            if done := self._on_failure(camera, error, paying is not None):
                text += f'; {done}: ask again'
        else:
            return
        self._running = None
        ticket.finish(status, text, model=self.model)

    def _age(self, camera: str) -> float | None:
        """Seconds since the newest evidence's stamp; None without evidence or session."""
        slot = self.cameras.get(camera)
        stamp = None if slot is None else slot.session.newest_stamp
        return None if stamp is None else self._age_of(stamp)

    def _age_of(self, stamp: int) -> float:
        """Seconds since an image with this stamp, nanoseconds."""
        return (self._clock() - stamp) * 1e-9

    def _is_fresh_enough(self, ticket: Ticket) -> bool:
        """Whether the evidence of every camera that it is about will do."""
        return self._lacking(ticket) is None

    def _lacking(self, ticket: Ticket) -> str | None:
        """The first of its cameras whose evidence will not do; None: all will."""
        bound = ticket.request.max_evidence_age
        return next((name for name in ticket.cameras if not self._will_do(name, bound)), None)

    def _will_do(self, camera: str, bound: float) -> bool:
        age = self._age(camera)
        if bound in (0.0, math.inf):  # whatever there is will do, once there is something
            return age is not None
        return age is not None and -_AHEAD <= age <= bound

    def _why_overdue(self, ticket: Ticket) -> tuple[Status, str]:
        """How a question ends whose deadline passed while it waited."""
        camera = self._lacking(ticket)
        if camera is None:
            return Status.TIMEOUT, _too_slow(ticket)
        age = self._age(camera)
        if age is None:
            return Status.NO_EVIDENCE, (
                f'no image of {camera} was admitted within {ticket.deadline:g} s: '
                'is the camera publishing?'
            )
        if age < 0.0:
            return Status.STALE, (
                f"the newest image of {camera} is stamped {-age:.3g} s ahead of the node's "
                "clock, so that its age is unknown: are the machines' clocks synchronised, are "
                "the stamps in the node's clock (use_sim_time)?"
            )
        return Status.STALE, (
            f'the newest image of {camera} is {age:.3g} s old, and within '
            f'{ticket.deadline:g} s none came younger than {ticket.request.max_evidence_age:g} s: '
            "is the camera publishing, are its stamps in the node's clock (use_sim_time)?"
        )


def _unsatisfied(ticket: Ticket, answer: Answer | None) -> str:
    """Why an answer is not what its schema asks for; empty if it is, or there is no schema."""
    if answer is None or not ticket.request.asked.get('json_schema'):
        return ''
    if answer.finish_reason == 'length':
        return (
            f'cut after {answer.answer_tokens} tokens, before it satisfied json_schema: allow more '
            'max_tokens'
        )
    if answer.finish_reason == 'invalid':
        return 'json_schema could not be enforced to the end of the answer: make it simpler'
    return ''


def _owing(answer: Answer | None) -> str:
    """What an answer does not account for, for people."""
    if answer is None or not answer.evidence.blocks_owed:
        return ''
    text = f'{answer.evidence.blocks_owed} blocks have changed since and are not accounted for: '
    if answer.rows_paid:
        return text + 'they did while what was owed was paid'
    return text + 'allow more time, or ask with max_evidence_age 0'


def _too_slow(ticket: Ticket) -> str:
    return f'not finished within {ticket.deadline:g} s: allow more time or fewer tokens'
