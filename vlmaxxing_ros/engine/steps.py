# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Work that goes on in steps, so that nobody waits for all of it.

MLX builds its graphs lazily: a prefill is set up at once and evaluated a layer at a time, which
changes neither its operations nor their shapes, and so no bit of its result.  Knows nothing of
models.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, TypeVar

T = TypeVar('T')


class Piece(NamedTuple):
    """A step that was done: in which stage, and how many rows' (or blocks') worth it was."""

    stage: str
    rows: float


Steps = Generator[Piece, None, T]
"""Yields after each step what it was; returns what comes of them all."""


class Clock(Protocol):
    """Where the time that steps take comes from."""

    def now(self) -> float:
        """Seconds."""

    def worked(self, piece: Piece) -> None:
        """A step was done."""


class SteadyClock:
    """The machine's own time."""

    def now(self) -> float:
        """Seconds of `time.perf_counter`."""
        return time.perf_counter()

    def worked(self, piece: Piece) -> None:
        """Time has passed by itself."""


class Stopwatch:
    """Seconds and rows per stage of some work."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.rows: dict[str, float] = {}

    def add(self, piece: Piece, seconds: float) -> None:
        """Count a step."""
        self.seconds[piece.stage] = self.seconds.get(piece.stage, 0.0) + seconds
        self.rows[piece.stage] = self.rows.get(piece.stage, 0.0) + piece.rows

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside the `with` block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(Piece(name, 0.0), time.perf_counter() - start)

    @property
    def total(self) -> float:
        """Seconds of all stages."""
        return sum(self.seconds.values())


class Job:
    """Work on the model's thread: answering, paying, settling, rebuilding, auditing.

    Args:
        steps: the work.
        cost: seconds that it will take, estimated.
        clock: the time that it takes.

    Attributes:
        cost: seconds that are left, estimated.
        watch: where the time went.
        result: what came of it; None before it is done.
    """

    def __init__(self, steps: Steps[Any], cost: float, clock: Clock) -> None:
        self._steps = steps
        self._clock = clock
        self.cost = cost
        self.watch = Stopwatch()
        self.result: Any = None

    def step(self) -> bool:
        """Do one step; True once the work is done."""
        start = self._clock.now()
        try:
            piece = next(self._steps)
        except StopIteration as done:
            self.cost, self.result = 0.0, done.value
            return True
        self._clock.worked(piece)
        seconds = self._clock.now() - start
        self.watch.add(piece, seconds)
        self.cost = max(0.0, self.cost - seconds)
        return False

    def finish(self) -> Any:
        """Do all of it at once; returns the result."""
        while not self.step():
            pass
        return self.result

    def close(self) -> None:
        """Give up: nothing of it takes effect."""
        self._steps.close()


def finish(steps: Steps[T], watch: Stopwatch | None = None) -> T:
    """Do all steps at once; `watch` counts them."""
    while True:
        start = time.perf_counter()
        try:
            piece = next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
        if watch is not None:
            watch.add(piece, time.perf_counter() - start)
