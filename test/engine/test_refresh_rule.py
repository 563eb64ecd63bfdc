# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Which rows a refreshed tail recomputes besides the fresh ones."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest

from vlmaxxing_ros.engine.accounting import Stopwatch
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.frame import Frame
from vlmaxxing_ros.engine.refresh_rule import LIMIT, RefreshRule
from vlmaxxing_ros.engine.rolling_cache import RollingCache
from vlmaxxing_ros.engine.tail import Tail

MakeFrames = Callable[..., list[Frame]]
BLOCKS = 12


def only(*blocks: int) -> np.ndarray:
    return np.isin(np.arange(BLOCKS), blocks)


def moved(**by_block: float) -> np.ndarray:
    values = np.zeros(BLOCKS)
    for name, value in by_block.items():
        values[int(name[1:])] = value
    return values


def test_with_nothing_fresh_nothing_is_recomputed_however_stale() -> None:
    rule = RefreshRule(BLOCKS)
    rule.choose(only(0), moved(b0=0.025))
    assert not rule.choose(only(), np.ones(BLOCKS)).any()


def test_with_everything_fresh_everything_is_recomputed() -> None:
    assert RefreshRule(BLOCKS).choose(np.ones(BLOCKS, bool), np.zeros(BLOCKS)).all()


def test_a_fresh_block_whose_features_did_not_change_costs_its_own_row_only() -> None:
    chosen = RefreshRule(BLOCKS).choose(only(3), np.zeros(BLOCKS))
    assert np.flatnonzero(chosen).tolist() == [3]


def test_a_change_takes_the_rows_behind_it_and_none_before() -> None:
    chosen = np.flatnonzero(RefreshRule(BLOCKS).choose(only(4), moved(b4=0.1)))
    assert chosen[0] == 4
    assert len(chosen) > 1
    assert chosen.tolist() == list(range(4, 4 + len(chosen)))


@pytest.mark.parametrize(('small', 'large'), [(0.04, 0.08), (0.08, 0.3)])
def test_a_larger_change_reaches_further(small: float, large: float) -> None:
    reach = [
        RefreshRule(BLOCKS).choose(only(0), moved(b0=change)).sum() for change in (small, large)
    ]
    assert reach[0] < reach[1]


def test_a_block_whose_features_moved_with_its_neighbours_is_recomputed() -> None:
    chosen = RefreshRule(BLOCKS).choose(only(6), moved(b2=1.01 * LIMIT, b9=0.99 * LIMIT))
    assert np.flatnonzero(chosen).tolist() == [2, 6]


def test_small_changes_add_up_until_their_rows_are_recomputed() -> None:
    rule = RefreshRule(BLOCKS)
    chosen = [rule.choose(only(0), moved(b0=0.4 * LIMIT))[1] for _ in range(6)]
    assert chosen == [False, False, True, False, False, True]


def test_a_whole_prefill_forgets_what_was_stale() -> None:
    rule = RefreshRule(BLOCKS)
    rule.choose(only(0), moved(b0=0.9 * LIMIT))
    rule.reset()
    assert not rule.choose(only(0), moved(b0=0.9 * LIMIT))[1]


def test_windows_with_a_fresh_block_are_looked_at_and_from_half_of_them_on_all() -> None:
    windows = np.repeat([[0, 0, 1, 1, 2, 2]], 2, axis=0)
    fresh = np.zeros((2, 6), bool)
    assert not RefreshRule(BLOCKS).look(fresh, windows).any()
    fresh[1, 3] = True
    assert (RefreshRule(BLOCKS).look(fresh, windows) == (windows == 1)).all()
    fresh[0, 4] = True
    assert RefreshRule(BLOCKS).look(fresh, windows).all()


def refreshed(family: Family, frames: list[Frame], fresh: np.ndarray) -> tuple[RollingCache, int]:
    """A tail on the first frame, refreshed to the second; rows that went through the model."""
    cache, tail = RollingCache(family), Tail(family, frames[0])
    tail.replace(cache, frames[0], Stopwatch())
    return cache, tail.refresh(cache, frames[1], fresh, Stopwatch()).rows


def test_a_refreshed_tail_with_every_block_fresh_is_the_exact_one_bit_for_bit(
    family: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(2)
    cache, rows = refreshed(family, frames, np.ones((3, 4), bool))
    exact = RollingCache(family)
    Tail(family, frames[1]).replace(exact, frames[1], Stopwatch())
    assert rows == BLOCKS + 2
    for ours, theirs in zip(cache.contents(), exact.contents(), strict=True):
        assert mx.array_equal(ours, theirs)


def test_a_refreshed_tail_with_no_block_fresh_is_not_touched(
    family: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(2)
    cache, rows = refreshed(family, frames, np.zeros((3, 4), bool))
    untouched = RollingCache(family)
    Tail(family, frames[0]).replace(untouched, frames[0], Stopwatch())
    assert rows == 0
    for ours, theirs in zip(cache.contents(), untouched.contents(), strict=True):
        assert mx.array_equal(ours, theirs)


def test_rows_recomputed_in_a_window_that_was_looked_at_show_the_new_frame(
    qwen: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(2, rows=3, cols=8)
    cache, tail = RollingCache(qwen), Tail(qwen, frames[0])
    tail.replace(cache, frames[0], Stopwatch())
    tail.rule = RefreshRule(24, limit=0.0, whole_from=1.0)
    fresh = np.zeros((3, 8), bool)
    fresh[0, 0] = True
    tail.refresh(cache, frames[1], fresh, Stopwatch())
    windows = qwen.windows(frames[0].grid)
    new = tail.reference.stamps == frames[1].stamp
    assert (new == (windows == windows[0, 0])).all()
    assert not new.all()
