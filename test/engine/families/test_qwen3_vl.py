# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Qwen3-VL, dense and mixture of experts: tower, deepstack, timestamps, refresh, delta frames."""

from __future__ import annotations

from dataclasses import replace

import mlx.core as mx
import numpy as np
import pytest
from engine.families.exactness import (
    QUESTION,
    features,
    next_logits,
    noise,
    one_chunk,
    snapshot,
    stream,
)
from PIL import Image

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, Rows
from vlmaxxing_ros.engine.families.generic import embed
from vlmaxxing_ros.engine.families.text import render
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.random_models.families import random_family


@pytest.fixture(scope='module', params=['qwen3_vl', 'qwen3_vl_moe'])
def family(request: pytest.FixtureRequest) -> Family:
    return random_family(request.param)


def spelt(family: Family, rows: Rows) -> list[str]:
    """The rows' tokens."""
    return list(family.processor.tokenizer.convert_ids_to_tokens(rows.ids.tolist()))


def said(family: Family, cache: RollingCache) -> list[str]:
    """The text before each frame on the ledger."""
    tokenizer = family.processor.tokenizer
    texts = [
        tokenizer.decode(s.rows.ids.tolist()).split('<|vision_start|>')[0]
        for s in cache.ledger.segments
        if s.frame is not None
    ]
    return texts


def changed_rows(before: list[np.ndarray], after: list[np.ndarray], start: int) -> set[int]:
    """Which rows' keys or values are others, counted from `start`."""
    changed = set()
    for old, new in zip(before, after, strict=True):
        if old.ndim == 4:
            changed |= set(np.flatnonzero((old != new).any(axis=(0, 1, 3))) - start)
    return changed


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
    rows = cache.refresh_tail(frames[2], features(family, frames[2]), np.arange(12))
    assert rows == len(cache.ledger.tail.rows)  # the opening text too
    cold = stream(family, [frames[0], frames[2]])
    assert np.array_equal(next_logits(family, cache.fork()), next_logits(family, cold.fork()))


def test_refreshing_some_blocks_changes_their_rows_the_caption_and_the_closing_row_only(
    family: Family,
) -> None:
    frames = noise(family, 3)
    cache = stream(family, frames[:2])
    start, before = cache.history_rows, snapshot(cache)
    rows = cache.refresh_tail(frames[2], features(family, frames[2]), np.array([2, 7]))
    changed = changed_rows(before, snapshot(cache), start)
    assert spelt(family, cache.ledger.tail.rows)[:4] == ['<', '9', '.', '9']  # it was 9.8
    opening = int(np.flatnonzero(cache.ledger.tail.rows.blocks == 0)[0])
    assert changed == {*range(3, opening), opening + 2, opening + 7, opening + 12}
    assert rows == len(changed)


def test_a_caption_that_stays_is_not_computed_again(family: Family) -> None:
    first, second = noise(family, 2)
    cache = stream(family, [first])
    start, before = cache.history_rows, snapshot(cache)
    second = replace(second, elapsed=first.elapsed + 0.04)
    assert cache.refresh_tail(second, features(family, second), np.array([2, 7])) == 3
    opening = int(np.flatnonzero(cache.ledger.tail.rows.blocks == 0)[0])
    changed = changed_rows(before, snapshot(cache), start)
    assert changed == {opening + 2, opening + 7, opening + 12}


def test_a_refreshed_caption_is_that_of_an_exact_tail(family: Family) -> None:
    frames = noise(family, 3)
    cache, cold = stream(family, frames[:2]), stream(family, [frames[0], frames[2]])
    cache.refresh_tail(frames[2], features(family, frames[2]), np.array([11]))
    stop = cache.history_rows + int(np.flatnonzero(cache.ledger.tail.rows.blocks == 0)[0])
    for ours, exact in zip(snapshot(cache), snapshot(cold), strict=True):
        if ours.ndim == 4:
            assert np.abs(ours[:, :, :stop] - exact[:, :, :stop]).max() < 1e-5


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
    cache.compress(100)
    assert cache.ledger.rows <= 100
    assert np.isfinite(next_logits(family, cache.fork())).all()


