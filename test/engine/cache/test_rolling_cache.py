# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The streaming cache is exactly what a cold prefill of its ledger gives."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest

from vlmaxxing_ros.engine.cache.branches import Branch
from vlmaxxing_ros.engine.cache.fork import Fork
from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.errors import NoEvidence
from vlmaxxing_ros.engine.families import Family, Features, Rows
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.random_models.families import random_family

MakeFrames = Callable[..., list[Frame]]
QUESTION = 'where is the red block?'


def features(family: Family, frame: Frame) -> Features:
    return IncrementalEncoder(family).encode(frame).features


def stream(family: Family, frames: list[Frame], *, tail: bool = True) -> RollingCache:
    cache = RollingCache(family)
    for frame in frames:
        kind = Kind.TAIL if tail and frame is frames[-1] else Kind.KEYFRAME
        cache.append(kind, frame, features(family, frame))
    return cache


def snapshot(cache: RollingCache) -> list[np.ndarray]:
    return [np.array(a) for a in cache.contents()]


def next_logits(family: Family, fork: Fork, text: str = QUESTION) -> np.ndarray:
    return np.array(fork.extend(family.text.question_ids(text, ())))


def greedy(family: Family, fork: Fork, text: str, count: int) -> list[int]:
    ids: list[int] = []
    logits = fork.extend(family.text.question_ids(text, ()))
    while len(ids) < count and int(mx.argmax(logits).item()) not in family.text.end_ids:
        ids.append(int(mx.argmax(logits).item()))
        logits = fork.extend(ids[-1:])
    return ids


def one_chunk(cache: RollingCache) -> Rows:
    """The ledger's rows as a single prefill."""
    rows = [s.rows for s in cache.ledger.segments]
    return Rows(
        np.concatenate([r.ids for r in rows]),
        np.concatenate([r.positions for r in rows], axis=1),
        np.concatenate([r.blocks for r in rows]),
        rows[-1].end,
    )


def test_streaming_equals_a_cold_prefill_with_the_same_chunks_bit_for_bit(
    family: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(6)
    cache = stream(family, frames[:1])
    for frame in frames[1:]:  # each frame is the tail, is asked about, and is promoted
        cache.promote_tail()
        cache.append(Kind.TAIL, frame, features(family, frame))
        next_logits(family, cache.fork())
    cold = stream(family, frames)
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))
    assert all(np.array_equal(a, b) for a, b in zip(snapshot(cache), snapshot(cold), strict=True))


def test_streaming_equals_one_big_chunk_within_1e_4(
    family: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(6)
    cache = stream(family, frames)
    layers, rows = family.make_cache(), one_chunk(cache)
    embeds = mx.concatenate([features(family, f).embeds for f in frames])
    family.hidden(rows, Features(embeds), layers)
    question = family.text_rows(family.text.question_ids(QUESTION, ()), rows.end)
    hidden = family.hidden(question, None, layers)
    cold = np.array(family.logits(hidden[0, -1:]))[0]
    assert np.abs(next_logits(family, cache.fork()) - cold).max() < 1e-4


def test_200_random_streams_are_answered_as_a_cold_prefill_would(make_frames: MakeFrames) -> None:
    family = random_family('qwen2_5_vl', seed=7)
    random = np.random.default_rng(7)
    for seed in range(200):
        rows, cols, count = random.integers(1, 4), random.integers(1, 5), random.integers(1, 5)
        frames = make_frames(int(count), rows=int(rows), cols=int(cols), seed=seed)
        cache = stream(family, frames)
        layers, whole = family.make_cache(), one_chunk(cache)
        embeds = mx.concatenate([features(family, f).embeds for f in frames])
        family.hidden(whole, Features(embeds), layers)
        cold = Fork(family, Branch(layers), cache.ledger.segments)
        question = f'what is at {seed}?'
        assert greedy(family, cache.fork(), question, 6) == greedy(family, cold, question, 6)


def test_questions_leave_the_cache_bitwise_untouched(
    family: Family, make_frames: MakeFrames
) -> None:
    cache = stream(family, make_frames(3))
    before = snapshot(cache)
    for number in range(5):
        greedy(family, cache.fork(), f'question {number}?', 8)
    assert all(np.array_equal(a, b) for a, b in zip(before, snapshot(cache), strict=True))


def test_the_stream_leaves_a_fork_bitwise_untouched(
    family: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(4)
    cache = stream(family, frames[:3])
    expected = next_logits(family, cache.fork())
    fork = cache.fork()
    cache.append(Kind.TAIL, frames[3], features(family, frames[3]))
    cache.refresh_tail(frames[0], features(family, frames[0]), np.arange(5))
    assert np.array_equal(next_logits(family, fork), expected)


def test_two_sessions_on_one_model_never_influence_each_other(
    family: Family, make_frames: MakeFrames
) -> None:
    left, right = make_frames(4, seed=1), make_frames(4, rows=2, cols=2, seed=2)
    alone = [next_logits(family, stream(family, frames).fork()) for frames in (left, right)]
    caches = [RollingCache(family), RollingCache(family)]
    for pair in zip(left, right, strict=True):
        for cache, frame in zip(caches, pair, strict=True):
            cache.append(Kind.KEYFRAME, frame, features(family, frame))
            next_logits(family, cache.fork(), 'anything in between?')
    for cache, expected in zip(caches, alone, strict=True):
        assert np.array_equal(next_logits(family, cache.fork()), expected)


def test_replacing_the_tail_forgets_the_old_one(family: Family, make_frames: MakeFrames) -> None:
    frames = make_frames(4)
    cache = stream(family, [frames[0], frames[1], frames[2]])
    cache.append(Kind.TAIL, frames[3], features(family, frames[3]))
    cold = stream(family, [frames[0], frames[1], frames[3]])
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))


