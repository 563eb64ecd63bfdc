# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Recurrent states are kept at keyframes: the past that is asked about is a cold prefill of it."""

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
    same,
    snapshot,
    stream,
)
from mlx_vlm.models.cache import ArraysCache, KVCache, RotatingKVCache

from vlmaxxing_ros.engine.cache.branches import cache_arrays
from vlmaxxing_ros.engine.cache.generations import Generations
from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import NoEvidence, Unsupported
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.recurrent import is_recurrent, states
from vlmaxxing_ros.engine.question import Answer, Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.steps import finish
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.random_models.families import random_family


@pytest.fixture(scope='module', params=['qwen3_5', 'qwen3_5_moe', 'lfm2_vl'])
def family(request: pytest.FixtureRequest) -> Family:
    return random_family(request.param)


def cold(family: Family, frames: list[Frame]) -> np.ndarray:
    """Logits of an answer about the last of these frames, and nothing seen after it."""
    return next_logits(family, stream(family, frames, tail=False).fork())


def replayed(family: Family, cache: RollingCache, stamp: int) -> np.ndarray:
    """Logits of an answer from the cache's own ledger up to a frame, prefilled from nothing."""
    fresh = RollingCache(family)
    for segment in cache.ledger.until(stamp)[1:]:
        finish(fresh.appending_copy(segment))
    return next_logits(family, fresh.fork())


def kept(cache: RollingCache) -> int:
    """For how many frames something is kept."""
    return sum(segment.kept is not None for segment in cache.ledger.segments)


def test_every_keyframe_is_answered_as_a_cold_prefill_would_bit_for_bit(family: Family) -> None:
    frames = noise(family, 5)
    cache = live(family, frames)  # promoted tails; every other one replaced another
    for count in range(1, 6):
        past = cache.fork(as_of=frames[count - 1].stamp + 5)
        assert [frame.stamp for frame in past.frames] == [f.stamp for f in frames[:count]]
        assert np.array_equal(next_logits(family, past), cold(family, frames[:count]))


def test_an_answer_about_the_past_is_the_one_that_was_given_then(family: Family) -> None:
    frames, cache, given = noise(family, 4), RollingCache(family), []
    for frame in frames:
        cache.promote_tail()
        cache.append(Kind.TAIL, frame, features(family, frame))
        given.append(greedy(family, cache.fork(), 8))
    assert [greedy(family, cache.fork(as_of=frame.stamp), 8) for frame in frames] == given


def test_questions_about_the_past_leave_the_cache_bitwise_untouched(family: Family) -> None:
    frames = noise(family, 4)
    cache = live(family, frames)
    before = snapshot(cache)
    for frame in [*frames, *frames]:
        greedy(family, cache.fork(as_of=frame.stamp).fork(), 8)
    assert same(before, snapshot(cache))


def test_a_moment_before_the_first_frame_is_no_evidence(family: Family) -> None:
    frames = noise(family, 2)
    with pytest.raises(NoEvidence, match='later stamp'):
        live(family, frames).fork(as_of=frames[0].stamp - 1)


def test_a_moment_between_two_keyframes_is_refused_by_name_where_something_was_seen_then() -> None:
    family = random_family('qwen3_5')  # whose history may show parts of frames
    frames = noise(family, 4)
    cache = stream(family, frames[:1], tail=False)
    brief = np.array([2, 3])
    cache.append(Kind.DELTA, frames[1], features(family, frames[1]).take(brief), brief)
    cache.append(Kind.KEYFRAME, frames[2], features(family, frames[2]))
    cache.append(Kind.TAIL, frames[3], features(family, frames[3]))
    with pytest.raises(Unsupported, match='leave as_of empty, or ask about a later one'):
        cache.fork(as_of=frames[1].stamp)
    for frame in (frames[0], frames[2]):
        past = next_logits(family, cache.fork(as_of=frame.stamp))
        assert np.array_equal(past, replayed(family, cache, frame.stamp))


def test_a_branch_and_the_cache_it_left_keep_a_past_of_their_own(family: Family) -> None:
    frames, other = noise(family, 4), noise(family, 5, seed=1)[3:]
    cache = live(family, frames[:3])
    branch = cache.branch()
    branch.append(Kind.KEYFRAME, other[0], features(family, other[0]))  # instead of the tail
    branch.append(Kind.TAIL, other[1], features(family, other[1]))
    cache.promote_tail()
    cache.append(Kind.TAIL, frames[3], features(family, frames[3]))
    for count in (1, 2, 3):
        past = next_logits(family, cache.fork(as_of=frames[count - 1].stamp))
        assert np.array_equal(past, cold(family, frames[:count]))
    assert kept(cache) == kept(branch) == 3
    for count in (1, 2):
        past = next_logits(family, branch.fork(as_of=frames[count - 1].stamp))
        assert np.array_equal(past, cold(family, frames[:count]))


