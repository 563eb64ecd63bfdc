# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A question on its way through the node: what was asked, how it ended, and who waits for it.

Knows nothing of rclpy or of the model; durations are seconds of a clock that never stops.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from vlmaxxing_ros.engine.errors import InvalidRequest

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.question import Answer, Question


class Status(IntEnum):
    """How a question ended; values as in Answer.msg."""

    OK = 0
    NO_EVIDENCE = 1
    STALE = 2
    TIMEOUT = 3
    CANCELLED = 4
    OVERLOADED = 5
    INVALID_REQUEST = 6
    NOT_ACTIVE = 7
    MODEL_ERROR = 8


@dataclass(frozen=True, kw_only=True)
class Request:
    """The request of Query.srv and Ask.action; see there for every field's meaning and unit."""

    question: str
    camera: str = ''
    choices: tuple[str, ...] = ()
    json_schema: str = ''
    max_tokens: int = 0
    temperature: float = 0.0
    top_p: float = 0.0
    seed: int = 0
    deadline: float = 0.0
    max_evidence_age: float = 0.0
    as_of: int = 0

    def check(self, cameras: list[str], max_characters: int) -> Question:
        """The engine's form of the question.

        Raises:
            InvalidRequest: unknown camera, too long, or a value that cannot be.
        """
        # Not at the top: the node is up before the engine's libraries are loaded.
        from vlmaxxing_ros.engine.question import Question

        if self.camera and self.camera not in cameras:
            raise InvalidRequest(f'no camera {self.camera!r}: there is {", ".join(cameras)}')
        length = len(self.question) + len(self.json_schema) + sum(map(len, self.choices))
        if length > max_characters:
            raise InvalidRequest(
                f'the question has {length} characters; at most {max_characters} are allowed '
                '(max_question_characters): shorten it'
            )
        for name in ('deadline', 'max_evidence_age'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise InvalidRequest(f'{name} must be 0 or more seconds, not {value}')
        return Question(
            text=self.question,
            choices=self.choices,
            json_schema=self.json_schema,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=self.seed,
            as_of=self.as_of,
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a question ended; see Answer.msg for every field's meaning and unit.

    Attributes:
        answer: what the engine said, if it was asked: also after a timeout or a cancellation.
        text: what had been decoded, where the engine could not be asked any more.
    """

    request: Request
    camera: str
    status: Status
    status_text: str = ''
    model: str = ''
    answer: Answer | None = None
    text: str = ''
    evidence_age: float = 0.0
    time_to_first_token: float = 0.0
    latency: float = 0.0


class Ticket:
    """One question: completed exactly once, by whichever thread is first.

    Attributes:
        arrived: when it came, in seconds of `time.monotonic`; `due` is when its deadline is.
        text: decoded so far.
        first_token: seconds from its arrival to the first token; 0: there is none yet.
    """

    def __init__(
        self,
        request: Request,
        *,
        camera: str,
        deadline: float,
        on_token: Callable[[Ticket, str], None],
        on_done: Callable[[Outcome], None],
        wake: Callable[[], None],
    ) -> None:
        self.request = request
        self.camera = camera
        self.question: Question | None = None
        self.deadline = deadline
        self.arrived = time.monotonic()
        self.due = self.arrived + deadline
        self.text = ''
        self.token_count = 0
        self.first_token = 0.0
        self.cancelled = False
        self._on_token = on_token
        self._on_done = on_done
        self._wake = wake
        self._lock = threading.Lock()
        self._done = False

    @property
    def done(self) -> bool:
        """Whether it has been completed."""
        return self._done

    @property
    def age(self) -> float:
        """Seconds since it arrived."""
        return time.monotonic() - self.arrived

    def cancel(self) -> None:
        """Ask for the end at the next token."""
        self.cancelled = True
        self._wake()

    def add_token(self, text: str, token_text: str, count: int) -> None:
        """Record and pass on one decoded token."""
        self.text, self.token_count = text, count
        if not self.first_token:
            self.first_token = self.age
        if not self._done:
            self._on_token(self, token_text)

    def finish(
        self,
        status: Status,
        text: str = '',
        *,
        model: str = '',
        answer: Answer | None = None,
        evidence_age: float = 0.0,
        first_token: float = 0.0,
    ) -> bool:
        """Complete it; False if it already was."""
        with self._lock:
            if self._done:
                return False
            self._done = True
        self._on_done(
            Outcome(
                request=self.request,
                camera=self.camera,
                status=status,
                status_text=text,
                model=model,
                answer=answer,
                text=self.text,
                evidence_age=evidence_age,
                time_to_first_token=first_token or self.first_token,
                latency=self.age,
            )
        )
        return True
