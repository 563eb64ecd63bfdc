# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The question desk: who waits, who is being answered, and how each question ends.

Questions are taken up in the order in which they came, except that one which waits for fresher
evidence lets others pass, and a watch's all of them.  So does a doubted one, for which nobody may
wait any more: its answer is set aside while others are answered, and goes on where it stood; of
several each has a slice in turn.  Every question ends by its deadline, with a named status; none
costs the stream what was paid.
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
from vlmaxxing_ros.ros.endings import ASIDE, OVERLOADED, owing, too_slow, unsatisfied
from vlmaxxing_ros.ros.schedule import Facts
from vlmaxxing_ros.ros.settings import NodeConfig
from vlmaxxing_ros.ros.ticket import Outcome, Request, Status, Ticket

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.question import Token
    from vlmaxxing_ros.engine.stream.answer_job import AnswerJob

_GRACE = 0.05  # s, in which the worker may end an overdue answer itself, with its evidence
# s that an image may be stamped ahead of the node's clock and still be fresh: /clock at 10 Hz is
# this late, machines that keep their time over the network differ by less.  A stamp further ahead
# says nothing about the image's age.
_AHEAD = 0.1
_ASIDE = 3  # answers that may be set aside: each has a fork


@dataclass(frozen=True)
class _Begun:
    """A question whose answer has begun."""

    ticket: Ticket
    job: AnswerJob

    @property
    def gives_way(self) -> bool:
        """Whether it is set aside for others: it is doubted, and no stream is being paid for it."""
        return self.ticket.doubted and self.job.paying is None


