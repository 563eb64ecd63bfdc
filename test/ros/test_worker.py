# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The worker with a real model: what is served when, and how questions end.

Messages are opaque to the worker, so that plain arrays stand for them here.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ros.requests import asks
from scarcity import little_memory

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidFrame, ModelError
from vlmaxxing_ros.engine.families.loading import NANO
from vlmaxxing_ros.engine.question import Token
from vlmaxxing_ros.random_models.families import random_family
from vlmaxxing_ros.random_models.folder import save
from vlmaxxing_ros.ros.camera import Arrival, Perceived
from vlmaxxing_ros.ros.settings import NodeConfig, Settings
from vlmaxxing_ros.ros.ticket import Outcome, Request, Status
from vlmaxxing_ros.ros.watch import Change
from vlmaxxing_ros.ros.watch_settings import WatchConfig
from vlmaxxing_ros.ros.worker import Worker

pytestmark = pytest.mark.skipif(
    not (NANO / 'model.safetensors').is_file(), reason='the built-in model is not there yet'
)
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


@pytest.fixture(scope='module')
def loaded() -> Iterator[AWorker]:
    scene = AWorker()
    scene.worker.load().result(WAIT)
    yield scene
    assert scene.worker.stop(WAIT)


@pytest.fixture
def scene(loaded: AWorker) -> Iterator[AWorker]:
    """A worker with one camera that has seen nothing."""
    loaded.open()
    yield loaded
    loaded.worker.close('the test is over').result(WAIT)
    loaded.errors.clear()


def test_a_question_is_answered_from_the_newest_frame(scene: AWorker) -> None:
    scene.show()
    newest = scene.show()
    scene.now += 2 * 10**9
    outcome = scene.ask(asks('what colors are the blocks?')).outcome
    assert (outcome.status, outcome.model) == (Status.OK, 'nano')
    assert outcome.answer is not None
    assert outcome.answer.evidence.newest_stamp == newest.arrival.stamp
    assert outcome.evidence_age == pytest.approx(2.0)
    assert 0.0 < outcome.answer.time_to_first_token <= outcome.latency


def test_a_camera_that_turns_is_known_by_its_own_velocity(scene: AWorker) -> None:
    scene.open('front', 'rear')
    scene.velocities['rear'] = (0.0, 50.0)
    for camera in ('front', 'rear'):
        scene.show(camera)
        assert scene.ask(asks('well?', camera=camera)).outcome.status is Status.OK
    plans = {camera: scene.show(camera).budget.plan for camera in ('front', 'rear')}
    assert plans['rear'] is not None
    assert plans['rear'].reason.startswith('camera moved')
    assert plans['rear'].motion == pytest.approx((0.0, 100.0))
    assert plans['front'] is not None
    assert 'camera' not in plans['front'].reason


def test_a_running_answer_is_cancelled_at_the_next_token(scene: AWorker) -> None:
    scene.show()
    asked = scene.ask(LONG)
    wait_until(lambda: len(asked.tokens) > 3)
    asked.ticket.cancel()
    outcome = asked.outcome
    assert outcome.status is Status.CANCELLED
    assert outcome.answer is not None
    assert outcome.answer.finish_reason == 'cancelled'
    assert outcome.answer.answer == ''.join(asked.tokens)
    assert outcome.answer.answer_tokens < LONG.asked['max_tokens']


def test_a_running_answer_ends_at_its_deadline_with_what_there_is(scene: AWorker) -> None:
    scene.show()
    asked = scene.ask(with_fields(LONG, deadline=0.5, max_tokens=30_000))
    outcome = asked.outcome
    assert outcome.status is Status.TIMEOUT
    assert outcome.latency >= 0.5
    assert outcome.answer is not None
    assert outcome.answer.finish_reason == 'timeout'
    assert outcome.answer.answer == ''.join(asked.tokens) != ''
    assert outcome.answer.evidence.newest_stamp == scene.now