def test_a_generation_that_is_built_keeps_what_its_own_history_needs(family: Family) -> None:
    frames, generations = noise(family, 5), Generations(family)
    for frame in frames[:4]:
        generations.current.append(Kind.KEYFRAME, frame, features(family, frame))
    generations.current.append(Kind.TAIL, frames[4], features(family, frames[4]))
    old = generations.current
    generations.replay(old.ledger.history[2:])
    assert generations.current.number == 1
    assert kept(generations.current) == 2
    with pytest.raises(NoEvidence):
        generations.current.fork(as_of=frames[1].stamp)
    for frame in frames[2:4]:
        past = next_logits(family, generations.current.fork(as_of=frame.stamp))
        assert np.array_equal(past, replayed(family, generations.current, frame.stamp))
        assert np.array_equal(past, cold(family, [f for f in frames[2:] if f.stamp <= frame.stamp]))
    assert np.array_equal(
        next_logits(family, old.fork(as_of=frames[1].stamp)), cold(family, frames[:2])
    )


def test_what_is_kept_counts_and_goes_with_its_keyframe(family: Family) -> None:
    frames = noise(family, 3)
    cache = stream(family, frames[:1])
    assert kept(cache) == 0, 'a tail is the end of the cache'
    cache.promote_tail()
    assert kept(cache) == 1
    layers = cache.fork().layers
    state = sum(layer.nbytes for layer in layers if isinstance(layer, ArraysCache))
    assert cache.nbytes == sum(a.nbytes for a in cache_arrays(layers)) + state
    for frame in frames[1:]:
        before = cache.nbytes
        cache.append(Kind.KEYFRAME, frame, features(family, frame))
        assert cache.nbytes >= before + state
    assert kept(cache) == 3


def test_a_state_that_is_a_view_of_a_chunk_does_not_keep_the_chunk() -> None:
    layer = ArraysCache(1)
    chunk = mx.random.normal((1, 4096, 256))
    layer[0] = chunk[:, -2:]
    mx.eval(layer[0], chunk)
    (copied,) = states([layer, KVCache()])
    mx.eval(copied[0])
    held, size = mx.get_active_memory(), chunk.nbytes
    assert mx.array_equal(copied[0], layer[0])
    del layer, chunk
    assert mx.get_active_memory() <= held - size
    assert copied.nbytes == 2 * 256 * 4


def test_memory_is_flat_however_long_the_stream(family: Family) -> None:
    config = EngineConfig(keyframe_interval=0.1, keep_keyframes=2, max_owed=0.1)
    session, counted, active, most = StreamSession(family, config), [], [], 0
    for frame in noise(family, 40):
        counted.append(session.admit(frame).cache_bytes)
        while session.idle():
            pass
        assert session.stream is not None
        most = max(most, kept(session.stream.cache))
        active.append(mx.get_active_memory())
    assert session.stream.cache.number > 3
    assert 2 <= most <= 3 * 2, 'as many as keyframes are kept until the next generation is there'
    assert max(counted[20:]) <= max(counted[:20])
    # A few captions are a token longer; twenty states left behind would be 30 KiB at least.
    assert max(active[20:]) <= max(active[:20]) + 16 * 1024


def test_a_session_is_asked_about_its_past(family: Family) -> None:
    config = EngineConfig(keyframe_interval=0.0, keep_keyframes=10, max_tokens=6)
    frames, session = noise(family, 4), StreamSession(family, config)
    given = []
    for frame in frames:
        session.admit(frame)
        given.append(ask(session))
    for frame, then in zip(frames, given, strict=True):
        now = ask(session, frame.stamp)
        assert now.token_ids == then.token_ids
        assert now.evidence.newest_stamp == frame.stamp
        assert now.evidence.exact
    with pytest.raises(NoEvidence):
        ask(session, frames[0].stamp - 1)


def ask(session: StreamSession, as_of: int = 0) -> Answer:
    asking = session.ask(Question(text='what do you see?', as_of=as_of))
    list(asking)
    assert asking.answer is not None
    return asking.answer


def test_an_audit_finds_a_state_that_is_not_what_the_ledger_says(family: Family) -> None:
    session = StreamSession(family, EngineConfig(keyframe_interval=0.0, keep_keyframes=10))
    frames = noise(family, 4)
    for frame in frames:
        session.admit(frame)
    assert session.audit().ok
    assert session.stream is not None
    state = next(s.kept for s in session.stream.cache.ledger.segments if s.kept)[0]
    state[0] = state[0] + 1
    report = session.audit()
    assert not report.ok
    assert 'rebuilt' in report.text
    cache = session.stream.cache
    past = next_logits(family, cache.fork(as_of=frames[1].stamp))
    assert np.array_equal(past, replayed(family, cache, frames[1].stamp))


def test_states_beside_a_quantised_cache_go_back_with_it() -> None:
    shape = {'num_attention_heads': 2, 'num_key_value_heads': 1, 'num_hidden_layers': 6}
    family = random_family('qwen3_5', **shape)
    family.quantize_cache(8)
    frames = noise(family, 4)
    cache = live(family, frames)
    for count in (1, 2, 3):
        past = next_logits(family, cache.fork(as_of=frames[count - 1].stamp))
        assert np.array_equal(past, cold(family, frames[:count]))


def test_caches_that_rotate_as_well_are_left_alone() -> None:
    assert is_recurrent([ArraysCache(2), KVCache()])
    assert not is_recurrent([KVCache()])
    assert not is_recurrent([ArraysCache(2), RotatingKVCache(max_size=8)])