def test_a_stream_is_to_the_model_what_a_video_of_doubled_frames_is_to_the_stock_processor(
    family: Family,
) -> None:
    frames = noise(family, 4)  # 9.7 to 10.0 s
    cache = stream(family, frames)
    image = '<|vision_start|><|image_pad|><|vision_end|>'
    inputs = family.processor(
        text=[render(family.processor, QUESTION).replace(image, image.replace('image', 'video'))],
        videos=[np.repeat([f.pixels.transpose(2, 0, 1) for f in frames], 2, axis=0)],
        video_metadata=[{'frames_indices': np.repeat(np.arange(97, 101), 2), 'fps': 10.0}],
    )
    question = family.text.question_ids(QUESTION, ())
    ours = np.concatenate([*(s.rows.ids for s in cache.ledger.segments), question])
    theirs = np.array(inputs['input_ids'])[0]
    config = family.model.config
    theirs[theirs == config.video_token_id] = config.image_token_id
    assert np.array_equal(ours, theirs)
    cold = family.model.language_model(
        inputs['input_ids'],
        cache=family.make_cache(),
        video_grid_thw=inputs['video_grid_thw'],
        **embed(family.model, {k: v for k, v in inputs.items() if k != 'attention_mask'}),
    ).logits[0, -1]
    assert np.abs(next_logits(family, cache.fork()) - np.array(cold)).max() < 1e-4


def test_each_frame_of_a_session_tells_its_time_whatever_generation_it_is_in(
    family: Family,
) -> None:
    config = EngineConfig(keyframe_interval=0.2, keep_keyframes=2, tail_mode='exact')
    session = StreamSession(family, config)
    origin = noise(family, 1)[0].stamp
    for number, frame in enumerate(noise(family, 24)):
        session.admit(frame)
        session.idle()
        told = [
            f'<{(f.stamp - origin) / 1e9:.1f} seconds>' for f in session.stream.cache.ledger.frames
        ]
        assert said(family, session.stream.cache) == told
        assert told[-1] == f'<{number / 10:.1f} seconds>'
    assert session.stream.cache.number >= 2
    assert session.audit().ok


def test_a_refreshed_tail_tells_the_time_of_what_it_shows(family: Family) -> None:
    ages = {'max_age': 99.0}
    session = StreamSession(
        family, EngineConfig(keyframe_interval=99.0, tail_mode='refresh', **ages)
    )
    scene, other = (np.array(frame.pixels) for frame in noise(family, 2))
    grid = noise(family, 1)[0].grid
    told, rows = [], []
    for number in range(97, 104):  # a block changes every 100 ms, but not at 10.2 s
        scene = scene.copy()
        if number != 102:
            scene[:32, 32 * (number % 4) :][:, :32] = other[32:64, :32] + number
        stamp = 10**9 + (0 if number == 97 else number * 10**8)
        budget = session.admit(Frame(scene, grid, stamp))
        told.append(said(family, session.stream.cache)[-1])
        rows.append(budget.tokens_added)
    times = ['0.0', '9.8', '9.9', '10.0', '10.1', '10.1', '10.3']
    assert told == [f'<{time} seconds>' for time in times]
    assert rows[5] == 0  # nothing is fresh: no work
    assert rows[3] >= len(
        session.stream.cache.ledger.tail.rows
    )  # another length: all of it is replaced
    assert all(0 < rows[i] < len(session.stream.cache.ledger.tail.rows) for i in (2, 4, 6))


def test_a_frame_whose_caption_has_another_length_is_not_refreshed_in_place(
    family: Family,
) -> None:
    frames = noise(family, 4)
    cache = stream(family, frames[:3])
    assert not cache.tail_fits(frames[3])
    with pytest.raises(ValueError, match='replace it'):
        cache.refresh_tail(frames[3], features(family, frames[3]), np.array([1]))
