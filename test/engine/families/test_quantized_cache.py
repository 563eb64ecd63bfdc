# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Quantised weights and quantised keys and values stream as exactly as full ones."""

from __future__ import annotations

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
from mlx_vlm.models.cache import QuantizedKVCache

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.errors import ModelError, Unsupported
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.random_models.families import random_family

# Heads of 32 values, and a third layer, which mlx-vlm's rule leaves as it is.
WIDE = {'num_attention_heads': 2, 'num_key_value_heads': 1, 'num_hidden_layers': 3}


def with_cache_bits(model_type: str, bits: int) -> Family:
    family = random_family(model_type, **WIDE)
    family.quantize_cache(bits)
    return family


@pytest.fixture(scope='module', params=['qwen2_5_vl', 'qwen3_vl', 'qwen3_vl_moe'])
def family(request: pytest.FixtureRequest) -> Family:
    return with_cache_bits(request.param, 8)


@pytest.mark.parametrize('bits', [4, 8])
@pytest.mark.parametrize('model_type', ['qwen2_5_vl', 'qwen3_vl_moe', 'qwen3_5', 'gemma4'])
def test_quantised_weights_stream_exactly(model_type: str, bits: int) -> None:
    family = random_family(model_type, bits=bits)
    frames = noise(family, 4)
    cache, cold = live(family, frames), stream(family, frames)
    assert same(snapshot(cache), snapshot(cold))
    expected = stock(family, frames, 8)
    assert greedy(family, cache.fork(), 8)[: len(expected)] == expected


def test_a_quantised_cache_is_mlx_vlms_own_but_for_the_last_layer(family: Family) -> None:
    layers = stream(family, noise(family, 2)).fork().layers
    assert [isinstance(layer, QuantizedKVCache) for layer in layers] == [True, True, False]


def test_streaming_into_a_quantised_cache_equals_a_cold_prefill_bit_for_bit(family: Family) -> None:
    frames = noise(family, 5)
    cache, cold = live(family, frames), stream(family, frames)
    assert same(snapshot(cache), snapshot(cold))
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))
    big = next_logits(family, one_chunk(family, cache))
    assert np.abs(next_logits(family, cache.fork()) - big).max() < 1e-2


def test_questions_leave_a_quantised_cache_untouched(family: Family) -> None:
    cache = stream(family, noise(family, 3))
    before = snapshot(cache)
    greedy(family, cache.fork().fork(), 12)
    assert same(before, snapshot(cache))


def test_refreshing_every_block_equals_the_exact_tail_bit_for_bit(family: Family) -> None:
    frames = noise(family, 3)
    cache = stream(family, frames[:2])
    cache.refresh_tail(frames[2], features(family, frames[2]), np.arange(12))
    cold = stream(family, [frames[0], frames[2]])
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))


def test_as_of_works_on_a_quantised_cache(family: Family) -> None:
    frames = noise(family, 4)
    past, cold = stream(family, frames).fork(as_of=frames[1].stamp), stream(family, frames[:2])
    assert np.array_equal(next_logits(family, past), next_logits(family, cold.fork()))


def test_recurrent_layers_keep_their_state_as_it_is_beside_a_quantised_cache() -> None:
    family = random_family('qwen3_5', **WIDE | {'num_hidden_layers': 6})
    family.quantize_cache(8)
    frames = noise(family, 4)
    cache, cold = live(family, frames), stream(family, frames)
    kinds = [type(layer).__name__ for layer in cache.fork().layers]
    assert kinds == ['ArraysCache', 'QuantizedKVCache'] * 2 + ['ArraysCache', 'KVCache']
    assert same(snapshot(cache), snapshot(cold))


def test_eight_bits_drift_less_than_four() -> None:
    full = random_family('qwen2_5_vl', **WIDE)
    frames = noise(full, 4)
    exact = next_logits(full, stream(full, frames).fork())
    drift = []
    for bits in (8, 4):
        full.quantize_cache(bits)
        drift.append(np.abs(next_logits(full, stream(full, frames).fork()) - exact).max())
    assert 0 < drift[0] < 0.02 * np.abs(exact).max()
    assert drift[0] < drift[1] < 0.3 * np.abs(exact).max()


def test_a_quantised_cache_takes_less_memory() -> None:
    family = random_family('qwen2_5_vl', **WIDE)
    full = stream(family, noise(family, 3)).nbytes
    family.quantize_cache(4)
    assert stream(family, noise(family, 3)).nbytes < 0.6 * full


def test_a_quantised_cache_cannot_be_compressed() -> None:
    family = with_cache_bits('qwen2_5_vl', 8)
    cache = stream(family, noise(family, 4))
    with pytest.raises(Unsupported, match='compression'):
        cache.compress(20)
    family.quantize_cache(0)
    assert family.capabilities.compression


@pytest.mark.parametrize('model_type', ['gemma4', 'lfm2_vl'])
def test_caches_that_rotate_or_are_unknown_are_not_quantised(model_type: str) -> None:
    with pytest.raises(ModelError, match='kv_bits to 0'):
        random_family(model_type).quantize_cache(8)


def test_heads_too_narrow_to_share_a_scale_are_refused_by_name() -> None:
    family = random_family('qwen2_5_vl')
    family.quantize_cache(8)
    with pytest.raises(ModelError, match='heads of 16 values'):
        family.make_cache()


def test_a_number_of_bits_that_nothing_has_is_refused() -> None:
    with pytest.raises(ModelError, match='0, 4 or 8'):
        load_family('nano', kv_bits=3)


def test_the_nano_model_answers_from_a_quantised_cache() -> None:
    family = load_family('nano', kv_bits=8)
    frames = noise(family, 2)
    cache = stream(family, frames[:1])
    cache.append(Kind.TAIL, frames[1], features(family, frames[1]))
    assert greedy(family, cache.fork(), 3)