def test_images_are_seen_while_an_answer_is_decoded_and_do_not_change_it(
    scene: AWorker,
) -> None:
    question = with_fields(LONG, max_tokens=100)
    scene.show()
    alone = scene.ask(question).outcome
    scene.worker.reset().result(WAIT)
    scene.now = 0
    scene.perceived.clear()
    scene.show()
    asked = scene.ask(question)
    wait_until(lambda: asked.tokens)
    seen = 0
    while not asked.outcomes and seen < 5:
        scene.show()
        seen += not asked.outcomes
    assert seen == 5
    assert asked.outcome.answer is not None
    assert alone.answer is not None
    assert asked.outcome.answer.token_ids == alone.answer.token_ids


def test_images_are_seen_while_the_model_is_busy_with_something_else(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.show()
    with held_up(scene, monkeypatch) as entered:
        asked = scene.ask(asks('what colors are the blocks?'))
        assert entered.wait(WAIT)
        budgets = [scene.show().budget for _ in range(3)]
    assert asked.outcome.status is Status.OK
    assert all(budget.plan is not None for budget in budgets)
    assert budgets[-1].blocks_owed == budgets[-1].blocks_total
    assert budgets[-1].tokens_cached == 14, 'the prefix: nothing of an image has been paid'


def test_without_a_duty_nothing_is_paid_before_somebody_asks(scene: AWorker) -> None:
    engine = replace(scene.settings.engine, max_duty=0.0)
    scene.worker.configure(replace(scene.settings, engine=engine)).result(WAIT)
    for _ in range(3):
        assert scene.show().budget.blocks_admitted == 0
    outcome = scene.ask(asks('what colors are the blocks?')).outcome
    assert outcome.answer is not None
    assert outcome.answer.rows_paid == 16 + 2
    assert outcome.answer.evidence.blocks_owed == 0
    assert outcome.answer.evidence.newest_stamp == scene.now


def test_the_fastest_answer_pays_nothing_and_says_what_it_does_not_account_for(
    scene: AWorker,
) -> None:
    engine = replace(scene.settings.engine, max_duty=0.0)
    scene.worker.configure(replace(scene.settings, engine=engine)).result(WAIT)
    paid = scene.show()
    assert scene.ask(asks('what colors are the blocks?')).outcome.status is Status.OK
    scene.show()
    outcome = scene.ask(asks('what colors are the blocks?', max_evidence_age=math.inf)).outcome
    assert outcome.status is Status.OK
    assert outcome.answer is not None
    assert (outcome.answer.rows_paid, outcome.answer.evidence.blocks_owed) == (0, 16)
    assert outcome.answer.evidence.newest_stamp == paid.arrival.stamp
    assert outcome.evidence_age == pytest.approx(1.0)
    assert 'not accounted for' in outcome.status_text


def test_only_the_newest_frame_waits_and_the_others_are_counted(scene: AWorker) -> None:
    with busy(scene):
        for _ in range(4):
            scene.offer()
    wait_until(lambda: len(scene.perceived) == 2)
    assert [perceived.arrival.stamp for perceived in scene.perceived] == [10**9, 5 * 10**9]
    counts = scene.perceived[-1].counts
    assert (counts.received, counts.planned, counts.dropped) == (5, 2, 3)


def test_a_watch_is_asked_on_the_model_s_thread_when_an_image_shows_something_new(
    scene: AWorker,
) -> None:
    watches = scene.worker.watches
    watches.add('one', WatchConfig(question='well?', choices=('yes', 'no')), lambda: None)
    for answers in (1, 2, 3):
        scene.show()  # noise: everything is new
        wait_until(lambda expected=answers: len(scene.watched) >= expected)
        assert scene.watched[-1].status is Status.OK
    assert scene.changes[0].before is None
    scene.worker.close('the node was deactivated').result(WAIT)
    assert len(watches) == 1
    scene.open()
    asked = len(scene.watched)
    scene.show()
    wait_until(lambda: len(scene.watched) > asked)
    watches.remove('one')


def test_cameras_take_turns(scene: AWorker) -> None:
    with busy(scene, 'one', 'two', 'three'):
        for camera in ('one', 'three', 'two'):
            scene.offer(camera)
    wait_until(lambda: len(scene.perceived) == 4)
    order = [perceived.camera for perceived in scene.perceived]
    assert order[0] == order[-1] == 'one', 'who was just served comes last'


def test_a_deadline_holds_even_while_the_thread_is_busy(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_up(scene, monkeypatch) as entered:
        scene.show()
        first = scene.ask(asks('well?'))
        assert entered.wait(WAIT)
        asked = scene.ask(asks('well?', deadline=0.1))
        wait_until(lambda: scene.worker.finish_overdue() or asked.outcomes)
        assert asked.outcome.status is Status.TIMEOUT
    assert first.outcome.status is Status.OK


def broken_at(part: str, scene: AWorker, monkeypatch: pytest.MonkeyPatch, request: Request) -> Any:
    """The outcome of a question while a part of the model fails."""

    class Panic(BaseException):
        """What Rust's panics are in Python."""

    def fail(*_: Any) -> None:
        raise Panic('out of memory')

    with monkeypatch.context() as broken:
        broken.setattr(scene.worker._family, part, fail)
        return scene.ask(request).outcome


def test_a_model_that_fails_on_a_question_ends_only_that(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.show()
    assert scene.ask(asks('well?')).outcome.status is Status.OK
    outcome = broken_at('logits', scene, monkeypatch, asks('well?'))
    assert outcome.status is Status.MODEL_ERROR
    assert 'out of memory' in outcome.status_text
    assert 'reset' not in outcome.status_text
    assert 'out of memory' in scene.errors[0]
    after = scene.ask(asks('well?')).outcome
    assert after.status is Status.OK
    assert after.answer is not None
    assert after.answer.rows_paid == 0, 'what was paid is still there'


def test_a_model_that_fails_on_what_is_paid_for_a_question_begins_the_session_anew(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = replace(scene.settings.engine, max_duty=0.0)
    scene.worker.configure(replace(scene.settings, engine=engine)).result(WAIT)
    scene.show()
    outcome = broken_at('encode', scene, monkeypatch, asks('well?'))
    assert outcome.status is Status.MODEL_ERROR
    assert 'the session was reset' in outcome.status_text
    assert scene.ask(asks('well?', deadline=0.3)).outcome.status is Status.NO_EVIDENCE
    scene.show()
    assert scene.ask(asks('well?')).outcome.status is Status.OK


def test_logits_that_are_no_numbers_are_a_model_error_by_name(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.show()
    family = scene.worker._family
    assert family is not None
    logits = family.logits
    with monkeypatch.context() as broken:
        broken.setattr(family, 'logits', lambda hidden: logits(hidden) * math.nan)
        outcome = scene.ask(asks('well?', choices=('yes', 'no'))).outcome
    assert outcome.status is Status.MODEL_ERROR
    assert 'not finite' in outcome.status_text
    assert outcome.answer is None


@pytest.mark.parametrize(
    'schema',
    [
        'true',
        '[]',
        '{"const": NaN}',
        '[' * 9000,
        '{"items":' * 300 + '{}' + '}' * 300,
        '{"allOf": ['
        + ', '.join(f'{{"pattern": "({"ab" * i}|x)[a-z]{{1,9}}"}}' for i in range(1, 24))
        + '], "type": "string"}',
    ],
    ids=['true', 'array', 'NaN', 'brackets', 'nested', 'patterns'],
)
def test_no_schema_costs_the_stream_what_was_paid(scene: AWorker, schema: str) -> None:
    scene.show()
    assert scene.ask(asks('well?')).outcome.status is Status.OK
    outcome = scene.ask(asks('well?', json_schema=schema, max_tokens=5)).outcome
    assert outcome.status in (Status.INVALID_REQUEST, Status.OK, Status.INVALID_ANSWER)
    after = scene.ask(asks('well?')).outcome
    assert after.status is Status.OK
    assert after.answer is not None
    assert after.answer.rows_paid == 0


def test_a_constrained_answer_that_is_cut_is_not_ok(scene: AWorker) -> None:
    scene.show()
    outcome = scene.ask(with_fields(LONG, max_tokens=5)).outcome
    assert outcome.status is Status.INVALID_ANSWER
    assert 'max_tokens' in outcome.status_text
    assert outcome.answer is not None
    assert outcome.answer.finish_reason == 'length'
    assert scene.ask(asks('well?', max_tokens=1)).outcome.status is Status.OK


def test_whoever_waits_can_be_let_go_while_the_model_is_busy(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_up(scene, monkeypatch) as entered:
        scene.show()
        first, second = scene.ask(asks('well?')), scene.ask(asks('well?'))
        assert entered.wait(WAIT)
        scene.worker.abandon('the end')
        assert [q.outcome.status for q in (first, second)] == 2 * [Status.CANCELLED]


def test_what_is_said_of_an_image_is_short_however_much_of_it_is_quoted(scene: AWorker) -> None:
    def fail(_: Any) -> np.ndarray:
        raise InvalidFrame(f'encoding {"x" * 1_000_000} is not supported; publish one of those')

    scene.open(convert=fail)
    said = scene.show().budget.status_text
    assert len(said) < 1100
    assert said.startswith('encoding xxx')
    assert said.endswith('publish one of those')


def test_a_model_that_fails_on_every_image_is_one_line(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError('broken')

    with monkeypatch.context() as broken:
        broken.setattr(scene.worker._family, 'encode', fail)
        for number in range(5):
            scene.show()
            wait_until(lambda seen=number: scene.worker.failures.count > seen)
    assert len(scene.errors) == 1
    assert scene.worker.failures.recent


def test_a_model_that_fails_on_an_image_loses_the_stream_by_name_and_goes_on(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError('broken')

    with monkeypatch.context() as broken:
        broken.setattr(scene.worker._family, 'encode', fail)
        scene.show()
        wait_until(lambda: scene.errors)
    assert 'broken' in scene.errors[0]
    assert 'broken' in scene.worker.failures.last
    scene.show()
    assert scene.ask(asks('what colors are the blocks?')).outcome.status is Status.OK


def test_memory_that_is_never_enough_ends_in_a_reset_and_is_two_lines(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError('none is left')

    with monkeypatch.context() as broken:
        broken.setattr(scene.worker._family, 'encode', fail)
        scene.show()
        wait_until(lambda: len(scene.errors) > 1)
    assert 'memory ran out' in scene.errors[0]
    assert 'the session is reset' in scene.errors[1]
    scene.show()
    assert scene.ask(asks('what colors are the blocks?')).outcome.status is Status.OK
    assert len(scene.errors) == 2


def test_closing_cancels_whoever_waits_and_refuses_whoever_comes(scene: AWorker) -> None:
    scene.show()
    running = scene.ask(LONG)
    waiting = scene.ask(asks('well?'))
    wait_until(lambda: running.tokens)
    scene.worker.close('closing time').result(WAIT)
    for asked in (running, waiting):
        assert asked.outcome.status is Status.CANCELLED
        assert asked.outcome.status_text == 'closing time'
    assert scene.ask(asks('well?')).outcome.status is Status.NOT_ACTIVE


def test_a_question_goes_before_an_audit(scene: AWorker) -> None:
    scene.show()
    scene.ask(asks('what colors are the blocks?')).outcome  # noqa: B018 (it has been seen)
    ended: list[str] = []
    blocking = scene.ask(LONG)
    wait_until(lambda: blocking.tokens)
    report = scene.worker.audit()
    report.add_done_callback(lambda _: ended.append('audit'))
    scene.worker.submit(
        asks('what colors are the blocks?'),
        on_token=lambda _: None,
        on_done=lambda _: ended.append('question'),
    )
    blocking.ticket.cancel()
    camera, well, text = report.result(WAIT)[0]
    assert (camera, well) == ('camera', True), text
    wait_until(lambda: len(ended) == 2)
    assert ended == ['question', 'audit']


def test_closing_ends_an_audit(scene: AWorker) -> None:
    scene.show()
    blocking = scene.ask(LONG)
    wait_until(lambda: blocking.tokens)
    report, closed = scene.worker.audit(), scene.worker.close('closing time')
    closed.result(WAIT)
    with pytest.raises(RuntimeError, match='closing time'):
        report.result(WAIT)


def test_a_model_that_fails_in_an_audit_ends_only_that(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.show()
    assert scene.ask(asks('what colors are the blocks?')).outcome.status is Status.OK

    def fail(*_: Any) -> None:
        raise RuntimeError('out of memory')

    with monkeypatch.context() as broken:
        broken.setattr(scene.worker._family, 'hidden', fail)
        with pytest.raises(RuntimeError, match='out of memory'):
            scene.worker.audit().result(WAIT)
    assert scene.show().budget.plan is not None


def test_two_who_ask_for_an_audit_both_get_one(scene: AWorker) -> None:
    scene.show()
    reports = [scene.worker.audit() for _ in range(2)]
    assert [report.result(WAIT)[0][1] for report in reports] == [True, True]


def test_an_audit_of_nothing_says_so(scene: AWorker) -> None:
    _, well, text = scene.worker.audit().result(WAIT)[0]
    assert not well
    assert 'nothing to audit' in text


def test_questions_are_answered_in_the_order_in_which_they_came(scene: AWorker) -> None:
    scene.show()
    ended: list[int] = []
    for number in range(5):
        scene.worker.submit(
            asks('what colors are the blocks?'),
            on_token=lambda *_: None,
            on_done=lambda _, number=number: ended.append(number),
        )
    wait_until(lambda: len(ended) == 5)
    assert ended == [0, 1, 2, 3, 4]


def test_a_model_that_is_not_there_is_a_clear_error() -> None:
    scene = AWorker()
    scene.settings = Settings(engine=EngineConfig(model='/no/such/model'))
    scene.configure()
    with pytest.raises(ModelError, match='/no/such/model'):
        scene.worker.load().result(WAIT)
    assert scene.worker.model == ''
    assert scene.worker.stop(WAIT)


@pytest.mark.filterwarnings('ignore:At least one mel filter')  # Gemma 4's audio, unused
def test_settings_that_the_loaded_models_family_cannot_follow_are_refused(tmp_path: Path) -> None:
    save(random_family('lfm2_vl'), 'lfm2_vl', tmp_path)
    scene = AWorker()
    scene.settings = Settings(engine=EngineConfig(model=str(tmp_path)))
    refreshing = Settings(engine=EngineConfig(model=str(tmp_path), tail_mode='refresh'))
    scene.configure()
    assert scene.worker.refuses(refreshing) == '', 'no model yet that could not'
    scene.worker.load().result(WAIT)
    assert 'set tail_mode to auto or exact' in scene.worker.refuses(refreshing)
    assert scene.worker.refuses(scene.settings) == ''
    assert scene.worker.stop(WAIT)


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux refuses memory on request')
def test_memory_that_runs_out_ends_the_question_and_the_stream_holds_less(scene: AWorker) -> None:
    engine = replace(scene.settings.engine, max_duty=0.0)
    scene.worker.configure(replace(scene.settings, engine=engine)).result(WAIT)

    def look(number: int) -> Perceived:
        """Show noise that takes 3 MB to encode."""
        seen, scene.now = len(scene.perceived), scene.now + 10**9
        pixels = np.random.default_rng(number).integers(0, 256, (168, 224, 3), dtype=np.uint8)
        scene.worker.offer('camera', Arrival(pixels, scene.now, 'lens'))
        wait_until(lambda: len(scene.perceived) > seen)
        return scene.perceived[-1]

    look(1)
    assert scene.ask(asks('well?', max_tokens=1)).outcome.status is Status.OK
    look(2)
    with little_memory(1_000_000):
        outcome = scene.ask(asks('well?', max_tokens=1)).outcome
    assert outcome.status is Status.MODEL_ERROR
    assert 'memory ran out: token_budget is held at 4096' in outcome.status_text
    assert 'reset' not in outcome.status_text
    assert 'memory ran out' in scene.errors[-1]
    assert 'held at 4096' in look(3).budget.status_text
    after = scene.ask(asks('well?', max_tokens=1)).outcome
    assert after.status is Status.OK
    assert after.answer is not None
    assert after.answer.evidence.newest_stamp == scene.now
