# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Answering one question on a fork: suffix prefill, decoding, closed-set choices.

Works step by step, so that its thread can look after the cameras between two tokens.  Never
touches the stream's own cache.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.answering.sampling import make_sampler, not_finite
from vlmaxxing_ros.engine.answering.stopping import Stops
from vlmaxxing_ros.engine.answering.thinking import think
from vlmaxxing_ros.engine.cache.branches import cache_arrays
from vlmaxxing_ros.engine.cache.fork import Fork
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.families.json_constraint import JsonConstraint
from vlmaxxing_ros.engine.families.schema_check import checking
from vlmaxxing_ros.engine.question import Answer, Evidence, Question, Token
from vlmaxxing_ros.engine.steps import Clock, Piece

_LONG = 128  # tokens of a question that is prefilled in several pieces
_CHUNK = 1024  # tokens of a question that are prefilled together
_MAX_CHOICE = 256  # tokens of a choice: it is scored in one piece


@dataclass
class _Progress:
    text: str = ''
    ids: list[int] = field(default_factory=list)
    first_token: float = 0.0
    choice_index: int = -1
    probabilities: tuple[float, ...] = ()


class Asking(Iterator[Token | None]):
    """A question being answered: iterate to go on, one bounded piece of work at a time.

    Yields a `Token` for each one decoded, None for a piece of work that decodes none; and one more
    `Token` where the last one might have begun a stop text.  When the iteration ends, `answer` is
    set; `evidence` is what it rests on.

    Args:
        suffix: the question's tokens.
        evidence: what it rests on, of all cameras together.
        cameras: the same of each.
        start: when the question came, in seconds of the clock.
        clock: the time that it takes.
        recomputed: rows of the fork that were computed for this question's sake.
    """

    def __init__(
        self,
        *,
        family: Family,
        fork: Fork,
        question: Question,
        suffix: list[int],
        evidence: Evidence,
        cameras: tuple[Evidence, ...] = (),
        config: EngineConfig,
        start: float,
        clock: Clock,
        recomputed: int = 0,
    ) -> None:
        self._start = start
        self._clock = clock
        self._recomputed = recomputed
        self._family = family
        self._fork = fork
        self._question = question
        self.evidence = evidence
        self._cameras = cameras
        self._context = fork.rows
        self._suffix = suffix
        self._thinking = config.thinking
        self._limit = question.max_tokens or config.max_tokens
        self._progress = _Progress()
        self._work = self._choose() if question.choices else self._decode()
        self.answer: Answer | None = None

    @property
    def suffix(self) -> list[int]:
        """Token ids of the question, as they were put behind the newest frame."""
        return self._suffix

    def __next__(self) -> Token | None:
        if self.answer is not None:
            raise StopIteration
        try:
            return next(self._work)
        except StopIteration as done:
            self.stop(done.value)
            raise

    def stop(self, reason: str) -> Answer:
        """End now, with what there is; `reason` becomes the finish reason."""
        if self.answer is None:
            progress = self._progress
            self.answer = Answer(
                answer=progress.text,
                finish_reason=reason,
                evidence=self.evidence,
                cameras=self._cameras,
                choice_index=progress.choice_index,
                choice_probabilities=progress.probabilities,
                token_ids=tuple(progress.ids),
                prompt_tokens=self._context + len(self._suffix),
                reused_tokens=max(0, self._context - self._recomputed),
                rows_paid=self.evidence.rows_paid,
                answer_tokens=len(progress.ids),
                time_to_first_token=progress.first_token,
                latency=self._clock.now() - self._start,
            )
            self._work.close()
            del self._fork
        return self.answer

    def _decode(self) -> Generator[Token | None, None, str]:
        question, progress, text = self._question, self._progress, self._family.text
        sample = make_sampler(question.temperature, question.top_p, question.seed)
        shape = None
        if question.json_schema:
            yield from checking(question.json_schema)
            shape = text.json_constraint(question.json_schema)
        spelled, stops = text.detokenizer(), Stops(question.stop)
        logits = yield from self._prefill()
        logits = yield from think(self._fork, text, logits, sample, self._thinking)
        while True:
            allowed = logits if shape is None else shape.mask(logits)
            if shape is not None and shape.failed:
                return 'invalid'
            token = sample(allowed)
            if not progress.first_token:
                progress.first_token = self._clock.now() - self._start
            if token in text.end_ids:
                yield from self._rest(stops)
                return _ended(shape, progress.text)
            progress.ids.append(token)
            yield self._show(stops.add(spelled.add(token)))
            if stops.found:
                return 'stop'
            if shape is not None and shape.accept(token):
                return _ended(shape, progress.text)
            if len(progress.ids) >= self._limit:
                yield from self._rest(stops)
                return 'length'
            logits = self._fork.extend([token])
            self._worked(1)

    def _show(self, added: str) -> Token:
        progress = self._progress
        progress.text += added
        return Token(progress.text, added, len(progress.ids), progress.first_token)

    def _rest(self, stops: Stops) -> Generator[Token, None, None]:
        """What was held back and turned out to belong to the answer."""
        if rest := stops.rest():
            yield self._show(rest)

    def _prefill(self) -> Generator[None, None, mx.array]:
        """Prefill the question, a long one a layer at a time; returns the logits behind it."""
        for start in range(0, len(self._suffix), _CHUNK):
            ids = self._suffix[start : start + _CHUNK]
            logits = self._fork.extend(ids)
            if len(ids) > _LONG:
                for layer in self._fork.layers:
                    mx.eval(list(cache_arrays(layer)))
                    yield
            self._worked(len(ids))
        return logits

    def _worked(self, rows: int) -> None:
        self._clock.worked(Piece('answer', rows, []))

    def _choose(self) -> Generator[Token | None, None, str]:
        """Score every choice, its end included, on forks of one suffix prefill."""
        question, progress, text = self._question, self._progress, self._family.text
        sample = make_sampler(question.temperature, question.top_p, question.seed)
        every = [text.choice_ids(choice) for choice in question.choices]
        if (longest := max(map(len, every))) > _MAX_CHOICE:
            raise InvalidRequest(
                f'a choice has {longest} tokens; at most {_MAX_CHOICE} are allowed: shorten it'
            )
        logits = yield from self._prefill()
        logits = yield from think(self._fork, text, logits, sample, self._thinking)
        first = _log_softmax(logits)
        ends = mx.array(sorted(text.end_ids))
        totals = []
        for ids in every:
            after = _log_softmax(self._fork.fork().score(ids, last=len(ids)))
            score = first[ids[0]] + mx.logsumexp(after[-1, ends])
            for place, token in enumerate(ids[1:]):
                score = score + after[place, token]
            mx.eval(score)
            self._worked(len(ids))
            totals.append(score)
            yield None
        progress.first_token = self._clock.now() - self._start
        probabilities = np.array(mx.softmax(mx.stack(totals), precise=True))
        if not np.isfinite(probabilities).all():
            raise not_finite("the choices' scores")
        progress.probabilities = tuple(probabilities.tolist())
        progress.choice_index = int(probabilities.argmax())
        progress.text = question.choices[progress.choice_index]
        return 'choice'


def _ended(shape: JsonConstraint | None, text: str) -> str:
    """Why an answer has ended that the model, or its constraint, says is complete."""
    return 'stop' if shape is None or shape.satisfied(text) else 'invalid'


def _log_softmax(logits: mx.array) -> mx.array:
    return logits - mx.logsumexp(logits, axis=-1, keepdims=True)
