# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Where a recording changes."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.evaluation.draft import draft, moments
from vlmaxxing_ros.evaluation.recordings import StampedImage

CONFIG = EngineConfig()


def _stream(*changes: tuple[float, float], seconds: float = 8.0) -> Iterator[StampedImage]:
    """Ten noisy images per second of a square that moves during the changes (start, end)."""
    random = np.random.default_rng(0)
    table = random.integers(90, 150, (14, 14, 3)).astype(np.uint8)
    table = cv2.resize(table, (112, 112), interpolation=cv2.INTER_CUBIC)
    left = 10.0
    for number in range(round(seconds * 10)):
        now = number / 10
        left += sum(1.5 for start, end in changes if start < now <= end)
        image = table.copy()
        image[40:60, round(left) : round(left) + 20] = (220, 30, 30)
        noisy = image + random.normal(0, 1.0, image.shape)
        yield StampedImage(noisy.clip(0, 255).astype(np.uint8), number * 10**8, '')


def test_a_moment_follows_the_start_and_every_change() -> None:
    start, first, second = moments(_stream((1.0, 1.6), (4.0, 4.3)), CONFIG)
    assert start == 0.0
    assert 1.6 <= first <= 2.7
    assert 4.3 <= second <= 5.4


def test_nothing_that_changes_leaves_only_the_start() -> None:
    assert moments(_stream(), CONFIG) == [0.0]


def test_a_change_without_end_has_a_moment_every_few_seconds_and_at_the_end() -> None:
    found = moments(_stream((0.0, 8.0), seconds=5.0), CONFIG)
    assert len(found) == 4
    assert found[-1] == pytest.approx(4.9)


def test_every_text_is_asked_at_every_moment() -> None:
    questions = draft(_stream((1.0, 1.5), seconds=3.0), ['Where?', 'Who?'], CONFIG, prefix='p-')
    assert [q.question for q in questions] == ['Where?', 'Who?'] * 2
    assert len({q.id for q in questions}) == 4
    assert questions[0].id.startswith('p-')


def test_without_texts_the_entries_are_left_to_be_filled_in() -> None:
    (entry,) = draft(_stream(seconds=1.0), [], CONFIG)
    assert (entry.question, entry.answer) == ('', '')
