# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Work that goes on in steps, so that nobody waits for all of it.

MLX builds its graphs lazily: a prefill is set up at once and evaluated a layer at a time, which
changes neither its operations nor their shapes, and so no bit of its result.  Knows nothing of
models.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, TypeVar

import mlx.core as mx

T = TypeVar('T')


class Piece(NamedTuple):
    """A step: its stage, how many rows' (or blocks') worth of work, and what is to be computed.

    Whoever drives the steps evaluates the arrays, several steps' at once where they are short.
    """

    stage: str
    rows: float
    arrays: list[mx.array]


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
        """Seconds of `time.monotonic`."""
        return time.monotonic()

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

    def join(self, other: Stopwatch) -> None:
        """Count what another one counted."""
        for stage, seconds in other.seconds.items():
            self.add(Piece(stage, other.rows[stage], []), seconds)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside the `with` block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(Piece(name, 0.0, []), time.perf_counter() - start)

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
        max_slice: seconds that one call of `step` should take at most.

    Attributes:
        cost: seconds that are left, estimated.
        watch: where the time went.
        result: what came of it; None before it is done.
        running: it is at work right now: whoever asks is called by it.
    """

    def __init__(
        self, steps: Steps[Any], cost: float, clock: Clock, max_slice: float = 0.0
    ) -> None:
        self._steps = steps
        self._clock = clock
        self._max_slice = max_slice
        self.cost = cost
        self.watch = Stopwatch()
        self.result: Any = None
        self.running = False

    @property
    def begun(self) -> bool:
        """Whether some of it has been done."""
        return bool(self.watch.rows)

    def step(self) -> bool:
        """Do a slice: one step, or as many as fit in `max_slice`; True once the work is done."""
        start = self._clock.now()
        self.running = True
        try:
            pieces, done = self._next_pieces()
        finally:
            self.running = False
        mx.eval([array for piece in pieces for array in piece.arrays])
        for piece in pieces:
            self._clock.worked(piece)
        self._count(pieces, self._clock.now() - start)
        if done:
            self.cost = 0.0
        return done

    def _next_pieces(self) -> tuple[list[Piece], bool]:
        """The steps of a slice, not evaluated yet; whether the work is done with them."""
        pieces: list[Piece] = []
        expected = 0.0
        while not pieces or expected + self._expected(pieces[-1]) <= self._max_slice:
            try:
                pieces.append(next(self._steps))
            except StopIteration as end:
                self.result = end.value
                return pieces, True
            expected += self._expected(pieces[-1])
        return pieces, False

    def _expected(self, piece: Piece) -> float:
        """Seconds that such a step takes; more than any slice while none has been done."""
        rows = self.watch.rows.get(piece.stage, 0.0)
        return self.watch.seconds[piece.stage] / rows * piece.rows if rows else math.inf

    def _count(self, pieces: list[Piece], seconds: float) -> None:
        rows = sum(piece.rows for piece in pieces)
        for piece in pieces:
            self.watch.add(piece, seconds * piece.rows / rows if rows else 0.0)
        self.cost = max(0.0, self.cost - seconds)

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
        mx.eval(piece.arrays)
        if watch is not None:
            watch.add(piece, time.perf_counter() - start)
