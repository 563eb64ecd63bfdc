# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The worker when the model fails or memory runs out: who is told, what is lost, what goes on."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ros.requests import asks
from ros.workers import WAIT, AWorker, wait_until
from scarcity import little_memory

from vlmaxxing_ros.ros.camera import Arrival, Perceived
from vlmaxxing_ros.ros.ticket import Status


class ModelPanic(BaseException):
    """What Rust's panics are in Python."""


@contextmanager
def failing(part: str, scene: AWorker, error: BaseException) -> Iterator[None]:
    """A part of the model fails."""

    def fail(*_: Any) -> None:
        raise error

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(scene.worker._family, part, fail)
        yield


def test_a_model_that_fails_on_a_question_ends_only_that(scene: AWorker) -> None:
    scene.show()
    assert scene.ask(asks('well?')).outcome.status is Status.OK
    with failing('logits', scene, ModelPanic('out of memory')):
        outcome = scene.ask(asks('well?')).outcome
    assert outcome.status is Status.MODEL_ERROR
    assert 'out of memory' in outcome.status_text
    assert 'reset' not in outcome.status_text
    assert 'out of memory' in scene.errors[0]
    after = scene.ask(asks('well?')).outcome
    assert after.status is Status.OK
    assert after.answer is not None
    assert after.answer.rows_paid == 0, 'what was paid is still there'


def test_a_model_that_fails_on_what_is_paid_for_a_question_begins_the_session_anew(
    scene: AWorker,
) -> None:
    engine = replace(scene.settings.engine, max_duty=0.0)
    scene.worker.configure(replace(scene.settings, engine=engine)).result(WAIT)
    scene.show()
    with failing('encode', scene, ModelPanic('out of memory')):
        outcome = scene.ask(asks('well?')).outcome
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


def test_a_model_that_fails_on_every_image_is_one_line(scene: AWorker) -> None:
    with failing('encode', scene, RuntimeError('broken')):
        for number in range(5):
            scene.show()
            wait_until(lambda seen=number: scene.worker.failures.count > seen)
    assert len(scene.errors) == 1
    assert scene.worker.failures.recent


def test_a_model_that_fails_on_an_image_loses_the_stream_by_name_and_goes_on(
    scene: AWorker,
) -> None:
    with failing('encode', scene, RuntimeError('broken')):
        scene.show()
        wait_until(lambda: scene.errors)
    assert 'broken' in scene.errors[0]
    assert 'broken' in scene.worker.failures.last
    scene.show()
    assert scene.ask(asks('what colors are the blocks?')).outcome.status is Status.OK


def test_memory_that_is_never_enough_ends_in_a_reset_and_is_two_lines(scene: AWorker) -> None:
    with failing('encode', scene, MemoryError('none is left')):
        scene.show()
        wait_until(lambda: len(scene.errors) > 1)
    assert 'memory ran out' in scene.errors[0]
    assert 'the session is reset' in scene.errors[1]
    scene.show()
    assert scene.ask(asks('what colors are the blocks?')).outcome.status is Status.OK
    assert len(scene.errors) == 2


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
