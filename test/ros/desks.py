# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Questions and watches on a real session, served step by step: nothing here depends on time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.ros.camera import Camera
from vlmaxxing_ros.ros.question_queue import QuestionQueue
from vlmaxxing_ros.ros.schedule import Turn, next_turn
from vlmaxxing_ros.ros.settings import NodeConfig
from vlmaxxing_ros.ros.ticket import Outcome, Request, Ticket
from vlmaxxing_ros.ros.watch import Change
from vlmaxxing_ros.ros.watch_settings import WatchConfig
from vlmaxxing_ros.ros.watches import Watches

SECOND = 10**9


def serve(queue: QuestionQueue) -> None:
    """Do what comes next."""
    queue.sort_out()
    turn = next_turn(queue.facts)
    if turn is Turn.ANSWER:
        queue.step()
    elif turn is Turn.START:
        queue.start()
    else:
        time.sleep(0.001)


@dataclass
class ServedQueue:
    """A queue with one camera whose images are stamped as told; `now` is the node's clock in ns."""

    family: Family
    now: int = 100 * SECOND
    outcomes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.failed: list[tuple[str, bool]] = []
        self.queue = QuestionQueue(
            NodeConfig(), clock=lambda: self.now, on_failure=self._note_failure
        )
        self.queue.cameras = {
            name: Camera(name, np.asarray, StreamSession(self.family, EngineConfig(max_tokens=1)))
            for name in ('camera', 'wrist')
        }

    def _note_failure(self, camera: Camera, error: BaseException, lost: bool) -> str:
        self.failed.append((camera.name, lost))
        return ''

    def show(self, stamp: int, camera: str = 'camera', *, pay: bool = True) -> None:
        """An image of noise."""
        session = self.queue.cameras[camera].session
        pixels = np.random.default_rng(stamp).integers(0, 256, (112, 112, 3), dtype=np.uint8)
        frame = session.frame(pixels, stamp=stamp)
        if pay:
            session.admit(frame)
        else:
            session.see(frame)

    def submit(self, request: Request) -> Ticket:
        """A question."""
        return self.queue.submit(
            request, on_token=lambda *_: None, on_done=self.outcomes.append, wake=lambda: None
        )

    def ask(self, request: Request) -> Outcome:
        """A question, served until one ends."""
        self.submit(request)
        return self.end()

    def end(self) -> Outcome:
        """Serve until one ends."""
        while not self.outcomes:
            serve(self.queue)
        return self.outcomes.pop()

    def begin(self, request: Request, tokens: int) -> Ticket:
        """A question, served until so many tokens of its answer are there, and then doubted."""
        ticket = self.submit(request)
        while ticket.token is None or ticket.token.token_count < tokens:
            serve(self.queue)
        ticket.doubt(True)
        return ticket


def texture() -> np.ndarray:
    """uint8 [112, 112, 3]."""
    return (
        np.random.default_rng(0).integers(0, 120, (16, 16, 3), np.uint8).repeat(7, 0).repeat(7, 1)
    )


@dataclass
class Desk:
    """Watches, a queue and a camera that shows a textured scene of 4 x 4 blocks, as told."""

    family: Family
    settings: dict[str, Any] = field(default_factory=dict)
    stamp: int = 0
    pixels: np.ndarray = field(default_factory=texture)
    changes: list[Change] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        node = NodeConfig(**{'watch_duty': 1.0, **self.settings})
        self.queue = QuestionQueue(node, clock=lambda: self.stamp, on_failure=lambda *_: None)
        self.watches = Watches(
            node,
            on_change=self.changes.append,
            on_outcome=self.outcomes.append,
            wake=lambda: None,
        )
        self.begin()

    def begin(self) -> None:
        """The node is active: a new session."""
        self.session = StreamSession(self.family, EngineConfig())
        self.queue.cameras = {'camera': Camera('camera', np.asarray, self.session)}

    def add(self, name: str = 'one', **settings: Any) -> None:
        """Begin a watch."""
        given = {'question': 'well?', 'choices': ('yes', 'no'), **settings}
        self.watches.add(name, WatchConfig(**given), lambda: None)

    def show(self, *changed: tuple[int, int]) -> None:
        """An image, a second after the last one; these blocks differ from it."""
        self.stamp += SECOND
        self.pixels = self.pixels.copy()
        for row, col in changed:
            block = np.s_[28 * row : 28 * row + 28, 28 * col : 28 * col + 28]
            self.pixels[block] = 255 - self.pixels[block]
        self.session.see(self.session.frame(self.pixels, stamp=self.stamp, frame_id='lens'))
        sight = self.session.sight
        assert sight is not None
        self.watches.seen('camera', sight)

    @property
    def due(self) -> bool:
        """Whether one is to be asked."""
        return self.watches.due(time.monotonic())

    def submit(self, request: Request, **told: Any) -> Ticket:
        """Queue a question."""
        return self.queue.submit(request, **told, wake=lambda: None)

    def serve(self) -> list[str]:
        """Ask whatever is due, one after the other, until nothing is: how it ended."""
        before = len(self.outcomes)
        while self.due:
            self.watches.ask(self.submit)
            self.answer()
        return [outcome.status.name for outcome in self.outcomes[before:]]

    def answer(self) -> None:
        """Serve the queue until it is empty."""
        while len(self.queue):
            serve(self.queue)

    def true_as_of(self) -> float:
        """Up to which second the first watch's answer is known to hold."""
        told = self.watches.look_up()[0].told
        return told.until / SECOND if told else 0.0
