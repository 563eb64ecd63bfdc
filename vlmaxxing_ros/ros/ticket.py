# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A question on its way through the node: what was asked, how it ended, and who waits for it.

Knows nothing of rclpy or of the model; durations are seconds of a clock that never stops.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.engine.question import Answer, Question, Token

MAX_DEADLINE = 86400.0
"""Seconds that a question may wait."""


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
    INVALID_ANSWER = 9


@dataclass(frozen=True, kw_only=True)
class Request:
    """The request of Query.srv and Ask.action; see there for every field's meaning and unit.

    Attributes:
        asked: the fields of the engine's `Question`, not looked at yet.
        standing: it is a watch's: whoever asks goes first.
    """

    asked: Mapping[str, Any]
    camera: str = ''
    deadline: float = 0.0
    max_evidence_age: float = 0.0
    standing: bool = False

    @property
    def text(self) -> str:
        """The question."""
        return str(self.asked['text'])

    @property
    def named(self) -> tuple[str, ...]:
        """The cameras that it names; none: it is about the first one that there is."""
        cameras: tuple[str, ...] = self.asked.get('cameras', ())
        return cameras or ((self.camera,) if self.camera else ())

    def check(self, cameras: list[str], max_characters: int) -> Question:
        """The engine's form of the question.

        Raises:
            InvalidRequest: unknown camera, too long, or a value that cannot be.
        """
        if self.camera and self.asked.get('cameras'):
            raise InvalidRequest(
                f'camera and cameras exclude each other: leave camera empty, and name '
                f'{self.camera!r} in cameras if it is meant'
            )
        for name in self.named:
            if name not in cameras:
                raise InvalidRequest(f'no camera {name!r}: there is {", ".join(cameras)}')
        length = sum(_characters(value) for value in self.asked.values())
        if length > max_characters:
            raise InvalidRequest(
                f'the question has {length} characters; at most {max_characters} are allowed '
                '(max_question_characters): shorten it'
            )
        if not 0.0 <= self.deadline <= MAX_DEADLINE:
            raise InvalidRequest(f'deadline must be 0 to {MAX_DEADLINE:g} s, not {self.deadline}')
        age = self.max_evidence_age
        if math.isnan(age) or age < 0.0:
            raise InvalidRequest(f'max_evidence_age must be 0 or more seconds, not {age}')
        return Question(**self.asked)


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return sum(map(len, value)) if isinstance(value, tuple) else 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a question ended; see Answer.msg for every field's meaning and unit.

    Attributes:
        answer: what the engine said, if it was asked: also after a timeout or a cancellation.
        token: the last one that was decoded, where the engine could not be asked any more.
        busy: seconds since its turn came; 0: it never did.
    """

    request: Request
    camera: str
    status: Status
    status_text: str = ''
    model: str = ''
    answer: Answer | None = None
    token: Token | None = None
    evidence_age: float = 0.0
    latency: float = 0.0
    busy: float = 0.0


class Ticket:
    """One question: completed exactly once, by whichever thread is first.

    Attributes:
        cameras: names of those that it is about; none: there are none.
        arrived: when it came, in seconds of `time.monotonic`; `due` is when its deadline is.
        begun: when its turn came, likewise; None: it has not.
        token: the last one that was decoded.
        doubted: nobody may wait for it any more: it lets others pass.
    """

    def __init__(
        self,
        request: Request,
        *,
        cameras: tuple[str, ...],
        deadline: float,
        on_token: Callable[[Token], None],
        on_done: Callable[[Outcome], None],
        wake: Callable[[], None],
    ) -> None:
        self.request = request
        self.cameras = cameras
        self.question: Question | None = None
        self.deadline = deadline
        self.arrived = time.monotonic()
        self.due = self.arrived + deadline
        self.begun: float | None = None
        self.token: Token | None = None
        self.cancelled = False
        self.doubted = False
        self._on_token = on_token
        self._on_done = on_done
        self._wake = wake
        self._lock = threading.Lock()
        self._done = False

    @property
    def camera(self) -> str:
        """The first of the cameras that it is about; empty: there is none."""
        return self.cameras[0] if self.cameras else ''

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

    def doubt(self, doubted: bool) -> None:
        """Say whether nobody may wait for it any more; the next slice heeds it."""
        self.doubted = doubted

    def add(self, token: Token) -> None:
        """Record and pass on one decoded token."""
        self.token = token
        if not self._done:
            self._on_token(token)

    def finish(
        self,
        status: Status,
        text: str = '',
        *,
        model: str = '',
        answer: Answer | None = None,
        evidence_age: float = 0.0,
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
                token=self.token,
                evidence_age=evidence_age,
                latency=self.age,
                busy=0.0 if self.begun is None else time.monotonic() - self.begun,
            )
        )
        return True