def test_refreshing_every_block_equals_the_exact_tail_bit_for_bit(
    family: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(3)
    cache = stream(family, frames[:2])
    rows = cache.refresh_tail(frames[2], features(family, frames[2]), np.arange(12))
    cold = stream(family, [frames[0], frames[2]])
    assert rows == 14  # the opening row too: the shapes of the exact prefill
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))


def test_refreshing_some_blocks_changes_their_rows_and_the_closing_row_only(
    family: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(3)
    cache = stream(family, frames[:2])
    start, before = cache.history_rows, snapshot(cache)
    assert cache.refresh_tail(frames[2], features(family, frames[2]), np.array([2, 7])) == 3
    changed = set()
    for old, new in zip(before, snapshot(cache), strict=True):
        if old.ndim == 4:
            changed |= set(np.flatnonzero((old != new).any(axis=(0, 1, 3))) - start)
    opening = 1
    assert changed == {opening + 2, opening + 7, opening + 12}


def test_a_delta_frame_with_every_block_is_a_keyframe(
    family: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(2)
    caches = [stream(family, frames[:1], tail=False) for _ in range(2)]
    whole = features(family, frames[1])
    caches[0].append(Kind.KEYFRAME, frames[1], whole)
    caches[1].append(Kind.DELTA, frames[1], whole, np.arange(12))
    first, second = (next_logits(family, c.fork()) for c in caches)
    assert np.array_equal(first, second)


def test_a_delta_frame_advances_positions_like_a_whole_one(
    family: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(2)
    cache = stream(family, frames[:1], tail=False)
    shown = np.array([1, 6])
    cache.append(Kind.DELTA, frames[1], features(family, frames[1]).take(shown), shown)
    whole = stream(family, frames, tail=False)
    assert cache.ledger.end == whole.ledger.end
    delta, keyframe = cache.ledger.segments[-1].rows, whole.ledger.segments[-1].rows
    assert np.array_equal(delta.positions[:, 1:3], keyframe.positions[:, shown + 1])


def test_as_of_answers_from_what_had_been_seen_by_then(
    family: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(4)
    cache = stream(family, frames)
    past = cache.fork(as_of=frames[1].stamp + 5)
    assert [f.stamp for f in past.frames] == [frames[0].stamp, frames[1].stamp]
    cold = stream(family, frames[:2])
    assert np.array_equal(next_logits(family, past), next_logits(family, cold.fork()))


def test_as_of_before_the_first_frame_finds_no_evidence(
    qwen: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(2)
    with pytest.raises(NoEvidence, match='later stamp'):
        stream(qwen, frames).fork(as_of=frames[0].stamp - 1)


def test_frame_b_is_never_answered_from_frame_a(family: Family, make_frames: MakeFrames) -> None:
    a, b = make_frames(2)
    cache = stream(family, [a])
    about_a = next_logits(family, cache.fork())
    cache.append(Kind.TAIL, b, features(family, b))
    about_b = next_logits(family, cache.fork())
    assert np.array_equal(about_b, next_logits(family, stream(family, [b]).fork()))
    assert not np.array_equal(about_a, about_b)