def _first(begun: list[_Begun]) -> _Begun:
    """The one that goes on: who gives way to nobody, otherwise whose turn is longest ago.

    Whoever has a stream paid goes on to the end of that: no two pay at once.
    """
    return min(begun, key=lambda answer: (answer.gives_way, answer.job.paying is None))


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
        self._begun: list[_Begun] = []

    def __len__(self) -> int:
        return len(self._waiting) + len(self._begun)

    @property
    def facts(self) -> Facts:
        """What of it there is to choose from."""
        first = _first(self._begun) if self._begun else None
        doubted = [ticket.doubted for ticket in self._fresh_enough()]
        return Facts(
            answering=first is not None and not first.gives_way,
            askable=not all(doubted),
            gives_way=first is not None and first.gives_way,
            doubted=any(doubted) and len(self._begun) < _ASIDE,
        )

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
        waiting = [t for t in self._in_line() if t.request.standing <= request.standing]
        if len(waiting) >= limits.max_waiting_questions:
            doubted = (t for t in waiting if t.doubted and not request.standing)
            loser = min(doubted, key=lambda t: t.arrived, default=ticket)
            loser.finish(Status.OVERLOADED, OVERLOADED.format(len(waiting)), model=self.model)
            if loser is ticket:
                return ticket
        self._waiting.append(ticket)
        wake()
        return ticket

    def _in_line(self) -> list[Ticket]:
        """Who is not being answered: those that were set aside, then those that wait."""
        begun = list(self._begun)
        aside = [answer.ticket for answer in begun if answer is not _first(begun)]
        return [ticket for ticket in (*aside, *list(self._waiting)) if not ticket.done]

    def finish_overdue(self) -> None:
        """Answer the questions whose deadline has passed, however busy the worker is."""
        now = time.monotonic() - _GRACE
        for answer in list(self._begun):
            if now > answer.ticket.due:
                answer.ticket.finish(Status.TIMEOUT, too_slow(answer.ticket), model=self.model)
        for ticket in list(self._waiting):
            if now > ticket.due:
                ticket.finish(*self._why_overdue(ticket), model=self.model)

    def abandon(self, why: str) -> None:
        """End every question as CANCELLED, however busy the worker is."""
        for ticket in (*(answer.ticket for answer in list(self._begun)), *list(self._waiting)):
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
        for answer in list(self._begun):
            ticket = answer.ticket
            with self._mishaps(ticket, answer):
                if ticket.cancelled or ticket.done:
                    self._end(answer, Status.CANCELLED, 'cancelled: the answer is what there was')
                elif time.monotonic() > ticket.due:
                    self._end(answer, Status.TIMEOUT, too_slow(ticket))
        for ticket in list(self._waiting):
            if ticket.cancelled:
                ticket.finish(Status.CANCELLED, 'cancelled before its turn came')
            elif not self.cameras.keys() >= set(ticket.cameras):
                ticket.finish(Status.CANCELLED, 'the node was deactivated meanwhile')
            elif time.monotonic() > ticket.due:
                ticket.finish(*self._why_overdue(ticket), model=self.model)
            if ticket.done:
                self._waiting.remove(ticket)

    def start(self) -> None:
        """Begin the first question whose evidence is, or can be made, fresh enough."""
        from vlmaxxing_ros.engine.stream.governor import Terms

        def place(ticket: Ticket) -> tuple[bool, bool]:
            return ticket.doubted, ticket.request.standing

        ticket = min(self._fresh_enough(), key=place, default=None)
        if ticket is None or ticket.question is None:
            return
        self._waiting.remove(ticket)
        self._make_place()
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
            self._begun.append(_Begun(ticket, job))

    def _make_place(self) -> None:
        """All that have begun are set aside for another: of too many the oldest ends."""
        while len(self._begun) > _ASIDE:
            oldest = min(self._begun, key=lambda answer: answer.ticket.arrived)
            with self._mishaps(oldest.ticket, oldest):
                self._end(oldest, Status.OVERLOADED, ASIDE.format(_ASIDE))

    def step(self) -> None:
        """Do the next piece of work on an answer that has begun; nothing where none has."""
        if not self._begun:
            return
        answer = _first(self._begun)
        # At once: others look who is there meanwhile.
        self._begun = [*(begun for begun in self._begun if begun is not answer), answer]
        with self._mishaps(answer.ticket, answer):
            if answer.job.step():
                self._end(answer, Status.OK)

    def cancel_all(self, why: str) -> None:
        """End every question as CANCELLED."""
        for answer in list(self._begun):
            self._end(answer, Status.CANCELLED, why)
        while self._waiting:
            self._waiting.popleft().finish(Status.CANCELLED, why)

    def _end(self, begun: _Begun, status: Status, text: str = '') -> None:
        """Complete a question whose answer has begun with what the engine has."""
        self._begun.remove(begun)
        reason = 'timeout' if status is Status.TIMEOUT else 'cancelled'
        answer = begun.job.answer or begun.job.stop(reason)
        if status is Status.OK and (text := unsatisfied(begun.ticket, answer)):
            status = Status.INVALID_ANSWER
        evidence = begun.job.evidence
        begun.ticket.finish(
            status,
            text or owing(answer),
            model=self.model,
            answer=answer,
            evidence_age=evidence.age if evidence else 0.0,
        )

    @contextmanager
    def _mishaps(self, ticket: Ticket, begun: _Begun | None = None) -> Iterator[None]:
        """Whatever goes wrong with one question ends that question, and nothing else."""
        try:
            yield
        except NoEvidence as error:
            status, text = Status.NO_EVIDENCE, str(error)
        except (InvalidRequest, Unsupported) as error:
            status, text = Status.INVALID_REQUEST, str(error)
        except BaseException as error:  # Rust's panics are no Exception
            paying = begun.job.paying if begun is not None else None
            camera = self.cameras[ticket.cameras[paying or 0]]
            status, text = Status.MODEL_ERROR, f'{type(error).__name__}: {error}'
            if done := self._on_failure(camera, error, paying is not None):
                text += f'; {done}: ask again'
        else:
            return
        if begun in self._begun:
            self._begun.remove(begun)
        ticket.finish(status, text, model=self.model)

    def _age(self, camera: str) -> float | None:
        """Seconds since the newest evidence's stamp; None without evidence or session."""
        slot = self.cameras.get(camera)
        stamp = None if slot is None else slot.session.newest_stamp
        return None if stamp is None else self._age_of(stamp)

    def _age_of(self, stamp: int) -> float:
        """Seconds since an image with this stamp, nanoseconds."""
        return (self._clock() - stamp) * 1e-9

    def _fresh_enough(self) -> list[Ticket]:
        """Who waits, and the evidence of every camera that it is about will do."""
        return [ticket for ticket in list(self._waiting) if self._lacking(ticket) is None]

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
            return Status.TIMEOUT, too_slow(ticket)
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
