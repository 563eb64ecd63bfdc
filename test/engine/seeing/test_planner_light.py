# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the planner buys when the light changes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from engine.seeing.planned import GRID, Planned, scene, settings, with_patch

from vlmaxxing_ros.engine.seeing.plan import Verdict


@pytest.mark.parametrize('gain', [0.7, 1.3])
def test_exposure_buys_nothing(gain: float) -> None:
    stream = Planned(settings())
    stream.show(scene())
    for _ in range(3):
        plan = stream.show(scene() * gain)
        assert not plan.fresh.any()
        assert plan.light.gain == pytest.approx([gain] * 3, abs=0.03) or plan.light.offset.any()


def test_exposure_and_a_real_change_buy_the_change() -> None:
    stream = Planned(settings())
    stream.show(scene())
    plan = stream.show(with_patch(scene(), 3, 4, 60) * 0.7)
    assert np.argwhere(plan.fresh).tolist() == [[3, 4]]


def test_blocks_bought_in_different_light_agree_afterwards() -> None:
    stream = Planned(settings())
    for i in range(16):
        plan = stream.show(scene() * (1.0, 0.8, 0.65, 0.9)[i % 4])
        if i:
            assert not (plan.verdicts == Verdict.NOVEL).any()


@pytest.mark.parametrize('darkest', [40, 150])
def test_bands_leave_the_reference_in_its_own_light(darkest: int) -> None:
    down = np.arange(GRID.height)[:, None, None] / GRID.height
    rng, stream = np.random.default_rng(0), Planned(settings())
    # In the brighter room some of it is beyond 255 in the brightest rows.
    room = darkest + (scene() - 40) * (0.6 if darkest > 100 else 1.0)
    for index in range(300):
        rolling = 1 + 0.12 * np.sin(2 * np.pi * (1.7 * down + 0.37 * index)) if index else 1.0
        stream.show(room * rolling + rng.normal(0, 2, room.shape))
    comparison = stream.planner._comparison
    assert comparison is not None
    now = comparison.image
    first = cv2.resize(np.clip(room, 0, 255), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    unclipped = first < 220
    assert abs((now - first)[unclipped].mean()) < 1.5


def test_a_sky_that_is_blown_out_is_no_change_whatever_the_light() -> None:
    down = np.arange(GRID.height)[:, None, None] / GRID.height
    stream, outdoors = Planned(settings()), scene()
    outdoors[: 2 * GRID.block] = 400
    stream.show(outdoors)
    for index in range(8):
        rolling = 1 + 0.15 * np.sin(2 * np.pi * (1.7 * down + 0.37 * index))
        assert not (stream.show(outdoors * rolling).verdicts == Verdict.NOVEL).any()
    for gain in (0.8, 1.1, 0.9, 1.2):
        assert not (stream.show(outdoors * gain).verdicts == Verdict.NOVEL).any()


def test_lights_out_is_a_scene_change() -> None:
    stream = Planned(settings())
    stream.show(scene())
    assert stream.show(scene() * 0.2).whole
    assert stream.show(scene() * 0).whole
    assert stream.show(scene()).whole


def test_a_slow_change_of_light_is_bought_in_the_end() -> None:
    stream = Planned(settings())
    stream.show(scene())
    bought = [stream.show(scene() * 0.99**i).fresh.any() for i in range(1, 100)]
    assert any(bought)
    assert bought.index(True) > 20
