# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Gemma 4's tower computes the fresh blocks only, and all of them exactly as the stock tower."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from engine.families.exactness import noise
from mlx_vlm.utils import prepare_inputs
from PIL import Image

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.generic import embed
from vlmaxxing_ros.random_models.families import random_family


@pytest.fixture(scope='module')
def family() -> Family:
    return random_family('gemma4')


def stock(family: Family, frame: Any) -> np.ndarray:
    """The stock tower's features, of pixels that need no normalising but a scale."""
    data, _ = family.processor.image_processor([Image.fromarray(frame.pixels)])
    return np.array(family.model.encode_image(mx.array(data['pixel_values']))[0])


@pytest.mark.parametrize(('rows', 'cols'), [(4, 5), (2, 10), (20, 1)])
def test_every_block_active_is_the_stock_tower_bit_for_bit(
    family: Family, rows: int, cols: int
) -> None:
    frame = noise(family, 1, rows=rows, cols=cols)[0]
    features, state = family.encode(frame, None, np.arange(20))
    assert np.array_equal(np.array(features.embeds), stock(family, frame))
    again, _ = family.encode(frame, state, np.arange(20))
    assert mx.array_equal(again.embeds, features.embeds)


@pytest.mark.parametrize('model_type', ['gemma4', 'gemma4_unified'])
@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_pixels_enter_a_narrow_model_as_they_enter_the_stock_one(
    model_type: str, dtype: str
) -> None:
    narrow = random_family(model_type, dtype=dtype)
    frame = noise(narrow, 1, rows=4, cols=5)[0]
    features, _ = narrow.encode(frame, None, np.arange(20))
    images = [Image.fromarray(frame.pixels)]
    inputs = prepare_inputs(
        narrow.processor,
        images=images,
        prompts=narrow.text.prompts.shown[0],
        image_token_index=narrow.image_id,
    )
    whole = embed(narrow.model, inputs)['inputs_embeds'][0]
    shown = np.flatnonzero(np.array(inputs['input_ids'])[0] == narrow.image_id)
    ours = features.embeds.astype(whole.dtype)
    assert whole.dtype == getattr(mx, dtype)
    assert mx.array_equal(ours, whole[mx.array(shown)])


def test_no_block_active_is_no_work(family: Family) -> None:
    first, second = noise(family, 2)
    features, state = family.encode(first, None, np.arange(12))
    again, same = family.encode(second, state, np.arange(0))
    assert same is state
    assert again.embeds is features.embeds


def test_the_same_pixels_again_change_nothing_but_rounding(family: Family) -> None:
    frame = noise(family, 1)[0]
    features, state = family.encode(frame, None, np.arange(12))
    for active in ([0], [11], [2, 3, 7]):
        again, _ = family.encode(frame, state, np.array(active))
        assert mx.abs(again.embeds - features.embeds).max() < 1e-4


def test_only_active_blocks_change_and_the_state_stays_what_it_was(family: Family) -> None:
    first, second = noise(family, 2)
    features, state = family.encode(first, None, np.arange(12))
    before = [np.array(array) for array in state.arrays()]
    changed, after = family.encode(second, state, np.array([3, 8]))
    differ = (np.array(changed.embeds) != np.array(features.embeds)).any(axis=1)
    assert np.flatnonzero(differ).tolist() == [3, 8]
    assert all(np.array_equal(a, b) for a, b in zip(before, state.arrays(), strict=True))
    patches = (np.array(after.keys[0]) != before[0]).any(axis=(0, 1, 3))
    assert np.flatnonzero(patches).tolist() == sorted(family._tower.places(first.grid)[[3, 8]].flat)


def test_the_share_of_patches_computed_is_the_share_of_fresh_blocks(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    first, second = noise(family, 2)
    _, state = family.encode(first, None, np.arange(12))
    mlp = type(family.model.vision_tower.encoder.layers[0].mlp)
    stock_mlp = mlp.__call__

    def counting(self: Any, x: mx.array) -> mx.array:
        counted.append(x.shape[1])
        return stock_mlp(self, x)

    monkeypatch.setattr(mlp, '__call__', counting)
    family.encode(second, state, np.array([1, 2, 3]))
    assert counted == [3 * 9] * len(family.model.vision_tower.encoder.layers)


def test_what_is_encoded_comes_nearer_to_the_whole_frame_with_every_block(family: Family) -> None:
    errors = []
    first, second = noise(family, 2)
    _, state = family.encode(first, None, np.arange(12))
    dense = np.array(family.encode(second, None, np.arange(12))[0].embeds)
    for count in (0, 4, 8, 12):
        features, _ = family.encode(second, state, np.arange(count))
        errors.append(float(np.linalg.norm(np.array(features.embeds) - dense)))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == 0.0


def test_without_a_tower_a_block_is_its_pixels_and_nothing_else() -> None:
    unified = random_family('gemma4_unified')
    first, second = noise(unified, 2)
    _, state = unified.encode(first, None, np.arange(12))
    fresh = np.array([3, 8])
    changed, _ = unified.encode(second, state, fresh)
    mixed = second.with_blocks(first.pixels, np.isin(np.arange(12), fresh).reshape(3, 4))
    whole, _ = unified.encode(mixed, None, np.arange(12))
    assert np.abs(np.array(changed.embeds) - np.array(whole.embeds)).max() < 1e-6
