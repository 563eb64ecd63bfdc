# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Incremental encoding: the stock tower bit for bit, or the active windows only."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.steps import finish
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder

MakeFrames = Callable[..., list[Frame]]


def stock(family: Family, frame: Frame) -> np.ndarray:
    """mlx-vlm's own processor and tower."""
    inputs = family.processor.image_processor(images=[frame.pixels.transpose(2, 0, 1)])
    pixels, grid = mx.array(inputs['pixel_values']), mx.array(inputs['image_grid_thw'])
    return np.array(family.model.vision_tower(pixels, grid))


@pytest.mark.parametrize('size', [(1, 1), (3, 4), (4, 4), (5, 7), (8, 12)])
def test_every_window_active_is_the_stock_tower_bit_for_bit(
    family: Family, make_frames: MakeFrames, size: tuple[int, int]
) -> None:
    first, second = make_frames(2, rows=size[0], cols=size[1])
    encoder = IncrementalEncoder(family)
    for frame in (first, second):
        encoding = encoder.encode(frame, np.ones(size, bool))
        assert np.array_equal(np.array(encoding.features.embeds), stock(family, frame))
        assert encoding.windows_computed == encoding.windows_total


def test_no_fresh_block_is_no_work(family: Family, make_frames: MakeFrames) -> None:
    frames = make_frames(2, rows=8, cols=8)
    encoder = IncrementalEncoder(family)
    before = encoder.encode(frames[0]).features.embeds
    encoding = encoder.encode(frames[1], np.zeros((8, 8), bool))
    assert encoding.windows_computed == 0
    assert encoding.features.embeds is before


def test_only_windows_with_a_fresh_block_are_computed(
    qwen: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(2, rows=8, cols=8)
    encoder = IncrementalEncoder(qwen)
    before = np.array(encoder.encode(frames[0]).features.embeds).reshape(8, 8, -1)
    fresh = np.zeros((8, 8), bool)
    fresh[1, 6] = True
    encoding = encoder.encode(frames[1], fresh)
    after = np.array(encoding.features.embeds).reshape(8, 8, -1)
    assert (encoding.windows_computed, encoding.windows_total) == (1, 4)
    changed = (before != after).any(2)
    assert changed[:4, 4:].all()
    assert changed.sum() == 16


def test_another_encoding_than_the_last_can_be_gone_on_from(
    family: Family, make_frames: MakeFrames
) -> None:
    last, newest, past = make_frames(3, rows=8, cols=8)
    encoder, alone = IncrementalEncoder(family), IncrementalEncoder(family)
    encoder.encode(last)
    fresh = np.zeros((8, 8), bool)
    fresh[1, 6] = True
    after = finish(encoder.encoding(newest))
    found = finish(encoder.encoding(past, fresh, after=after)).features.embeds
    alone.encode(newest)
    assert np.array_equal(np.array(found), np.array(alone.encode(past, fresh).features.embeds))
    none = np.zeros((8, 8), bool)
    unmoved = finish(encoder.encoding(newest, none)).features.embeds
    assert np.array_equal(np.array(unmoved), stock(family, last)), 'nothing was remembered'


def test_a_static_frame_encodes_to_what_it_was(family: Family, make_frames: MakeFrames) -> None:
    frame = make_frames(1, rows=6, cols=6)[0]
    encoder = IncrementalEncoder(family)
    encoder.encode(frame)
    fresh = np.zeros((6, 6), bool)
    fresh[2, 3] = fresh[5, 5] = True
    again = np.array(encoder.encode(frame, fresh).features.embeds)
    assert np.abs(again - stock(family, frame)).max() < 1e-5


def test_a_whole_frame_resets_the_error(family: Family, make_frames: MakeFrames) -> None:
    frames = make_frames(3, rows=8, cols=8)
    encoder = IncrementalEncoder(family)
    encoder.encode(frames[0])
    encoder.encode(frames[1], np.eye(8, dtype=bool))
    embeds = np.array(encoder.encode(frames[2]).features.embeds)
    assert np.array_equal(embeds, stock(family, frames[2]))


def test_another_size_is_encoded_whole(qwen: Family, make_frames: MakeFrames) -> None:
    encoder = IncrementalEncoder(qwen)
    encoder.encode(make_frames(1, rows=8, cols=8)[0])
    encoding = encoder.encode(make_frames(1, rows=4, cols=8)[0], np.zeros((4, 8), bool))
    assert encoding.windows_computed == encoding.windows_total == 2
