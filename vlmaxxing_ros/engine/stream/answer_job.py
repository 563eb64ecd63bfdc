# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A question as a job: pay what is owed, fork, answer; where that is not sure, settle and again.

Holds to the contract: what the answer says of its evidence is how things stood when it forked.
About several cameras it forks the first one's cache, and the newest frame of each other one is
put behind it with a label, from the features that its own stream has.  Knows nothing of ROS or of
who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vlmaxxing_ros.engine.answering.answering import Asking
from vlmaxxing_ros.engine.cache.fork import Fork
from vlmaxxing_ros.engine.cache.ledger import Kind, Segment
from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.engine.families.text import CHARACTERS
from vlmaxxing_ros.engine.question import Answer, Evidence, Question, Token, joint
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.steps import Job, Steps
from vlmaxxing_ros.engine.stream.accounting import Paid
from vlmaxxing_ros.engine.stream.bill import Bill
from vlmaxxing_ros.engine.stream.governor import Terms, settles
from vlmaxxing_ros.engine.stream.stream import Stream

_MAX_CHARACTERS = 500_000  # that are tokenised in well under a second


class AnswerJob:
    """A question being answered, one bounded piece of work at a time.

    Args:
        stream: that it is about.
        question: what is asked.
        terms: what the question allows.
        evidence_age: seconds since an image with this stamp, nanoseconds.
        start: when the question came, seconds of the clock.
        beside: those of the question's other cameras, in the order in which it names them.

    Attributes:
        answer: what came of it; None before it is done.
        evidence: what it is answered from, all cameras together; None while that is being paid.
        frames: that it is answered from, of the first camera, oldest first.
        on_token: told every token that is decoded.

    Raises:
        NoEvidence: nothing was seen, or nothing as early as `as_of`.
        InvalidRequest: the question is longer than `max_question_tokens`.
        Unsupported: the model's family cannot be asked about the past, or about several cameras.
    """

    def __init__(
        self,
        stream: Stream,
        question: Question,
        terms: Terms,
        *,
        evidence_age: Callable[[int], float],
        start: float,
        on_token: Callable[[Token], None] = lambda _: None,
        beside: Sequence[Stream] = (),
    ) -> None:
        self._streams = [stream, *beside]
        self._labels = [f'{name} camera:' for name in question.cameras[1:]]
        if len(self._labels) != len(beside):
            raise ValueError(f'the question names {len(self._labels)} other cameras')
        self._question = question
        self._start, self._began = start, stream.clock.now()
        self.on_token = on_token
        self.answer: Answer | None = None
        self.evidence: Evidence | None = None
        self.frames: list[Frame] = []
        self._terms, self._age = terms, evidence_age
        self._showing: Job | None = None
        self._shown = 0  # rows of it
        self._asking: Asking | None = None
        self._suffix = _question_ids(stream, question)
        self._settles = stream.config.settle_margin > 0.0  # it may yet
        self._bills: list[Bill] = []
        self._pay_next()

    def _pay_next(self) -> None:
        """The next camera's turn to be paid; once all are, fork."""
        while all(bill.done for bill in self._bills):
            if len(self._bills) == len(self._streams):
                self._fork()
                return
            self._bills.append(self._bill(self._streams[len(self._bills)]))

    def _bill(self, stream: Stream) -> Bill:
        spent = stream.clock.now() - self._began
        terms = replace(self._terms, time_left=self._terms.time_left - spent)
        return Bill(
            stream,
            terms,
            as_of=self._question.as_of,
            rows=self._rows,
            age=self._age,
            tail_alone=bool(self._bills),
        )

    @property
    def _rows(self) -> int:
        """How many go through the model once all is paid, before the first token."""
        stream, *others = self._streams
        labelled = zip(self._labels, others, strict=True)
        return len(self._suffix) + sum(
            len(stream.family.labelled_rows(label, other.sight.newest, 0))
            for label, other in labelled
        )

    @property
    def paying(self) -> int | None:
        """Which of its cameras' streams is being paid; None: none is any more."""
        unpaid = (index for index, bill in enumerate(self._bills) if not bill.done)
        return next(unpaid, None)

    def step(self) -> bool:
        """Go on for one piece of work; True once the answer is there."""
        if self._asking is None:
            self._prepare()
            return False
        try:
            token = next(self._asking)
        except StopIteration:
            self.answer = self._asking.answer
            return True
        if token is not None:
            self.on_token(token)
        elif self._settles and self._asking.margin is not None:
            self._settles = False
            self._settle(self._asking.margin)
        return False

    def _settle(self, margin: float) -> None:
        """Give up the answer that has begun for one that is exact, if it is not sure."""
        stream, unsettled = self._streams[0], [b for b in self._bills if b.unsettled]
        agreed = settles(
            self._terms,
            margin=margin,
            least=stream.config.settle_margin,
            spent=stream.clock.now() - self._began,
            price=sum(bill.settling_price for bill in unsettled),
            answer=stream.prefill_price(self._rows),
        )
        if agreed:
            self._asking = self.evidence = None
            for bill in unsettled:
                bill.settle()
            self._pay_next()  # if others have settled all of it meanwhile

    def _prepare(self) -> None:
        """A slice of what comes before the question: what is owed, then the other cameras."""
        if self._showing is None:
            next(bill for bill in self._bills if not bill.done).step()
            self._pay_next()
        elif self._showing.step():
            self._streams[0].account(Paid(rows=self._shown), self._showing.watch)
            self._asking = self._showing.result
            self._showing = None

    def stop(self, reason: str) -> Answer | None:
        """End now, with what there is; `reason` becomes the finish reason."""
        for bill in self._bills:
            bill.close()
        if self._showing is not None:
            self._showing.close()
        if self._asking is not None:
            self.answer = self._asking.stop(reason)
        return self.answer

    def taken_up(self) -> Asking:
        """Pay, and take up the question; iterate over the result to answer it."""
        while self._asking is None or (self._settles and self.answer is None):
            self.step()
        return self._asking

    def finish(self) -> Answer:
        """Do all of it at once."""
        while not self.step():
            pass
        assert self.answer is not None
        return self.answer

    def _fork(self) -> None:
        """Branch off: from here on the evidence is what it is."""
        first, *others = self._bills
        fork = first.cache.fork(self._question.as_of)
        self.frames = fork.frames
        shown: list[Segment] = []
        evidence = [first.evidence(fork.segments)]
        end = fork.end
        for label, bill in zip(self._labels, others, strict=True):
            tail = bill.cache.ledger.tail
            assert tail is not None
            assert tail.frame is not None
            frame = _timed(tail.frame, first.stream.sight.newest)
            rows = first.stream.family.labelled_rows(label, frame, end)
            shown.append(Segment(Kind.BESIDE, rows, frame, tail.features))
            bill.show(len(rows))
            evidence.append(bill.evidence([tail]))
            end = rows.end
        first.stream.probe = self._suffix
        self._settles &= any(bill.unsettled for bill in self._bills)
        self.evidence = joint(evidence)
        if not shown:
            self._asking = self._ask(fork, evidence, first.recomputed)
            return
        appended = self._shown = sum(len(segment.rows) for segment in shown)
        steps = self._show(fork, shown, evidence, first.recomputed + appended)
        stream = first.stream
        cost, most = stream.prefill_price(appended), stream.config.max_slice
        self._showing = Job(steps, cost, stream.clock, most)

    def _show(
        self, fork: Fork, shown: list[Segment], evidence: list[Evidence], recomputed: int
    ) -> Steps[Asking]:
        """Put the other cameras' frames on the fork, and take up the question."""
        for segment in shown:
            yield from fork.appending(segment)
        return self._ask(fork, evidence, recomputed)

    def _ask(self, fork: Fork, evidence: list[Evidence], recomputed: int) -> Asking:
        stream = self._streams[0]
        return Asking(
            family=stream.family,
            fork=fork,
            question=self._question,
            suffix=self._suffix,
            evidence=joint(evidence),
            cameras=tuple(evidence),
            config=stream.config,
            start=self._start,
            clock=stream.clock,
            recomputed=recomputed,
            pauses=self._settles,
        )


def _timed(frame: Frame, among: Frame) -> Frame:
    """A frame of another stream, in the time of the stream that `among` is one of."""
    elapsed = among.elapsed + (frame.stamp - among.stamp) * 1e-9
    return replace(frame, elapsed=max(0.0, elapsed))


def _question_ids(stream: Stream, question: Question) -> list[int]:
    """A question's tokens, as they are put behind the newest frame.

    Raises:
        InvalidRequest: they are more than `max_question_tokens`.
    """
    text, most = stream.family.text, stream.config.max_question_tokens
    length = len(question.text) + sum(map(len, question.choices))
    if length > min(CHARACTERS * most, _MAX_CHARACTERS):  # without tokenising it first
        raise InvalidRequest(
            f'the question has {length} characters, more than {most} tokens may have '
            '(max_question_tokens): shorten it'
        )
    thinking = stream.config.thinking != 0 and text.can_think
    ids = text.question_ids(question.text, question.choices, thinking=thinking)
    if len(ids) > most:
        raise InvalidRequest(
            f'the question has {len(ids)} tokens; at most {most} are allowed '
            '(max_question_tokens): shorten it'
        )
    return ids
