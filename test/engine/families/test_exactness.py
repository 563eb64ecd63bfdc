# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What holds for every family beyond the Qwen2 generations: streaming is a cold prefill."""

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

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import Unsupported
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.self_test import self_test
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.random_models.families import random_family

FAMILIES = [
    'qwen3_vl',
    'qwen3_vl_moe',
    'qwen3_5',
    'qwen3_5_moe',
    'gemma4',
    'gemma4_unified',
    'gemma3',
    'lfm2_vl',
    'pixtral',
]


@pytest.fixture(scope='module', params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return random_family(request.param)


def test_streaming_equals_a_cold_prefill_with_the_same_chunks_bit_for_bit(family: Family) -> None:
    frames = noise(family, 5)
    cache, cold = live(family, frames), stream(family, frames)
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))
    assert same(snapshot(cache), snapshot(cold))


def test_streaming_equals_one_big_chunk_within_1e_4(family: Family) -> None:
    cache = stream(family, noise(family, 5))
    cold = next_logits(family, one_chunk(family, cache))
    assert np.abs(next_logits(family, cache.fork()) - cold).max() < 1e-4


def test_streaming_decodes_the_tokens_that_stock_generation_decodes(family: Family) -> None:
    for seed, (rows, cols) in enumerate([(2, 2), (3, 4), (5, 3)]):
        frames = noise(family, 3, rows=rows, cols=cols, seed=seed)
        expected = stock(family, frames, 10)
        assert greedy(family, stream(family, frames).fork(), 10)[: len(expected)] == expected


def test_questions_leave_the_cache_bitwise_untouched(family: Family) -> None:
    cache = stream(family, noise(family, 3))
    before = snapshot(cache)
    for number in range(3):
        greedy(family, cache.fork(), 8, f'question {number}?')
    assert same(before, snapshot(cache))


def test_the_stream_leaves_a_fork_bitwise_untouched(family: Family) -> None:
    frames = noise(family, 4)
    cache = stream(family, frames[:3])
    expected = next_logits(family, cache.fork())
    fork = cache.fork()
    cache.promote_tail()
    cache.append(Kind.TAIL, frames[3], features(family, frames[3]))
    assert np.array_equal(next_logits(family, fork), expected)


def test_replacing_the_tail_forgets_the_old_one(family: Family) -> None:
    frames = noise(family, 4)
    cache = stream(family, frames[:3])
    cache.append(Kind.TAIL, frames[3], features(family, frames[3]))
    cold = stream(family, [frames[0], frames[1], frames[3]])
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))


def test_two_sessions_on_one_model_never_influence_each_other(family: Family) -> None:
    left, right = noise(family, 3, seed=1), noise(family, 3, rows=2, cols=2, seed=2)
    alone = [next_logits(family, stream(family, frames).fork()) for frames in (left, right)]
    caches = [RollingCache(family), RollingCache(family)]
    for pair in zip(left, right, strict=True):
        for cache, frame in zip(caches, pair, strict=True):
            cache.append(Kind.KEYFRAME, frame, features(family, frame))
            next_logits(family, cache.fork(), 'anything in between?')
    for cache, expected in zip(caches, alone, strict=True):
        assert np.array_equal(next_logits(family, cache.fork()), expected)


def test_as_of_answers_from_what_had_been_seen_by_then_or_is_refused(family: Family) -> None:
    frames = noise(family, 4)
    cache = stream(family, frames)
    assert family.capabilities.as_of
    for count in (3, 2):
        if count == 2 and 'gemma3' in family.name:  # a window of two frames has moved on
            with pytest.raises(Unsupported, match='leave as_of empty'):
                cache.fork(as_of=frames[count - 1].stamp)
            return
        past, cold = cache.fork(as_of=frames[count - 1].stamp + 5), stream(family, frames[:count])
        assert np.array_equal(next_logits(family, past), next_logits(family, cold.fork()))


def test_refreshing_in_place_is_refused_where_it_cannot_be_exact(family: Family) -> None:
    frames = noise(family, 2)
    cache = stream(family, frames)
    if family.capabilities.tail_refresh:
        assert cache.refresh_tail(frames[1], features(family, frames[1]), np.array([1])) == 2
        return
    with pytest.raises(Unsupported, match='tail_mode'):
        cache.refresh_tail(frames[0], features(family, frames[0]), np.array([1]))
    with pytest.raises(Unsupported, match='tail_mode'):
        StreamSession(family, EngineConfig(tail_mode='refresh'))


def test_settings_that_a_family_cannot_follow_are_refused_before_anything_runs(
    family: Family,
) -> None:
    able = family.capabilities
    for settings, supported in [
        ({'compression': 'infinipot'}, able.compression),
        ({'tail_mode': 'auto'}, True),
    ]:
        if supported:
            StreamSession(family, EngineConfig(**settings))
        else:
            with pytest.raises(Unsupported, match=next(iter(settings))):
                StreamSession(family, EngineConfig(**settings))


def test_a_session_streams_and_its_audit_finds_the_cache_exact(family: Family) -> None:
    session = StreamSession(family, EngineConfig(keyframe_interval=0.1, keep_keyframes=1))
    for frame in noise(family, 7):
        session.admit(frame)
        while session.idle():
            pass
    report = session.audit()
    assert report.ok
    assert report.max_difference == 0.0
    assert session.stream.cache.number >= 1  # it has been rebuilt on the way


def test_the_self_test_passes(family: Family) -> None:
    result = self_test(family)
    assert result.ok, result.text
