# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A question as a job: pay what is owed, fork, answer.

Holds to the contract: what the answer says of its evidence is how things stood when it forked.
Knows nothing of ROS or of who asks.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vlmaxxing_ros.engine.answering.answering import Asking
from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.errors import InvalidRequest, NoEvidence
from vlmaxxing_ros.engine.question import Answer, Evidence, Question, Token
from vlmaxxing_ros.engine.steps import Job
from vlmaxxing_ros.engine.stream.accounting import Paid
from vlmaxxing_ros.engine.stream.governor import Terms, pays
from vlmaxxing_ros.engine.stream.payer import Aside
from vlmaxxing_ros.engine.stream.payment import Payment, asked
from vlmaxxing_ros.engine.stream.stream import Stream

_CHARACTERS = 16  # of a token, in the mean of a long text, at most
_MAX_CHARACTERS = 500_000  # that are tokenised in well under a second


class AnswerJob:
    """A question being answered, one bounded piece of work at a time.

    Args:
        stream: that it is about.
        question: what is asked.
        terms: what the question allows.
        evidence_age: seconds since an image with this stamp, nanoseconds.
        start: when the question came, seconds of the clock.

    Attributes:
        answer: what came of it; None before it is done.
        evidence_age: seconds since the newest image that the answer accounts for, when it forked.
        on_token: told every token that is decoded.

    Raises:
        NoEvidence: nothing was seen, or nothing as early as `as_of`.
        InvalidRequest: the question is longer than `max_question_tokens`.
        Unsupported: the model's family cannot be asked about the past.
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
    ) -> None:
        self._stream = stream
        self._question = question
        self._start = start
        self.on_token = on_token
        self.answer: Answer | None = None
        self.evidence_age = 0.0
        self._paid = Paid()
        self._aside: Aside | None = None
        self._asking: Asking | None = None
        self._suffix = _question_ids(stream, question)
        self._terms, self._age = terms, evidence_age
        stream.asked = stream.sight.newest.stamp
        payment = self._payment()
        if payment is None and stream.cache.ledger.tail is None:
            raise NoEvidence('no image has been admitted yet: is the camera publishing?')
        self._adopted = stream.adopt() if payment else None
        self._paying = self._adopted or (stream.paying(payment) if payment else None)
        if self._paying is None:
            self._fork()

    def _payment(self) -> Payment | None:
        """What it pays before it is answered."""
        stream, as_of = self._stream, self._question.as_of
        owed = stream.sight.owed()
        if as_of and as_of < owed.stamp:
            return None
        payment = asked(owed, stream.standing, stream.config)
        if payment is None:
            return None
        seen = stream.cache.ledger.tail is not None
        age = self._age(owed.accounted) if seen else float('inf')
        agreed = pays(
            self._terms,
            age=age,
            price=stream.price(payment),
            answer=stream.answer_price(self._suffix),
        )
        return payment if agreed else None

    @property
    def evidence(self) -> Evidence | None:
        """What it is answered from; None while that is being paid."""
        return self._asking.evidence if self._asking else None

    def step(self) -> bool:
        """Go on for one piece of work; True once the answer is there."""
        if self._paying is not None:
            if self._paying.step():
                self._settle_up(self._paying)
            return False
        asking = self._asking
        assert asking is not None
        try:
            token = next(asking)
        except StopIteration:
            self.answer = asking.answer
            return True
        if token is not None:
            self.on_token(token)
        return False

    def stop(self, reason: str) -> Answer | None:
        """End now, with what there is; `reason` becomes the finish reason."""
        if self._paying is not None:
            self._paying.close()
            self._paying = None
        if self._asking is not None:
            self.answer = self._asking.stop(reason)
        return self.answer

    def taken_up(self) -> Asking:
        """Pay, and take up the question; iterate over the result to answer it."""
        while self._asking is None:
            self.step()
        return self._asking

    def finish(self) -> Answer:
        """Do all of it at once."""
        while not self.step():
            pass
        assert self.answer is not None
        return self.answer

    def _settle_up(self, job: Job) -> None:
        """A payment is done: answer; what the background had begun may leave a rest to pay."""
        if isinstance(job.result, Aside):
            self._aside = job.result
        paid = self._aside.paid if self._aside else job.result
        self._paid += paid
        self._stream.account(paid, job.watch)
        rest = self._payment() if job is self._adopted else None
        self._adopted = None
        self._paying = self._stream.paying(rest) if rest else None
        if self._paying is None:
            self._fork()

    def _fork(self) -> None:
        """Branch off: from here on the evidence is what it is."""
        stream, question, aside = self._stream, self._question, self._aside
        cache = aside.cache if aside else stream.cache
        fork, owed = cache.fork(question.as_of), stream.sight.owed()
        frames, shown = fork.frames, fork.segments[-1].frame
        with_tail = fork.segments[-1].kind is Kind.TAIL
        assert shown is not None
        # Where nothing is owed the tail speaks for every later image as well.
        present = with_tail and not (question.as_of and question.as_of < owed.accounted)
        stamp = max(shown.stamp, owed.accounted) if present else shown.stamp
        owing = stream.sight.moved_since(aside.plan) if aside else owed.blocks
        stream.probe = self._suffix
        self._asking = Asking(
            family=stream.family,
            fork=fork,
            question=question,
            suffix=self._suffix,
            evidence=Evidence(
                oldest_stamp=frames[0].stamp,
                newest_stamp=stamp,
                frame_id=shown.frame_id,
                oldest_block_age=stream.sight.oldest_age(stamp) if with_tail else 0.0,
                exact=not cache.ledger.compressed
                and all(segment.refreshed is None for segment in fork.segments),
                blocks_owed=int(np.count_nonzero(owing)) if present else 0,
                crop=stream.sight.view_at(stamp, shown).corner_and_size,
            ),
            config=stream.config,
            start=self._start,
            clock=stream.clock,
            recomputed=self._paid.rows,
        )
        self.evidence_age = self._age(stamp)


def _question_ids(stream: Stream, question: Question) -> list[int]:
    """A question's tokens, as they are put behind the newest frame.

    Raises:
        InvalidRequest: they are more than `max_question_tokens`.
    """
    text, most = stream.family.text, stream.config.max_question_tokens
    length = len(question.text) + sum(map(len, question.choices))
    if length > min(_CHARACTERS * most, _MAX_CHARACTERS):  # without tokenising it first
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
