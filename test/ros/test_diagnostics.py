# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What /diagnostics says when several things are wrong at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from engine.scenes import moving_scene
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.random_models.families import random_family
from vlmaxxing_ros.ros.camera import Camera
from vlmaxxing_ros.ros.diagnostics import Diagnostics
from vlmaxxing_ros.ros.settings import Settings
from vlmaxxing_ros.ros.worker import Worker


class Announced:
    """A node's diagnostics, and everything that it has logged."""

    def __init__(self, node: Any) -> None:
        self.log: list[str] = []
        self.hint = ''
        self._node = node
        self.worker = Worker(
            Settings(),
            clock=lambda: node.get_clock().now().nanoseconds,
            camera_velocity=lambda *_: None,
            on_perceived=lambda _: None,
            on_change=lambda _: None,
            on_watched=lambda _: None,
            log=self,
        )
        node.get_logger = lambda: self
        self.diagnostics = Diagnostics(
            node,
            self.worker,
            period=3600.0,
            state=lambda: 'active',
            hint=lambda _: self.hint,
            conversion=lambda: '',
        )
        self._came = Future()
        node.create_subscription(DiagnosticArray, '/diagnostics', self._take, 10)
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)

    def error(self, text: str) -> None:
        """Take a line of the log."""
        self.log.append(text)

    warning = error

    def _take(self, message: DiagnosticArray) -> None:
        if message.status[0].hardware_id == '/tested':
            self._came.set_result(message.status)

    @property
    def statuses(self) -> list[DiagnosticStatus]:
        """Of the model, then of each camera."""
        self._came = Future()
        while not self._came.done():
            self.diagnostics.publish()
            self._executor.spin_until_future_complete(self._came, 0.1)
        return list(self._came.result())


@pytest.fixture
def told(make_node: Callable[..., Any]) -> Announced:
    return Announced(make_node())


def test_every_warning_is_there_beside_what_failed_before(
    told: Announced, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.diagnostics.warn('parameters', 'modle is none')
    told.diagnostics.warn('keyframe', 'none is kept')
    told.worker.failures.add('a thread failed', ValueError('well'))
    assert told.statuses[0].level == DiagnosticStatus.ERROR
    monkeypatch.setattr('vlmaxxing_ros.ros.failures._PERIOD', 0.0)
    model = told.statuses[0]
    assert model.level == DiagnosticStatus.WARN
    assert model.message == 'failed before: ValueError: well; modle is none; none is kept'


def test_a_warning_is_logged_when_it_begins_and_shown_as_long_as_it_lasts(told: Announced) -> None:
    for text in ('2 of them', '3 of them', 'another', '', 'another'):
        told.diagnostics.warn('name', text)
    assert told.log == ['2 of them', 'another', 'another']
    told.diagnostics.warn('name', '')
    assert told.statuses[0].message == 'active'


def test_what_is_said_of_a_camera_does_not_hide_that_its_cache_was_wrong(told: Announced) -> None:
    session = StreamSession(random_family(), EngineConfig(keyframe_interval=0.2))
    for frame in moving_scene(4):
        session.admit(frame)
    told.worker._cameras = {'front': Camera('front', np.asarray, session)}
    told.hint = 'no image on /front/image for 3 s: nobody publishes there'
    assert told.statuses[1].level == DiagnosticStatus.WARN
    keys = session.stream.cache.arrays()[0]
    keys[0, 0, 4] = keys[0, 0, 4] * -1 + 0.5
    mx.eval(keys)
    assert not session.audit().ok
    camera = told.statuses[1]
    assert camera.level == DiagnosticStatus.ERROR
    assert camera.message.startswith('audit: ')


def test_what_else_is_wrong_with_a_silent_camera_is_logged_too(told: Announced) -> None:
    session = StreamSession(random_family(), EngineConfig())
    told.worker._cameras = {'front': Camera('front', np.asarray, session)}
    for told.hint in ('silent for 3 s: nobody', 'silent for 4 s: nobody', 'silent for 5 s: type'):
        assert told.statuses[1].message == told.hint
    assert told.log == ['silent for 3 s: nobody', 'silent for 5 s: type']
