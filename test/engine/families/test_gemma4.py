# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Gemma 4 streams exactly, however small its windows are and however often they have wrapped.

A frame of these tests has 12 blocks and 14 rows.
"""

from __future__ import annotations

from typing import Any

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
from mlx_vlm.models.cache import RotatingKVCache
from PIL import Image

from vlmaxxing_ros.engine.families import Family, make_family
from vlmaxxing_ros.engine.families.gemma4 import Gemma4
from vlmaxxing_ros.engine.families.self_test import self_test
from vlmaxxing_ros.random_models.families import random_family

WINDOWS = [5, 12, 14, 30, 4096]
# The 26B-A4B's shape: experts, keys that are values, no sharing, no per-layer inputs.
LARGE = {
    'enable_moe_block': True,
    'num_experts': 4,
    'top_k_experts': 2,
    'moe_intermediate_size': 32,
    'attention_k_eq_v': True,
    'num_global_key_value_heads': 1,
    'num_kv_shared_layers': 0,
    'hidden_size_per_layer_input': 0,
}


SMALL: dict[str, Any] = {}
CAUSAL = {'use_bidirectional_attention': None}


def gemma(window: int, **overrides: Any) -> Family:
    return random_family('gemma4', sliding_window=window, **overrides)


@pytest.mark.parametrize('window', WINDOWS)
@pytest.mark.parametrize('shape', [SMALL, LARGE, CAUSAL])
def test_eight_frames_one_by_one_equal_a_cold_prefill(window: int, shape: dict[str, Any]) -> None:
    family = gemma(window, **shape)
    frames = noise(family, 8)  # 112 rows: a window of 5 has wrapped more than twenty times
    cache, cold = live(family, frames), stream(family, frames)
    expected = next_logits(family, cold.fork())
    assert np.array_equal(next_logits(family, cache.fork()), expected)
    assert same(snapshot(cache), snapshot(cold))
    big = next_logits(family, one_chunk(family, cache))
    assert np.abs(big - expected).max() < 1e-4


@pytest.mark.parametrize('window', [5, 14, 4096])
@pytest.mark.parametrize('shape', [SMALL, LARGE, CAUSAL])
def test_streaming_decodes_the_tokens_that_stock_generation_decodes(
    window: int, shape: dict[str, Any]
) -> None:
    family = gemma(window, **shape)
    frames = noise(family, 4, seed=window)
    expected = stock(family, frames, 10)
    assert greedy(family, stream(family, frames).fork(), 10)[: len(expected)] == expected


@pytest.mark.parametrize('window', WINDOWS)
def test_forks_leave_windows_that_wrap_bitwise_untouched(window: int) -> None:
    family = gemma(window)
    cache = stream(family, noise(family, 4))
    before = snapshot(cache)
    for number in range(2):  # long enough to wrap the fork's own windows
        greedy(family, cache.fork().fork(), 20, f'question {number}?')
    assert same(before, snapshot(cache))


def test_sliding_layers_hold_their_window_and_shared_layers_nothing() -> None:
    family = gemma(12)
    cache = stream(family, noise(family, 6), tail=False)
    layers = cache.fork().layers
    assert len(layers) == 4  # of six layers, the last two share
    sliding = [layer for layer in layers if isinstance(layer, RotatingKVCache)]
    assert len(sliding) == 2
    rows = family.frame_rows(noise(family, 1)[0].grid, 0)
    assert all(layer.keys.shape[2] == 12 - 1 + len(rows) for layer in sliding)


def test_blocks_of_one_image_see_each_other_and_no_other_image() -> None:
    family = gemma(5)
    first, second = noise(family, 2)
    changed = noise(family, 2, seed=1)[1]
    blocks = first.grid.blocks
    later = changed.with_blocks(first.pixels, np.arange(blocks).reshape(3, 4) == blocks - 1)

    def states(frames: list[Any]) -> np.ndarray:
        cache = stream(family, frames[:-1], tail=False)
        rows = family.frame_rows(frames[-1].grid, cache.ledger.end)
        return np.array(family.hidden(rows, features(family, frames[-1]), cache.fork().layers))[0]

    before, after = states([second, first]), states([second, later])
    assert not np.array_equal(before[1], after[1])  # the first block sees the last
    assert np.array_equal(before[0], after[0])  # the opening row does not


def test_without_bidirectional_attention_earlier_blocks_ignore_later_ones() -> None:
    family = gemma(5, use_bidirectional_attention=None)
    rows = family.frame_rows(noise(family, 1)[0].grid, 0)
    shown = features(family, noise(family, 1)[0])
    other = type(shown)(mx.concatenate([shown.embeds[:-1], shown.embeds[:1]]))
    before, after = (
        np.array(family.hidden(rows, f, family.make_cache()))[0] for f in (shown, other)
    )
    assert np.array_equal(before[:12], after[:12])
    assert not np.array_equal(before[12], after[12])


def test_the_stock_mask_would_forget_an_appended_images_own_later_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    family = gemma(4096)
    frames = noise(family, 2)
    exact = next_logits(family, stream(family, frames).fork())
    monkeypatch.setattr(family, '_sees_whole_images', False)
    assert np.abs(next_logits(family, stream(family, frames).fork()) - exact).max() > 1e-2
    assert not self_test(family).ok


def test_the_frame_is_encoded_as_by_the_stock_processor_and_tower() -> None:
    family = gemma(4096)
    frame = noise(family, 1, rows=4, cols=5)[0]
    data, counts = family.processor.image_processor([Image.fromarray(frame.pixels)])
    assert counts == [20]
    expected = family.model.encode_image(mx.array(data['pixel_values']))[0]
    assert mx.array_equal(features(family, frame).embeds, expected)


@pytest.mark.parametrize(('height', 'width'), [(480, 640), (112, 112), (1080, 1920), (9, 900)])
@pytest.mark.parametrize(('limit', 'budget'), [(192, 140), (70, 70), (10_000, 280), (12, 12)])
def test_an_image_fills_the_largest_budget_that_fits(
    height: int, width: int, limit: int, budget: int
) -> None:
    family = gemma(4096)
    family.processor.image_processor.max_soft_tokens = 280
    grid = family.grid(height, width, limit)
    assert grid.blocks <= budget
    data, counts = family.processor.image_processor(
        [Image.new('RGB', (width, height))], max_soft_tokens=budget
    )
    assert (grid.blocks, grid.height, grid.width) == (
        counts[0],
        *data['pixel_values'].shape[-2:],
    )


def test_a_frame_is_an_opening_row_its_blocks_and_a_closing_row() -> None:
    family = gemma(4096)
    rows = family.frame_rows(noise(family, 1, rows=2, cols=2)[0].grid, 5)
    tokens = family.processor.tokenizer.convert_ids_to_tokens(rows.ids.tolist())
    assert tokens == ['<|image>', *['<|image|>'] * 4, '<image|>']
    assert rows.blocks.tolist() == [-1, 0, 1, 2, 3, -1]
    assert isinstance(family, Gemma4)


def test_text_that_the_template_writes_around_an_image_belongs_to_the_frame() -> None:
    family = gemma(14)
    processor = family.processor
    template = processor.chat_template.replace('<|image|>', '\n\n<|image|>\n\n')
    processor.chat_template = processor.tokenizer.chat_template = template
    spaced = make_family('spaced', family.model, processor, {'model_type': 'gemma4'})
    frames = noise(spaced, 3)
    # What follows an image belongs to the next one; Jinja drops the first line end behind a tag.
    begin = len(spaced.text.prefix_ids)
    for base, opening in [(begin, '\n\n'), (begin + 20, '\n\n\n')]:
        rows = spaced.frame_rows(frames[0].grid, base)
        text = processor.tokenizer.decode(rows.ids.tolist())
        assert text == opening + '<|image>' + 12 * '<|image|>' + '<image|>'
        assert rows.blocks[rows.blocks >= 0].tolist() == list(range(12))
    assert self_test(spaced).ok
    expected = stock(spaced, frames, 8)
    assert greedy(spaced, stream(spaced, frames).fork(), 8)[: len(expected)] == expected
