# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Gemma 4 without a vision tower: every block is projected by itself, and knows its place.

What it has in common with the other families is in test_exactness.
"""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from engine.families.exactness import (
    features,
    greedy,
    live,
    next_logits,
    noise,
    one_chunk,
    same,
    snapshot,
    stock,
    stream,
)
from PIL import Image

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.gemma4_unified import Gemma4Unified
from vlmaxxing_ros.random_models.families import random_family


@pytest.fixture(scope='module')
def family() -> Family:
    return random_family('gemma4_unified')


@pytest.mark.parametrize('window', [5, 14, 30])
def test_frames_one_by_one_equal_a_cold_prefill_over_windows_that_wrap(window: int) -> None:
    family = random_family('gemma4_unified', sliding_window=window)
    frames = noise(family, 6)
    cache, cold = live(family, frames), stream(family, frames)
    expected = next_logits(family, cold.fork())
    assert np.array_equal(next_logits(family, cache.fork()), expected)
    assert same(snapshot(cache), snapshot(cold))
    assert np.abs(next_logits(family, one_chunk(family, cache)) - expected).max() < 1e-4
    tokens = stock(family, frames, 10)
    assert greedy(family, stream(family, frames).fork(), 10)[: len(tokens)] == tokens


def test_the_frame_is_embedded_as_by_the_stock_processor_and_model(family: Family) -> None:
    frame = noise(family, 1, rows=4, cols=5)[0]
    data, counts = family.processor.image_processor([Image.fromarray(frame.pixels)])
    assert counts == [20]
    expected = family.model.get_image_features(
        mx.array(data['pixel_values']), mx.array(data['image_position_ids'])
    )
    assert mx.array_equal(features(family, frame).embeds, expected)


def test_a_block_is_known_by_its_own_pixels_and_its_place(family: Family) -> None:
    first, second = noise(family, 2)
    changed = np.zeros((3, 4), bool)
    changed[1, 2] = True
    before, after = (
        np.array(features(family, f).embeds)
        for f in (first, second.with_blocks(first.pixels, changed))
    )
    assert np.flatnonzero((before != after).any(axis=1)).tolist() == [6]
    plain = first.with_blocks(np.zeros_like(first.pixels), np.zeros((3, 4), bool))
    assert len(np.unique(np.array(features(family, plain).embeds), axis=0)) == 12


def test_it_is_a_family_of_its_own_and_no_tower_is_needed(family: Family) -> None:
    assert isinstance(family, Gemma4Unified)
    assert not hasattr(family.model, 'vision_tower')
