# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How far the camera moved."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vlmaxxing_ros.engine.seeing.motion import MotionEstimator, Shake


def room() -> np.ndarray:
    """A textured image with a margin of 40: float32 [320, 480, 3]."""
    rng = np.random.default_rng(0)
    image = np.zeros((320, 480, 3))
    for scale, strength in ((40, 60), (10, 20), (4, 10)):
        coarse = rng.normal(0, strength, (320 // scale, 480 // scale, 3))
        image += cv2.resize(coarse, (480, 320), interpolation=cv2.INTER_CUBIC)
    return (image + 128).astype(np.float32)


def shot(image: np.ndarray, right: float = 0, down: float = 0, sigma: float = 0) -> np.ndarray:
    """uint8 [240, 400, 3], the content moved by (right, down)."""
    matrix = np.array([[1, 0, right - 40], [0, 1, down - 40]], np.float32)
    moved = cv2.warpAffine(image, matrix, (400, 240))
    noise = np.random.default_rng(1).normal(0, sigma, moved.shape)
    return np.clip(np.round(moved + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ('right', 'down'), [(0, 0), (0.5, -0.5), (1, 1), (4, 0), (-7, 3), (0, 16), (-30, -20)]
)
@pytest.mark.parametrize('sigma', [0, 8])
def test_a_pan_is_measured(right: float, down: float, sigma: float) -> None:
    estimator = MotionEstimator()
    estimator.update(shot(room(), sigma=sigma))
    motion = estimator.update(shot(room(), right, down, sigma))
    assert motion == pytest.approx((right, down), abs=1.0)


def test_the_first_frame_and_another_size_have_not_moved() -> None:
    estimator = MotionEstimator()
    assert estimator.update(shot(room())) == (0, 0)
    assert estimator.update(shot(room())[:200]) == (0, 0)


def test_an_image_too_small_to_tell_has_not_moved() -> None:
    estimator = MotionEstimator()
    for level in (0, 255):
        assert estimator.update(np.full((12, 12, 3), level, np.uint8)) == (0, 0)


def test_a_cut_is_no_motion() -> None:
    estimator = MotionEstimator()
    estimator.update(shot(room()))
    right, down = estimator.update(shot(room()[::-1, ::-1]))
    assert np.hypot(right, down) < 6


def test_flicker_is_no_motion() -> None:
    estimator = MotionEstimator()
    estimator.update(shot(room()))
    assert estimator.update(shot(room() * 0.7)) == pytest.approx((0, 0), abs=0.5)


def test_something_that_moves_by_itself_is_no_camera() -> None:
    estimator = MotionEstimator()
    thing = shot(room()[::-1])[:120, :120]
    for x in (40, 56):
        image = shot(room())
        image[60:180, x : x + 120] = thing
        motion = estimator.update(image)
    assert np.hypot(*motion) < 4


def test_to_and_fro_is_shake_and_a_pan_is_not() -> None:
    shaking, panning, standing = Shake(), Shake(), Shake()
    for index in range(12):
        sign = 1 if index % 2 else -1
        shakes = shaking.update((sign * 1.0, sign * 0.5))
        assert not panning.update((1.0, 0.5))
        assert not standing.update((sign * 0.05, 0))
    assert shakes
