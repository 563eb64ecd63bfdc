# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Fewer experts for visual rows: only those rows, only on request, and still a stream."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from engine.families.exactness import features, live, next_logits, noise, same, snapshot, stream

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.families.visual_experts import VisualExperts, install
from vlmaxxing_ros.random_models.families import random_family

MODELS = {
    'qwen3_vl_moe': {},
    'qwen3_5_moe': {},
    'gemma4': {
        'enable_moe_block': True,
        'num_experts': 4,
        'top_k_experts': 2,
        'moe_intermediate_size': 32,
        'hidden_size_per_layer_input': 0,
    },
}


@pytest.fixture(params=MODELS)
def family(request: pytest.FixtureRequest) -> Family:
    return random_family(request.param, **MODELS[request.param])


def test_it_is_off_by_default(family: Family) -> None:
    frames = noise(family, 2)
    before = next_logits(family, stream(family, frames).fork())
    family.spare_experts(0)
    assert np.array_equal(next_logits(family, stream(family, frames).fork()), before)


def test_frames_change_and_text_does_not(family: Family) -> None:
    frames = noise(family, 2)
    text = family.text_rows(family.text.question_ids('what is this?', ()), 0)
    before = np.array(family.hidden(text, None, family.make_cache()))
    seen = next_logits(family, stream(family, frames).fork())
    family.spare_experts(1)
    assert np.array_equal(np.array(family.hidden(text, None, family.make_cache())), before)
    assert not np.array_equal(next_logits(family, stream(family, frames).fork()), seen)


def test_streaming_still_equals_a_cold_prefill_bit_for_bit(family: Family) -> None:
    family.spare_experts(1)
    frames = noise(family, 4)
    cache, cold = live(family, frames), stream(family, frames)
    assert same(snapshot(cache), snapshot(cold))
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))


def test_visual_rows_get_as_many_experts_as_asked_for_and_text_its_own() -> None:
    layers = random_family('qwen3_vl_moe').model.language_model.model.layers
    stock = layers[0].mlp
    x = mx.random.normal((1, 5, 64))
    own = np.array(stock(x))
    stock.top_k = 1
    spare = np.array(stock(x))
    stock.top_k = 2
    rows = install(layers, 1)
    with rows.showing(np.array([-1, 0, 1, -1, 2])):
        mixed = np.array(layers[0].mlp(x))
    assert np.allclose(mixed[0, [0, 3]], own[0, [0, 3]], atol=1e-6)
    assert np.allclose(mixed[0, [1, 2, 4]], spare[0, [1, 2, 4]], atol=1e-6)
    assert not np.allclose(own, spare, atol=1e-4)
    assert np.array_equal(np.array(layers[0].mlp(x)), own)  # outside, as ever


def test_refreshed_rows_get_as_many_experts_as_prefilled_ones() -> None:
    family = random_family('qwen3_vl_moe')
    family.spare_experts(1)
    frames = noise(family, 2)
    cache = stream(family, frames[:1])
    cache.refresh_tail(frames[1], features(family, frames[1]), np.arange(12))
    cold = stream(family, frames[1:])
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))


def test_an_error_on_the_way_leaves_text_alone() -> None:
    rows = VisualExperts(1)
    with pytest.raises(ZeroDivisionError), rows.showing(np.array([-1, 0])):
        raise ZeroDivisionError
    assert rows.visual is None


def test_a_router_that_fails_on_visual_rows_keeps_the_models_own_experts(family: Family) -> None:
    frames = noise(family, 2)
    before = next_logits(family, stream(family, frames).fork())
    layers = family.model.language_model.model.layers
    rows = install(layers, 1)
    rows.count = 99  # more than there are: what sorts the experts fails
    router = getattr(layers[0], 'router', layers[0].mlp)
    with pytest.raises(ValueError, match='kth'), rows.showing(np.array([-1, 0])):
        router(mx.random.normal((1, 2, 64)))
    assert np.array_equal(next_logits(family, stream(family, frames).fork()), before)


def test_a_model_without_experts_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match='visual_experts to 0'):
        load_family('nano', visual_experts=1)


@pytest.mark.parametrize('count', [2, 3])
def test_as_many_experts_as_the_model_has_per_row_are_no_saving(count: int) -> None:
    with pytest.raises(ModelError, match='less than the 2 experts'):
        random_family('qwen3_vl_moe').spare_experts(count)
