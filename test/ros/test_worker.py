# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The worker with a real model: what is seen and served when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ros.requests import asks
from ros.workers import LONG, WAIT, AWorker, busy, held_up, wait_until, with_fields

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidFrame, ModelError
from vlmaxxing_ros.random_models.families import random_family
from vlmaxxing_ros.random_models.folder import save
from vlmaxxing_ros.ros.settings import Settings
from vlmaxxing_ros.ros.ticket import Status
from vlmaxxing_ros.ros.watch_settings import WatchConfig


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


def test_what_is_said_of_an_image_is_short_however_much_of_it_is_quoted(scene: AWorker) -> None:
    def fail(_: Any) -> np.ndarray:
        raise InvalidFrame(f'encoding {"x" * 1_000_000} is not supported; publish one of those')

    scene.open(convert=fail)
    said = scene.show().budget.status_text
    assert len(said) < 1100
    assert said.startswith('encoding xxx')
    assert said.endswith('publish one of those')


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
