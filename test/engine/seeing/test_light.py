# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Light is told from change."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vlmaxxing_ros.engine.seeing.fit_light import fit_light
from vlmaxxing_ros.engine.seeing.light import UNCHANGED, Light


def scene(seed: int = 0) -> np.ndarray:
    """float64 [180, 240, 3] with levels from 40 to 200."""
    coarse = np.random.default_rng(seed).uniform(40, 200, (9, 12, 3))
    return cv2.resize(coarse, (240, 180), interpolation=cv2.INTER_LINEAR)


def seen(image: np.ndarray, sigma: float = 0.0) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, sigma, image.shape)
    return np.clip(np.round(image + noise), 0, 255).astype(np.uint8)


REFERENCE = seen(scene()).astype(np.int16)


@pytest.mark.parametrize('sigma', [0.0, 3.0])
def test_gain_and_offset_are_found_per_channel(sigma: float) -> None:
    gain, offset = np.array([0.7, 0.8, 0.9]), np.array([5.0, -4.0, 10.0])
    light = fit_light(seen(scene() * gain + offset, sigma), REFERENCE)
    middle = gain * 120 + offset
    assert light.gain == pytest.approx(gain, abs=0.02)
    assert light.gain * 120 + light.offset == pytest.approx(middle, abs=0.5)


def test_what_really_changed_has_no_say() -> None:
    image = scene() * 0.7
    image[40:140, 60:160] = 220
    assert fit_light(seen(image), REFERENCE).gain == pytest.approx([0.7] * 3, abs=0.02)


@pytest.mark.parametrize('sigma', [0.0, 3.0, 8.0])
def test_the_same_light_is_left_alone_to_the_bit(sigma: float) -> None:
    assert fit_light(seen(scene(), sigma), REFERENCE) is UNCHANGED


def test_another_scene_is_no_light() -> None:
    assert fit_light(seen(scene(5)), REFERENCE) is UNCHANGED


def test_a_light_that_holds_is_kept_to_the_bit() -> None:
    first = fit_light(seen(scene() * 0.7), REFERENCE)
    assert fit_light(seen(scene() * 0.7, sigma=2.0), REFERENCE, first) is first


@pytest.mark.parametrize('level', [0, 255])
def test_an_image_that_is_black_or_white_tells_nothing(level: int) -> None:
    flat = np.full((180, 240, 3), level, np.uint8)
    assert fit_light(flat, REFERENCE) is UNCHANGED
    assert fit_light(seen(scene()), flat.astype(np.int16)) is UNCHANGED


def test_undoing_the_light_shows_the_reference() -> None:
    light = Light(np.array([0.7, 0.8, 1.2], np.float32), np.array([5, 0, -9], np.float32))
    image = seen(scene() * light.gain + light.offset)
    assert np.abs(light.undo(image) - REFERENCE).max() <= 2


def test_undoing_does_not_clip() -> None:
    light = Light(np.full(3, 0.5, np.float32), np.zeros(3, np.float32))
    assert (light.undo(np.full((4, 4, 3), 200, np.uint8)) == 400).all()
    assert light.brightest.tolist() == [510, 510, 510]


@pytest.mark.parametrize('cycles', [0.8, 1.2, 1.7, 3.0, 4.0, 5.0])
def test_bands_are_undone_row_by_row(cycles: float) -> None:
    rows = np.arange(180)[:, None, None] / 180
    band = 1 + 0.15 * np.sin(2 * np.pi * (cycles * rows + 0.2))
    image = seen(scene() * band, sigma=1.0)
    light = fit_light(image, REFERENCE)
    assert light.band is not None
    assert light.band == pytest.approx(band[:, 0, 0], abs=0.02)
    assert np.abs(light.undo(image) - REFERENCE).mean() < 2
    part = slice(60, 90)
    assert np.abs(light.undo(image[part], part) - light.undo(image)[part]).max() <= 1


def test_bands_are_seen_below_a_sky_that_is_blown_out() -> None:
    room = scene()
    room[:50] = 400
    band = 1 + 0.15 * np.sin(2 * np.pi * (3 * np.arange(180)[:, None, None] / 180 + 0.2))
    light = fit_light(seen(room * band), seen(room).astype(np.int16))
    assert light.band is not None
    assert light.band[50:] == pytest.approx(band[50:, 0, 0], abs=0.02)
    # 255 says less where a row is dark: nothing gets brighter than what the brightest row tells.
    assert light.undo(seen(room * band))[:50].max() == light.brightest.max()


def test_a_beam_across_the_image_is_no_band() -> None:
    image = scene()
    image[80:95] += 30
    light = fit_light(seen(image), REFERENCE)
    assert light.band is None
    assert np.abs(light.undo(seen(image)) - REFERENCE)[85].mean() > 25
