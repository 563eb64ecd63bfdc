# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Answering one question on a fork: suffix prefill, decoding, closed-set choices.

Works step by step, so that its thread can look after the cameras between two tokens.  Never
touches the stream's own cache.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.answering.sampling import make_sampler
from vlmaxxing_ros.engine.answering.thinking import think
from vlmaxxing_ros.engine.cache.rolling_cache import Fork
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Answer, Evidence, Question, Token


@dataclass
class _Progress:
    text: str = ''
    ids: list[int] = field(default_factory=list)
    first_token: float = 0.0
    choice_index: int = -1
    probabilities: tuple[float, ...] = ()


class Asking(Iterator[Token | None]):
    """A question being answered: iterate to go on, one bounded piece of work at a time.

    Yields a `Token` for each one decoded, None for a piece of work that decodes none.  When the
    iteration ends, `answer` is set; `evidence` is what it rests on.

    Args:
        start: when the question was taken up, seconds of time.perf_counter.
        recomputed: rows of the fork that were computed for this question's sake.

    Raises:
        InvalidRequest: the question is longer than `max_question_tokens`.
    """

    def __init__(
        self,
        *,
        family: Family,
        fork: Fork,
        question: Question,
        evidence: Evidence,
        config: EngineConfig,
        start: float,
        recomputed: int = 0,
    ) -> None:
        self._start = start
        self._family = family
        self._fork = fork
        self._question = question
        self.evidence = evidence
        self._context = fork.rows
        self._reused = fork.rows - recomputed
        self._thinking = config.thinking
        thinking = config.thinking != 0 and family.text.can_think
        self._suffix = family.text.question_ids(question.text, question.choices, thinking=thinking)
        self._limit = question.max_tokens or config.max_tokens
        if len(self._suffix) > config.max_question_tokens:
            raise InvalidRequest(
                f'the question has {len(self._suffix)} tokens; at most '
                f'{config.max_question_tokens} are allowed (max_question_tokens): shorten it'
            )
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
                choice_index=progress.choice_index,
                choice_probabilities=progress.probabilities,
                token_ids=tuple(progress.ids),
                prompt_tokens=self._context + len(self._suffix),
                reused_tokens=self._reused,
                answer_tokens=len(progress.ids),
                time_to_first_token=progress.first_token,
                latency=time.perf_counter() - self._start,
            )
            self._work.close()
            del self._fork
        return self.answer

    def _decode(self) -> Generator[Token | None, None, str]:
        question, progress, text = self._question, self._progress, self._family.text
        sample = make_sampler(question.temperature, question.top_p, question.seed)
        shape = text.json_constraint(question.json_schema) if question.json_schema else None
        spelled = text.detokenizer()
        logits = self._fork.extend(self._suffix)
        logits = yield from think(self._fork, text, logits, sample, self._thinking)
        while True:
            token = sample(logits if shape is None else shape.mask(logits))
            if not progress.first_token:
                progress.first_token = time.perf_counter() - self._start
            if token in text.end_ids:
                return 'stop'
            progress.ids.append(token)
            added = spelled.add(token)
            progress.text += added
            yield Token(progress.text, added, len(progress.ids))
            if shape is not None and shape.accept(token):
                return 'stop'
            if len(progress.ids) >= self._limit:
                return 'length'
            logits = self._fork.extend([token])

    def _choose(self) -> Generator[Token | None, None, str]:
        """Score every choice, its end included, on forks of one suffix prefill."""
        question, progress, text = self._question, self._progress, self._family.text
        sample = make_sampler(question.temperature, question.top_p, question.seed)
        logits = self._fork.extend(self._suffix)
        logits = yield from think(self._fork, text, logits, sample, self._thinking)
        first = _log_softmax(logits)
        ends = mx.array(sorted(text.end_ids))
        totals = []
        for choice in question.choices:
            ids = text.choice_ids(choice)
            after = _log_softmax(self._fork.fork().score(ids, last=len(ids)))
            score = first[ids[0]] + mx.logsumexp(after[-1, ends])
            for place, token in enumerate(ids[1:]):
                score = score + after[place, token]
            mx.eval(score)
            totals.append(score)
            yield None
        progress.first_token = time.perf_counter() - self._start
        probabilities = np.array(mx.softmax(mx.stack(totals), precise=True))
        progress.probabilities = tuple(probabilities.tolist())
        progress.choice_index = int(probabilities.argmax())
        progress.text = question.choices[progress.choice_index]
        return 'choice'


def _log_softmax(logits: mx.array) -> mx.array:
    return logits - mx.logsumexp(logits, axis=-1, keepdims=True)
