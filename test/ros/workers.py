# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A worker with a real model, and everything that it tells.

Messages are opaque to a worker, so that plain arrays stand for them here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ros.requests import asks

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.question import Token
from vlmaxxing_ros.ros.camera import Arrival, Perceived
from vlmaxxing_ros.ros.settings import NodeConfig, Settings
from vlmaxxing_ros.ros.ticket import Outcome, Request
from vlmaxxing_ros.ros.watch import Change
from vlmaxxing_ros.ros.worker import Worker

WAIT = 60.0  # s, far more than anything here takes
# A text that may not end: an answer that takes its time.
LONG = asks(
    'describe what you see',
    json_schema='{"type": "string", "minLength": 100000}',
    max_tokens=1000,
)


class AWorker:
    """A worker with its cameras, and everything it has told."""

    def __init__(self) -> None:
        self.perceived: list[Perceived] = []
        self.changes: list[Change] = []
        self.watched: list[Outcome] = []
        self.errors: list[str] = []
        self.now = 0
        self.velocities: dict[str, tuple[float, float]] = {}
        self.settings = Settings(engine=EngineConfig(model='nano'))
        self.worker = Worker(
            self.settings,
            clock=lambda: self.now,
            camera_velocity=lambda camera, frame: self.velocities.get(camera),
            on_perceived=self.perceived.append,
            on_change=self.changes.append,
            on_watched=self.watched.append,
            log=self,
        )

    def error(self, message: str) -> None:
        """Take the worker's log."""
        self.errors.append(message)

    def open(self, *cameras: str, convert: Callable[[Any], np.ndarray] = np.asarray) -> None:
        """Begin anew with these cameras."""
        self.perceived.clear()
        self.velocities.clear()
        self.now = 0
        self.configure()
        self.worker.open(dict.fromkeys(cameras or ['camera'], convert)).result(WAIT)

    def configure(self, **changes: Any) -> None:
        """Change settings of the node."""
        node = replace(NodeConfig(), **changes)
        self.worker.configure(replace(self.settings, node=node)).result(WAIT)

    def offer(self, camera: str = 'camera') -> None:
        """A new image, one second after the last one."""
        self.now += 10**9
        pixels = np.random.default_rng(self.now).integers(0, 256, (112, 112, 3), dtype=np.uint8)
        self.worker.offer(camera, Arrival(pixels, self.now, 'lens'))

    def show(self, camera: str = 'camera') -> Perceived:
        """A new image, and what became of it."""
        seen = len(self.perceived)
        self.offer(camera)
        wait_until(lambda: len(self.perceived) > seen)
        return self.perceived[-1]

    def ask(self, request: Request) -> Told:
        """Submit a question."""
        return Told(self.worker, request)


class Told:
    """A question and what its asker was told."""

    def __init__(self, worker: Worker, request: Request) -> None:
        self.tokens: list[str] = []
        self.outcomes: list[Outcome] = []
        self.ticket = worker.submit(request, on_token=self._token, on_done=self.outcomes.append)

    def _token(self, token: Token) -> None:
        self.tokens.append(token.token_text)

    @property
    def outcome(self) -> Outcome:
        """How it ended; waits for that."""
        wait_until(lambda: self.outcomes)
        return self.outcomes[0]


def with_fields(request: Request, *, deadline: float = 0.0, **fields: Any) -> Request:
    """The same request with other fields."""
    return replace(request, deadline=deadline, asked={**request.asked, **fields})


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@contextmanager
def busy(scene: AWorker, *cameras: str) -> Iterator[None]:
    """The seeing thread is held up by an image: those that come meanwhile wait."""
    entered, release = threading.Event(), threading.Event()

    def slow(pixels: np.ndarray) -> np.ndarray:
        entered.set()
        release.wait(WAIT)
        return pixels

    scene.open(*cameras, convert=slow)
    scene.offer(*cameras[:1])
    assert entered.wait(WAIT)
    yield
    release.set()


@contextmanager
def held_up(scene: AWorker, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The model's thread is held up by whatever it encodes; the event says that it is."""
    family = scene.worker._family
    assert family is not None
    entered, release, encode = threading.Event(), threading.Event(), family.encode

    def slow(*arguments: Any) -> Any:
        entered.set()
        release.wait(WAIT)
        return encode(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(family, 'encode', slow)
        yield entered
        release.set()
