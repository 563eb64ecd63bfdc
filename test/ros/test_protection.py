# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What is protected of an image: the settings' regions, and the rectangle that was told last."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.engine.seeing.region import Region
from vlmaxxing_ros.ros.protection import Protection, Rectangle
from vlmaxxing_ros.ros.settings import CameraConfig

ALWAYS = Region(0.0, 0.0, 0.5, 0.25)
HEIGHT, WIDTH = 480, 640
NOTHING = Rectangle(0, 0, 0, 0)


@pytest.fixture
def said() -> list[str]:
    """What was warned of."""
    return []


@pytest.fixture
def protection(said: list[str]) -> Protection:
    return Protection('front', [ALWAYS], said.append)


def test_what_is_told_is_protected_besides_what_always_is(
    protection: Protection, said: list[str]
) -> None:
    assert protection.regions(HEIGHT, WIDTH) == (ALWAYS,)
    protection.take(Rectangle(320, 120, 320, 240))
    assert protection.regions(HEIGHT, WIDTH) == (ALWAYS, Region(0.5, 0.25, 0.5, 0.5))
    protection.take(Rectangle(0, 0, 640, 480))
    assert protection.regions(HEIGHT, WIDTH) == (ALWAYS, Region())
    protection.take(NOTHING)
    assert protection.regions(HEIGHT, WIDTH) == (ALWAYS,)
    assert said == []


@pytest.mark.parametrize(
    ('wrong', 'why'),
    [
        (Rectangle(600, 0, 41, 10), r'41x10 pixels at (600, 0) is not within the image of 640x480'),
        (Rectangle(0, 479, 10, 2), '10x2 pixels at (0, 479) is not within'),
        (Rectangle(2**32 - 1, 0, 2**32 - 1, 1), 'is not within'),
        (Rectangle(5, 5, 10, 0), '10x0 pixels has no area'),
        (Rectangle(5, 5, 0, 10), '0x10 pixels has no area'),
    ],
)
def test_a_rectangle_that_cannot_be_used_leaves_the_one_before_it_and_is_told_once(
    protection: Protection, said: list[str], wrong: Rectangle, why: str
) -> None:
    protection.take(Rectangle(0, 0, 320, 480))
    before = protection.regions(HEIGHT, WIDTH)
    protection.take(wrong)
    for _ in range(3):
        assert protection.regions(HEIGHT, WIDTH) == before
    (text,) = said
    assert text.startswith('front/regions is ignored: ')
    assert why in text


def test_in_an_image_of_another_size_the_one_before_need_not_be_there(
    protection: Protection, said: list[str]
) -> None:
    protection.take(Rectangle(320, 120, 320, 240))
    protection.regions(HEIGHT, WIDTH)
    assert protection.regions(HEIGHT // 2, WIDTH // 2) == (ALWAYS,)
    assert len(said) == 1
    assert protection.regions(HEIGHT, WIDTH)[1:] == (Region(0.5, 0.25, 0.5, 0.5),)


def test_the_settings_regions_are_four_numbers_each() -> None:
    assert CameraConfig().regions() == ()
    config = CameraConfig(protect=(0.0, 0.0, 0.5, 0.25, 0.5, 0.5, 0.5, 0.5))
    assert config.regions() == (ALWAYS, Region(0.5, 0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ('numbers', 'said'),
    [
        ((0.5,), 'protect has 1 numbers: write x, y, width and height'),
        ((0.0, 0.0, 0.5, 0.5, 0.5), 'protect has 5 numbers'),
        ((0.0, 0.0, 0.0, 0.5), r'protect: a region is .* not \[0.0, 0.0, 0.0, 0.5\]'),
        ((0.0, 0.0, 0.5, 0.5, 0.6, 0.0, 0.5, 0.5), r'protect: a region is .* not \[0.6'),
        ((0.0, 0.0, float('nan'), 0.5), 'protect: a region is'),
        ((10.0, 20.0, 100.0, 200.0), 'in fractions of the image'),
    ],
)
def test_numbers_that_are_no_regions_are_refused_by_name(
    numbers: tuple[float, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        CameraConfig(protect=numbers)
