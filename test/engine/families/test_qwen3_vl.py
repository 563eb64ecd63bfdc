# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Qwen3-VL, dense and mixture of experts: its tower, deepstack, refresh and delta frames."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from engine.families.exactness import (
    features,
    next_logits,
    noise,
    one_chunk,
    snapshot,
    stream,
)
from PIL import Image

from vlmaxxing_ros.demo.random_models import random_family
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.frame import Frame
from vlmaxxing_ros.engine.ledger import Kind
from vlmaxxing_ros.engine.vision import IncrementalEncoder


@pytest.fixture(scope='module', params=['qwen3_vl', 'qwen3_vl_moe'])
def family(request: pytest.FixtureRequest) -> Family:
    return random_family(request.param)


def stock_features(family: Family, frame: Frame) -> list[mx.array]:
    """What mlx-vlm's own processor and tower make of a frame, deepstack last."""
    inputs = family.processor.image_processor([Image.fromarray(frame.pixels)])
    merged, deep = family.model.vision_tower(
        mx.array(inputs['pixel_values']), mx.array(inputs['image_grid_thw'])
    )
    return [merged, *deep]


def test_the_whole_frame_is_encoded_as_by_the_stock_tower_bit_for_bit(family: Family) -> None:
    for rows, cols in [(1, 1), (2, 3), (5, 4)]:
        frame = noise(family, 1, rows=rows, cols=cols)[0]
        ours = features(family, frame).arrays()
        assert len(ours) == 3  # the merged features and two deepstack layers
        assert all(
            mx.array_equal(a, b) for a, b in zip(ours, stock_features(family, frame), strict=True)
        )


def test_encoding_block_after_block_of_a_new_frame_computes_those_blocks_only(
    family: Family,
) -> None:
    first, second = noise(family, 2)
    encoder = IncrementalEncoder(family)
    before = encoder.encode(first).features
    fresh = np.zeros((3, 4), bool)
    fresh[1, 2] = fresh[2, 0] = True
    encoding = encoder.encode(second, fresh)
    assert (encoding.windows_computed, encoding.windows_total) == (2, 12)
    for old, new in zip(before.arrays(), encoding.features.arrays(), strict=True):
        changed = np.flatnonzero((np.array(old) != np.array(new)).any(axis=1))
        assert changed.tolist() == [6, 8]


def test_an_unchanged_block_encoded_again_has_the_features_that_it_had(family: Family) -> None:
    frame = noise(family, 1)[0]
    encoder = IncrementalEncoder(family)
    before = encoder.encode(frame).features
    fresh = np.zeros((3, 4), bool)
    fresh[0, 3] = True
    after = encoder.encode(frame, fresh).features
    for old, new in zip(before.arrays(), after.arrays(), strict=True):
        assert np.abs(np.array(old) - np.array(new)).max() < 1e-5


def test_deepstack_features_reach_the_answer(family: Family) -> None:
    frame = noise(family, 1)[0]
    cache = stream(family, [frame])
    shallow = stream(family, [])
    shown = features(family, frame)
    shallow.append(Kind.TAIL, frame, type(shown)(shown.embeds))
    with_deep, without = (next_logits(family, c.fork()) for c in (cache, shallow))
    assert not np.allclose(with_deep, without, atol=1e-3)


def test_refreshing_every_block_equals_the_exact_tail_bit_for_bit(family: Family) -> None:
    frames = noise(family, 3)
    cache = stream(family, frames[:2])
    assert cache.refresh_tail(frames[2], features(family, frames[2]), np.arange(12)) == 14
    cold = stream(family, [frames[0], frames[2]])
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))


def test_refreshing_some_blocks_changes_their_rows_and_the_closing_row_only(family: Family) -> None:
    frames = noise(family, 3)
    cache = stream(family, frames[:2])
    start, before = cache.history_rows, snapshot(cache)
    assert cache.refresh_tail(frames[2], features(family, frames[2]), np.array([2, 7])) == 3
    changed = set()
    for old, new in zip(before, snapshot(cache), strict=True):
        if old.ndim == 4:
            changed |= set(np.flatnonzero((old != new).any(axis=(0, 1, 3))) - start)
    assert changed == {3, 8, 13}  # after the opening row


def test_a_delta_frame_with_every_block_is_a_keyframe(family: Family) -> None:
    frames = noise(family, 2)
    caches = [stream(family, frames[:1], tail=False) for _ in range(2)]
    whole = features(family, frames[1])
    caches[0].append(Kind.KEYFRAME, frames[1], whole)
    caches[1].append(Kind.DELTA, frames[1], whole, np.arange(12))
    first, second = (next_logits(family, c.fork()) for c in caches)
    assert np.array_equal(first, second)


def test_a_delta_frame_brings_the_deepstack_features_of_its_blocks(family: Family) -> None:
    frames = noise(family, 2)
    shown = np.array([1, 6])
    part = features(family, frames[1]).take(shown)
    cache = stream(family, frames[:1], tail=False)
    cache.append(Kind.DELTA, frames[1], part, shown)
    cold = one_chunk(family, cache)
    assert np.abs(next_logits(family, cache.fork()) - next_logits(family, cold)).max() < 1e-4


def test_a_compressed_history_keeps_to_its_cap_and_still_answers(family: Family) -> None:
    cache = stream(family, noise(family, 8))
    cache.compress(60)
    assert cache.ledger.rows <= 60
    assert np.isfinite(next_logits(family, cache.fork())).all()
