# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Gemma 4's tail is refreshed in place, and its past asked about, as far as its windows reach."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from engine.families.exactness import features, next_logits, noise, same, snapshot, stream
from engine.families.test_gemma4 import CAUSAL, LARGE, SMALL, gemma

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import Unsupported
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.window_writer import RowRope
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.random_models.families import random_family

SHAPES = [SMALL, LARGE, CAUSAL]
WINDOWS = [5, 14, 30, 4096]
ALL = np.arange(12)


def refresh(
    family: Family, cache: RollingCache, frame: Frame, blocks: Any, *, closing: bool = True
) -> int:
    return cache.refresh_tail(frame, features(family, frame), np.array(blocks), closing=closing)


def divergence(ours: np.ndarray, dense: np.ndarray) -> float:
    """KL divergence of the next token, in nat."""
    logs = [np.array(x) - float(mx.logsumexp(mx.array(x)).item()) for x in (dense, ours)]
    return float((np.exp(logs[0]) * (logs[0] - logs[1])).sum())


@pytest.mark.parametrize('window', WINDOWS)
@pytest.mark.parametrize('shape', SHAPES)
def test_everything_fresh_is_the_dense_prefill_bit_for_bit(
    window: int, shape: dict[str, Any]
) -> None:
    family = gemma(window, **shape)
    frames = noise(family, 5)
    cache, dense = stream(family, frames[:4]), stream(family, [*frames[:3], frames[4]])
    assert refresh(family, cache, frames[4], ALL) == 14
    assert same(snapshot(cache), snapshot(dense))
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, dense.fork()))


@pytest.mark.parametrize('shape', SHAPES)
def test_the_same_pixels_again_change_nothing_but_rounding(shape: dict[str, Any]) -> None:
    family = gemma(14, **shape)
    frames = noise(family, 3)
    cache = stream(family, frames)
    before = next_logits(family, cache.fork())
    for blocks in ([3], [0, 11], [4, 5, 6, 7]):
        assert refresh(family, cache, frames[2], blocks) == len(blocks) + 1
    assert np.abs(next_logits(family, cache.fork()) - before).max() < 1e-4


@pytest.mark.parametrize('window', WINDOWS)
def test_a_refreshed_row_is_what_its_own_attention_to_the_whole_frame_makes_it(window: int) -> None:
    """In the first layer keys and values depend on their own row: there they are dense ones."""
    family = gemma(window)
    frames = noise(family, 4)
    cache, dense = stream(family, frames[:3]), stream(family, [*frames[:2], frames[3]])
    refresh(family, cache, frames[3], [2, 7], closing=False)
    kept, ours, theirs = (
        np.array(c.fork().layers[0].keys)[0, :, -14:]
        for c in (stream(family, frames[:3]), cache, dense)
    )
    fresh = np.isin(np.arange(14), [1 + 2, 1 + 7])  # behind the opening row
    assert np.abs(ours[:, fresh] - theirs[:, fresh]).max() < 1e-5
    assert np.array_equal(ours[:, ~fresh], kept[:, ~fresh])


def test_what_is_refreshed_brings_the_answer_nearer_to_the_dense_one() -> None:
    family = gemma(30)
    drift: dict[int, list[float]] = {0: [], 4: [], 8: [], 12: []}
    for seed in range(3):
        frames = noise(family, 4, seed=seed)
        dense = next_logits(family, stream(family, [*frames[:2], frames[3]]).fork())
        for count, found in drift.items():
            cache = stream(family, frames[:3])
            refresh(family, cache, frames[3], ALL[:count])
            found.append(divergence(next_logits(family, cache.fork()), dense))
    means = [float(np.mean(found)) for found in drift.values()]
    assert means == sorted(means, reverse=True)
    assert means[-1] == 0.0


def test_refreshing_leaves_the_history_and_forks_bitwise_untouched() -> None:
    family = gemma(12)
    frames = noise(family, 5)
    cache = stream(family, frames[:4])
    fork, expected = cache.fork(), next_logits(family, stream(family, frames[:4]).fork())
    refresh(family, cache, frames[4], [1, 2, 3])
    assert np.array_equal(next_logits(family, fork), expected)
    cache.append(Kind.TAIL, frames[3], features(family, frames[3]))
    assert np.array_equal(next_logits(family, cache.fork()), expected)


def test_a_session_computes_only_what_is_fresh_and_settles_exactly() -> None:
    family = gemma(30)
    session = StreamSession(family, EngineConfig(keyframe_interval=60.0, max_age=1e9))
    still = noise(family, 1)[0]
    other = noise(family, 1, seed=1)[0]
    rows = []
    for number in range(6):
        pixels = still.with_blocks(other.pixels, np.arange(12).reshape(3, 4) == number)
        frame = Frame(pixels.pixels, still.grid, still.stamp + number * 10**8, 'optical')
        rows.append(session.admit(frame).tokens_added)
    assert rows[0] == 14
    assert all(0 < count < 14 for count in rows[2:])
    while session.idle():
        pass
    report = session.audit()
    assert report.ok
    assert report.max_difference == 0.0


@pytest.mark.parametrize('window', [5, 14, 4096])
@pytest.mark.parametrize('shape', SHAPES)
def test_the_past_before_the_tail_is_a_cold_prefill_of_it(
    window: int, shape: dict[str, Any]
) -> None:
    family = gemma(window, **shape)
    frames = noise(family, 6)
    cache, cold = stream(family, frames), stream(family, frames[:5], tail=False)
    past = cache.fork(as_of=frames[4].stamp)
    assert np.array_equal(next_logits(family, past), next_logits(family, cold.fork()))


def test_a_past_that_the_window_has_left_behind_is_refused_by_name() -> None:
    family = gemma(14)
    frames = noise(family, 6)
    with pytest.raises(Unsupported, match='cannot be asked about that moment'):
        stream(family, frames).fork(as_of=frames[2].stamp)
    whole = stream(gemma(4096), frames).fork(as_of=frames[2].stamp)
    assert [frame.stamp for frame in whole.frames] == [frame.stamp for frame in frames[:3]]


@pytest.mark.parametrize('model_type', ['gemma4', 'gemma4_unified'])
def test_rows_anywhere_are_rotated_as_rows_in_a_row(model_type: str) -> None:
    for layer in random_family(model_type).model.language_model.model.layers:
        rope = layer.self_attn.rope
        assert isinstance(rope, RowRope)
        x = mx.random.normal((1, 4, 9, layer.self_attn.head_dim))
        assert mx.array_equal(rope(x, offset=13), rope(x, offset=mx.arange(13, 22)))
