# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The worker with a real model: what is served when, and how questions end.

Messages are opaque to the worker, so that plain arrays stand for them here.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine.families.exactness import save

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families.loading import NANO
from vlmaxxing_ros.random_models.families import random_family
from vlmaxxing_ros.ros.camera import Arrival, Perceived
from vlmaxxing_ros.ros.settings import NodeConfig, Settings
from vlmaxxing_ros.ros.ticket import Outcome, Request, Status, Ticket
from vlmaxxing_ros.ros.worker import Worker

pytestmark = pytest.mark.skipif(
    not (NANO / 'model.safetensors').is_file(), reason='the built-in model is not there yet'
)
WAIT = 60.0  # s, far more than anything here takes
# A text that may not end: an answer that takes its time.
LONG = Request(
    question='describe what you see',
    json_schema='{"type": "string", "minLength": 100000}',
    max_tokens=1000,
)


class Filmed:
    """A worker with its cameras, and everything it has told."""

    def __init__(self) -> None:
        self.perceived: list[Perceived] = []
        self.errors: list[str] = []
        self.now = 0
        self.velocities: dict[str, tuple[float, float]] = {}
        self.settings = Settings(engine=EngineConfig(model='nano'))
        self.worker = Worker(
            self.settings,
            clock=lambda: self.now,
            camera_velocity=lambda camera, frame: self.velocities.get(camera),
            on_perceived=self.perceived.append,
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

    def ask(self, request: Request) -> Recorder:
        """Submit a question."""
        return Recorder(self.worker, request)


class Recorder:
    """A question and what its asker was told."""

    def __init__(self, worker: Worker, request: Request) -> None:
        self.tokens: list[str] = []
        self.outcomes: list[Outcome] = []
        self.ticket = worker.submit(request, on_token=self._token, on_done=self.outcomes.append)

    def _token(self, _: Ticket, text: str) -> None:
        self.tokens.append(text)

    @property
    def outcome(self) -> Outcome:
        """How it ended; waits for that."""
        wait_until(lambda: self.outcomes)
        return self.outcomes[0]


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@contextmanager
def busy(scene: Filmed, *cameras: str) -> Iterator[None]:
    """The thread is held up by a frame: what is asked for meanwhile waits."""
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


@pytest.fixture(scope='module')
def loaded() -> Iterator[Filmed]:
    scene = Filmed()
    scene.worker.load().result(WAIT)
    yield scene
    assert scene.worker.stop(WAIT)


@pytest.fixture
def scene(loaded: Filmed) -> Iterator[Filmed]:
    """A worker with one camera that has seen nothing."""
    loaded.open()
    yield loaded
    loaded.worker.close('the test is over').result(WAIT)
    loaded.errors.clear()


def test_a_question_is_answered_from_the_newest_frame(scene: Filmed) -> None:
    scene.show()
    newest = scene.show()
    scene.now += 2 * 10**9
    outcome = scene.ask(Request(question='what colors are the blocks?')).outcome
    assert (outcome.status, outcome.model) == (Status.OK, 'nano')
    assert outcome.answer is not None
    assert outcome.answer.evidence.newest_stamp == newest.arrival.stamp
    assert outcome.evidence_age == pytest.approx(2.0)
    assert 0.0 < outcome.time_to_first_token <= outcome.latency


def test_a_camera_that_turns_is_known_by_its_own_velocity(scene: Filmed) -> None:
    scene.open('front', 'rear')
    scene.velocities['rear'] = (0.0, 50.0)
    for camera in ('front', 'rear'):
        scene.show(camera)
    plans = {camera: scene.show(camera).plan for camera in ('front', 'rear')}
    assert plans['rear'] is not None
    assert plans['rear'].reason.startswith('camera moved')
    assert plans['rear'].motion == pytest.approx((0.0, 100.0))
    assert plans['front'] is not None
    assert 'camera' not in plans['front'].reason


def test_a_running_answer_is_cancelled_at_the_next_token(scene: Filmed) -> None:
    scene.show()
    asked = scene.ask(LONG)
    wait_until(lambda: len(asked.tokens) > 3)
    asked.ticket.cancel()
    outcome = asked.outcome
    assert outcome.status is Status.CANCELLED
    assert outcome.answer is not None
    assert outcome.answer.finish_reason == 'cancelled'
    assert outcome.answer.answer == ''.join(asked.tokens)
    assert outcome.answer.answer_tokens < LONG.max_tokens


def test_a_running_answer_ends_at_its_deadline_with_what_there_is(scene: Filmed) -> None:
    scene.show()
    asked = scene.ask(replace(LONG, max_tokens=30_000, deadline=0.5))
    outcome = asked.outcome
    assert outcome.status is Status.TIMEOUT
    assert outcome.latency >= 0.5
    assert outcome.answer is not None
    assert outcome.answer.finish_reason == 'timeout'
    assert outcome.answer.answer == ''.join(asked.tokens) != ''
    assert outcome.answer.evidence.newest_stamp == scene.now


def test_frames_pass_a_running_answer_without_changing_it(scene: Filmed) -> None:
    question = replace(LONG, max_tokens=100)
    scene.show()
    scene.configure(answering_frame_period=math.inf)
    alone = scene.ask(question).outcome
    scene.worker.reset().result(WAIT)
    scene.now = 0
    scene.perceived.clear()
    scene.configure(answering_frame_period=0.0)
    scene.show()
    asked = scene.ask(question)
    wait_until(lambda: asked.tokens)
    passed = 0
    while not asked.outcomes and passed < 5:
        scene.show()
        passed += not asked.outcomes
    assert passed == 5, 'frames are planned while the answer is being decoded'
    assert asked.outcome.answer is not None
    assert alone.answer is not None
    assert asked.outcome.answer.token_ids == alone.answer.token_ids


def test_with_an_infinite_period_frames_wait_for_the_answer(scene: Filmed) -> None:
    scene.show()
    scene.configure(answering_frame_period=math.inf)
    asked = scene.ask(LONG)
    wait_until(lambda: asked.tokens)
    scene.offer()
    wait_until(lambda: len(asked.tokens) > 50)
    assert len(scene.perceived) == 1
    asked.ticket.cancel()
    wait_until(lambda: len(scene.perceived) == 2)


def test_questions_that_always_wait_let_one_frame_pass_between_two_answers(
    scene: Filmed,
) -> None:
    scene.show()
    scene.configure(answering_frame_period=math.inf)
    first, second, third = (scene.ask(LONG) for _ in range(3))
    for running in (first, second):
        wait_until(lambda running=running: running.tokens)
        scene.offer()
        running.ticket.cancel()
    wait_until(lambda: third.tokens)
    third.ticket.cancel()
    answers = [asked.outcome.answer for asked in (first, second, third)]
    newest = [answer.evidence.newest_stamp for answer in answers if answer is not None]
    assert newest == [10**9, 2 * 10**9, 3 * 10**9]


def test_only_the_newest_frame_waits_and_the_others_are_counted(scene: Filmed) -> None:
    with busy(scene):
        for _ in range(4):
            scene.offer()
    wait_until(lambda: len(scene.perceived) == 2)
    assert [perceived.arrival.stamp for perceived in scene.perceived] == [10**9, 5 * 10**9]
    counts = scene.perceived[-1].counts
    assert (counts.received, counts.planned, counts.dropped) == (5, 2, 3)


def test_cameras_take_turns(scene: Filmed) -> None:
    with busy(scene, 'one', 'two', 'three'):
        for camera in ('one', 'three', 'two'):
            scene.offer(camera)
    wait_until(lambda: len(scene.perceived) == 4)
    order = [perceived.camera for perceived in scene.perceived]
    assert order[0] == order[-1] == 'one', 'who was just served comes last'


def test_a_deadline_holds_even_while_the_thread_is_busy(scene: Filmed) -> None:
    with busy(scene):
        asked = scene.ask(Request(question='well?', deadline=0.1))
        wait_until(lambda: scene.worker.finish_overdue() or asked.outcomes)
        assert asked.outcome.status is Status.TIMEOUT


def test_a_failing_model_ends_the_question_and_begins_the_session_anew(
    scene: Filmed, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.show()
    family = scene.worker._family
    assert family is not None

    def fail(*_: Any) -> None:
        raise RuntimeError('out of memory')

    with monkeypatch.context() as broken:
        broken.setattr(family, 'logits', fail)
        outcome = scene.ask(Request(question='well?')).outcome
    assert outcome.status is Status.MODEL_ERROR
    assert 'out of memory' in outcome.status_text
    assert 'out of memory' in scene.errors[0]
    assert scene.ask(Request(question='well?')).outcome.status is Status.NO_EVIDENCE
    scene.show()
    assert scene.ask(Request(question='well?')).outcome.status is Status.OK


def test_a_model_that_fails_on_a_frame_drops_it_by_name_and_goes_on(
    scene: Filmed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError('out of memory')

    with monkeypatch.context() as broken:
        broken.setattr(scene.worker._family, 'encode', fail)
        dropped = scene.show()
    assert dropped.frame is None
    assert 'out of memory' in dropped.budget.status_text
    assert 'out of memory' in scene.worker.last_error
    assert scene.show().frame is not None


def test_closing_cancels_whoever_waits_and_refuses_whoever_comes(scene: Filmed) -> None:
    scene.show()
    running = scene.ask(LONG)
    waiting = scene.ask(Request(question='well?'))
    wait_until(lambda: running.tokens)
    scene.worker.close('closing time').result(WAIT)
    for asked in (running, waiting):
        assert asked.outcome.status is Status.CANCELLED
        assert asked.outcome.status_text == 'closing time'
    assert scene.ask(Request(question='well?')).outcome.status is Status.NOT_ACTIVE


def test_a_frame_passes_an_audit_and_a_question_goes_first(scene: Filmed) -> None:
    with busy(scene):
        report = scene.worker.audit()
        scene.offer()
        asked = scene.ask(Request(question='what colors are the blocks?'))
        happened: list[tuple[int, int]] = []
        report.add_done_callback(
            lambda _: happened.append((len(scene.perceived), len(asked.outcomes)))
        )
    camera, well, text = report.result(WAIT)[0]
    assert (camera, well) == ('camera', True), text
    assert happened == [(2, 1)]


def test_two_who_ask_for_an_audit_both_get_one(scene: Filmed) -> None:
    scene.show()
    reports = [scene.worker.audit() for _ in range(2)]
    assert [report.result(WAIT)[0][1] for report in reports] == [True, True]


def test_an_audit_of_nothing_says_so(scene: Filmed) -> None:
    _, well, text = scene.worker.audit().result(WAIT)[0]
    assert not well
    assert 'nothing to audit' in text


def test_closing_ends_an_audit(scene: Filmed) -> None:
    with busy(scene):
        report, closed = scene.worker.audit(), scene.worker.close('closing time')
    closed.result(WAIT)
    with pytest.raises(RuntimeError, match='closing time'):
        report.result(WAIT)


def test_a_model_that_fails_in_an_audit_ends_only_that(
    scene: Filmed, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.show()

    def fail(*_: Any) -> None:
        raise RuntimeError('out of memory')

    with monkeypatch.context() as broken:
        broken.setattr(scene.worker._family, 'hidden', fail)
        with pytest.raises(RuntimeError, match='out of memory'):
            scene.worker.audit().result(WAIT)
    assert scene.show().frame is not None


def test_questions_are_answered_in_the_order_in_which_they_came(scene: Filmed) -> None:
    scene.show()
    ended: list[int] = []
    for number in range(5):
        scene.worker.submit(
            Request(question='what colors are the blocks?'),
            on_token=lambda *_: None,
            on_done=lambda _, number=number: ended.append(number),
        )
    wait_until(lambda: len(ended) == 5)
    assert ended == [0, 1, 2, 3, 4]


def test_a_model_that_is_not_there_is_a_clear_error() -> None:
    scene = Filmed()
    scene.settings = Settings(engine=EngineConfig(model='/no/such/model'))
    scene.configure()
    with pytest.raises(ModelError, match='/no/such/model'):
        scene.worker.load().result(WAIT)
    assert scene.worker.model == ''
    assert scene.worker.stop(WAIT)


@pytest.mark.filterwarnings('ignore:At least one mel filter')  # Gemma 4's audio, unused
def test_settings_that_the_loaded_models_family_cannot_follow_are_refused(tmp_path: Path) -> None:
    save(random_family('lfm2_vl'), 'lfm2_vl', tmp_path)
    scene = Filmed()
    scene.settings = Settings(engine=EngineConfig(model=str(tmp_path)))
    refreshing = Settings(engine=EngineConfig(model=str(tmp_path), tail_mode='refresh'))
    scene.configure()
    assert scene.worker.refuses(refreshing) == '', 'no model yet that could not'
    scene.worker.load().result(WAIT)
    assert 'set tail_mode to auto or exact' in scene.worker.refuses(refreshing)
    assert scene.worker.refuses(scene.settings) == ''
    assert scene.worker.stop(WAIT)
