# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The newest frame, refreshed in place: fresh rows at once, the rest when somebody asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import mlx.core as mx
import numpy as np
from engine.families.exactness import noise

from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.steps import finish
from vlmaxxing_ros.engine.stream.tail import Tail
from vlmaxxing_ros.random_models.families import random_family

MakeFrames = Callable[..., list[Frame]]
ROWS, COLS = 3, 8


def shown(family: Family, frame: Frame) -> tuple[Tail, RollingCache]:
    """A frame, prefilled whole."""
    tail, cache = Tail(family), RollingCache(family)
    finish(tail.replacing(cache, frame))
    return tail, cache


def blocks(*which: int) -> np.ndarray:
    return np.isin(np.arange(ROWS * COLS), which).reshape(ROWS, COLS)


def same(ours: RollingCache, theirs: RollingCache) -> bool:
    pairs = zip(ours.contents(), theirs.contents(), strict=True)
    return all(bool(mx.array_equal(a, b)) for a, b in pairs)


def test_with_every_block_fresh_it_is_the_exact_one_bit_for_bit(
    family: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(2, rows=ROWS, cols=COLS)
    tail, cache = shown(family, frames[0])
    everything = np.ones((ROWS, COLS), bool)
    work = finish(tail.refreshing(cache, frames[1], everything))
    assert (work.blocks, work.rows) == (24, 26)
    assert cache.ledger.tail.caught_up
    assert same(cache, shown(family, frames[1])[1])


def test_with_no_block_fresh_it_is_not_touched(family: Family, make_frames: MakeFrames) -> None:
    frames = make_frames(2, rows=ROWS, cols=COLS)
    tail, cache = shown(family, frames[0])
    assert finish(tail.refreshing(cache, frames[1], blocks())).rows == 0
    assert finish(tail.catching_up(cache)).rows == 0
    assert same(cache, shown(family, frames[0])[1])


def test_a_frame_costs_its_fresh_rows_and_the_first_question_what_went_stale_with_them(
    qwen: Family, make_frames: MakeFrames
) -> None:
    before, other = make_frames(2, rows=ROWS, cols=COLS)
    fresh = blocks(18, 19)
    tail, cache = shown(qwen, before)
    work = finish(tail.refreshing(cache, other.with_blocks(before.pixels, fresh), fresh))
    assert (work.blocks, work.rows) == (2, 2)
    assert not cache.ledger.tail.caught_up
    behind = finish(tail.catching_up(cache)).rows
    assert 1 < behind < 26, 'the closing row and some others'
    assert finish(tail.catching_up(cache)).rows == 0
    assert cache.ledger.tail.refreshed is not None
    assert cache.ledger.tail.refreshed.rows == 2 + behind


def test_a_frame_that_is_asked_about_catches_up_in_one_pass(
    qwen: Family, make_frames: MakeFrames
) -> None:
    before, other = make_frames(2, rows=ROWS, cols=COLS)
    fresh = blocks(16, 18)  # the second attended to the first
    after = other.with_blocks(before.pixels, fresh)
    tail, cache = shown(qwen, before)
    together = finish(tail.refreshing(cache, after, fresh, catch_up=True)).rows
    assert cache.ledger.tail.caught_up
    assert finish(tail.catching_up(cache)).rows == 0
    tail, cache = shown(qwen, before)
    apart = finish(tail.refreshing(cache, after, fresh)).rows
    apart += finish(tail.catching_up(cache)).rows
    assert 2 < together < apart


def test_where_most_of_the_rows_go_stale_it_is_taken_whole(
    qwen: Family, make_frames: MakeFrames
) -> None:
    before, other = make_frames(2, rows=ROWS, cols=COLS)
    fresh = blocks(0, 7, 12)  # in more than half of the windows, the first row among them
    after = other.with_blocks(before.pixels, fresh)
    tail, cache = shown(qwen, before)
    finish(tail.refreshing(cache, after, fresh, catch_up=True))
    assert cache.ledger.tail.refreshed is None
    assert same(cache, shown(qwen, after)[1])


def test_catching_up_comes_nearer_to_the_exact_tail(qwen: Family, make_frames: MakeFrames) -> None:
    before, other = make_frames(2, rows=ROWS, cols=COLS)
    fresh = blocks(0, 1)
    after = other.with_blocks(before.pixels, fresh)
    tail, cache = shown(qwen, before)
    ids = qwen.text.question_ids('what?', ())
    exact = np.array(shown(qwen, after)[1].fork().extend(ids))
    finish(tail.refreshing(cache, after, fresh))
    fresh_only = np.array(cache.fork().extend(ids))
    finish(tail.catching_up(cache))
    caught_up = np.array(cache.fork().extend(ids))
    assert np.abs(caught_up - exact).max() < np.abs(fresh_only - exact).max()


def test_a_tail_that_stands_for_a_later_frame_has_another_caption() -> None:
    family = random_family('qwen3_vl')
    (first,) = noise(family, 1)
    later = [replace(first, stamp=2, elapsed=elapsed) for elapsed in (5.0, 12.0)]
    for keep in (False, True):
        tail, cache = shown(family, first)
        assert finish(tail.catching_up(cache, later[0])).rows < len(cache.ledger.tail.rows)
        assert cache.ledger.tail.frame is later[0]
        whole = finish(tail.catching_up(cache, later[1], keep=keep))
        assert whole.rows == len(cache.ledger.tail.rows), 'it is longer: taken whole'
        assert cache.ledger.tail.refreshed is None
        assert tail.shows(cache, later[1]) == keep


def test_a_tail_that_was_prefilled_elsewhere_is_not_taken_for_the_last_that_was_encoded_whole(
    qwen: Family, make_frames: MakeFrames
) -> None:
    before, other = make_frames(2, rows=ROWS, cols=COLS)
    tail, cache = shown(qwen, before)
    assert tail.shows(cache, before)
    finish(tail.refreshing(cache, other.with_blocks(before.pixels, blocks(3)), blocks(3)))
    elsewhere = RollingCache(qwen)
    finish(elsewhere.appending_copy(cache.ledger.tail))
    assert elsewhere.ledger.tail.refreshed is None
    assert not tail.shows(elsewhere, before)
