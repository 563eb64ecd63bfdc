# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The default statistic on streams in which something easy to overlook happens."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from engine.seeing.blind_spots import CASES, GRID, Case
from engine.seeing.plan_scores import VISIBLE, score, settings, truth

from vlmaxxing_ros.engine.seeing.frame import Frame, fit_grid
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.planner import Planner

FOOTAGE = Path(__file__).parents[4] / 'shared' / 'footage'
BY_NAME = {case.name: case for case in CASES}

# What the camera does to a scene in which nothing else happens must not be paid for.
CHEAP = (
    'still',
    'noise 1',
    'noise 2',
    'noise 3',
    'noise 5',
    'noise 8',
    'exposure',
    'exposure step',
    'exposure ramp',
    'flicker',
    'bands',
)


@pytest.mark.parametrize('case', CASES, ids=lambda case: case.name)
def test_no_visible_change_is_missed(case: Case) -> None:
    result = score(case.steps(), settings())
    assert result.missed == 0
    if case.name in CHEAP:
        assert result.wasted_rate <= 0.02


@pytest.mark.parametrize(
    ('statistic', 'case'),
    [
        ('mean', 'lamps'),
        ('changed_pixel_fraction', 'lamps'),
    ],
)
def test_averages_over_a_block_overlook_small_things(statistic: str, case: str) -> None:
    assert score(BY_NAME[case].steps(), settings(statistic=statistic)).missed_rate > 0.2


@pytest.mark.parametrize('statistic', ['max_abs', 'top_k_mean'])
def test_single_pixels_buy_noise(statistic: str) -> None:
    assert score(BY_NAME['noise 3'].steps(), settings(statistic=statistic)).wasted_rate > 0.5


def test_a_shaking_camera_does_not_buy_every_edge() -> None:
    assert score(BY_NAME['jitter'].steps(), settings()).wasted_rate < 0.15


def test_a_cut_is_taken_whole() -> None:
    assert score(BY_NAME['cut'].steps(), settings()).whole == 3


def test_the_truth_of_the_suite_is_what_was_drawn() -> None:
    before = np.full((GRID.height, GRID.width, 3), 100, np.float32)
    after = before.copy()
    after[30:34, 60:64, 1] += VISIBLE
    after[200:203, 60:64, 1] += 200
    changed, same = truth(after, before)
    assert np.argwhere(changed).tolist() == [[1, 2]]
    assert np.argwhere(~same).tolist() == [[1, 2], [7, 2]]


@pytest.fixture
def exposure_step() -> list[Frame]:
    """The frames around the step of the outdoor clip, on the default grid."""
    path = FOOTAGE / 'exposure_step_static_outdoor.mp4'
    if not path.exists():
        pytest.skip(f'no footage at {path}')
    video, frames = cv2.VideoCapture(str(path)), []
    for index in range(178):
        _, image = video.read()
        if index >= 170:
            rgb = np.ascontiguousarray(image[..., ::-1])
            grid = fit_grid(*rgb.shape[:2], block=28, max_blocks=192)
            frames.append(Frame.from_image(rgb, grid, stamp=round(index / 30 * 1e9)))
    return frames


def test_the_exposure_step_of_the_footage_does_not_buy_the_frame(
    exposure_step: list[Frame],
) -> None:
    planner = Planner(settings())
    planner.admit(planner.plan(planner.look(exposure_step[0])))
    plans: list[Plan] = []
    for frame in exposure_step:
        plans.append(planner.plan(planner.look(frame)))
        planner.admit(plans[-1])
    step = max(plans, key=lambda plan: float(plan.fresh.mean()))
    darker = exposure_step[5].pixels.mean() - exposure_step[4].pixels.mean()
    assert darker < -15
    assert not step.whole
    # The sun's glare comes and goes with the step: that part of the picture does change.
    assert step.fresh.mean() < 0.6
