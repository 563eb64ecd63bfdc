# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The renderer: deterministic, and its ground truth is what the pixels show."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from vlmaxxing_ros.demo.tabletop import Tabletop, changed_blocks
from vlmaxxing_ros.demo.tabletop_camera import QUIET
from vlmaxxing_ros.demo.tabletop_state import COLORS


def test_the_same_seed_gives_the_same_pixels_in_any_order() -> None:
    stamps = [0.0, 0.7, 3.1, 5.9]
    forwards = [Tabletop(seed=4, pause=0.8).render(t) for t in stamps]
    world = Tabletop(seed=4, pause=0.8)
    backwards = [world.render(t) for t in reversed(stamps)][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert not np.array_equal(forwards[0], Tabletop(seed=5, pause=0.8).render(0.0))


@pytest.mark.parametrize('size', [(112, 112), (112, 140), (168, 224), (480, 640)])
def test_a_block_has_its_color_where_the_truth_says(size: tuple[int, int]) -> None:
    palette = np.array(list(COLORS.values()), float)
    looked = 0
    for seed in range(12):
        world = Tabletop(seed=seed, size=size, duration=6, pause=0.7, camera=QUIET)
        for stamp in (0.0, 2.0, 4.0):
            image, state = world.render(stamp), world.state(stamp)
            assert image.shape == (*size, 3)
            assert image.dtype == np.uint8
            for color, (x, y) in state.blocks.items():
                pixel = image[round(y * size[0]), round(x * size[1])].astype(float)
                assert list(COLORS)[int(np.abs(palette - pixel).sum(1).argmin())] == color
                looked += 1
    assert looked > 50


def test_pixels_change_where_and_only_when_something_happens() -> None:
    seen = set()
    for seed in range(12):
        world = Tabletop(seed=seed, duration=8, pause=1.5, camera=QUIET)
        for event in world.events:
            before, after = world.clean(event.start - 1e-3), world.clean(event.end + 1e-3)
            changed = changed_blocks(before, after)
            assert changed.any()
            seen.add(event.kind)
            if event.kind == 'appear':
                x, y = world.state(event.end + 1e-3).blocks[event.color]
                assert changed[int(y * 4), int(x * 4)]
    assert seen == {'move', 'appear', 'disappear', 'open', 'close'}
    still = Tabletop(seed=1, duration=8, pause=math.inf, camera=QUIET)
    assert not still.events
    assert not changed_blocks(still.clean(0), still.clean(7.5), level=0).any()


def test_a_moving_block_goes_from_its_old_place_to_its_new_one() -> None:
    world = Tabletop(seed=2, duration=20, pause=1.0, camera=QUIET)
    move = next(event for event in world.events if event.kind == 'move')
    places = [
        np.array(world.state(t).placed[move.color])
        for t in np.linspace(move.start - 0.01, move.end + 0.01, 9)
    ]
    total = np.abs(places[-1] - places[0]).max()
    steps = [np.abs(b - a).max() for a, b in itertools.pairwise(places)]
    assert total >= 0.12
    assert max(steps) < 0.3 * total


def test_light_and_noise_change_pixels_but_not_the_truth() -> None:
    spoilt = [Tabletop(seed=s, duration=10, pause=math.inf) for s in range(6)]
    assert any(not np.array_equal(w.render(1.0), w.render(1.1)) for w in spoilt)
    assert all(w.state(1.0).placed == w.state(9.0).placed for w in spoilt)


def test_a_stream_is_evenly_stamped() -> None:
    shots = list(Tabletop(seed=0, duration=3).stream(fps=4))
    assert [s.stamp for s in shots] == [i / 4 for i in range(12)]


def test_impossible_worlds_are_refused() -> None:
    with pytest.raises(ValueError, match='56'):
        Tabletop(seed=0, size=(28, 112))
    with pytest.raises(ValueError, match='negative'):
        Tabletop(seed=0, duration=-1)


def test_any_size_can_be_rendered_with_noise() -> None:
    camera = replace(QUIET, noise=3.0)
    for size in ((112, 112), (1080, 1920)):
        world = Tabletop(seed=1, size=size, camera=camera)
        difference = world.render(1.0).astype(float) - world.clean(1.0)
        assert 2 < difference.std() < 4
