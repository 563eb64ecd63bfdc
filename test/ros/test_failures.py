# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Failures are said once with a count, each camera's by itself, and remembered."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.ros import failures as module
from vlmaxxing_ros.ros.failures import Failures


class Lines(list[str]):
    """A log."""

    def error(self, message: str) -> None:
        """Take it."""
        self.append(message)


def test_the_same_failure_is_one_line_with_a_count(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Lines()
    failures = Failures(lines)
    for number in range(5):
        failures.add('the model failed', RuntimeError(f'image {number}'), 'front')
    assert lines == ['the model failed: front: RuntimeError: image 0']
    assert (failures.count, failures.last) == (5, 'front: RuntimeError: image 4')
    monkeypatch.setattr(module, '_PERIOD', 0.0)
    failures.add('the model failed', RuntimeError('image 5'), 'front')
    assert lines[1].startswith('the model failed: front: RuntimeError: image 5 (4 times more')


def test_one_cameras_failures_do_not_hide_anothers() -> None:
    lines = Lines()
    failures = Failures(lines)
    for camera in ('cam1', 'cam2', 'cam1'):
        failures.add('the model failed', RuntimeError('well'), camera)
    assert len(lines) == 2


def test_what_failed_is_news_and_then_history_until_it_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failures = Failures(Lines())
    assert not failures.recent
    failures.add('the worker failed', ValueError('well'))
    assert failures.recent
    monkeypatch.setattr(module, '_PERIOD', 0.0)
    assert not failures.recent
    assert failures.last
    failures.forget()
    assert failures.last == ''
