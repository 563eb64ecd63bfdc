# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Which rows of a refreshed tail have gone stale besides the fresh ones."""

from __future__ import annotations

import numpy as np
import pytest

from vlmaxxing_ros.engine.stream.staleness import LIMIT, RefreshRule

BLOCKS = 12


def only(*blocks: int) -> np.ndarray:
    return np.isin(np.arange(BLOCKS), blocks)


def moved(**by_block: float) -> np.ndarray:
    values = np.zeros(BLOCKS)
    for name, value in by_block.items():
        values[int(name[1:])] = value
    return values


class TailRows:
    """The staleness of a tail's rows under the shipped rule."""

    def __init__(self) -> None:
        self.rule = RefreshRule()
        self.staleness = np.zeros(BLOCKS)

    def recomputed(self, which: np.ndarray, moved: np.ndarray) -> None:
        """Recompute some rows."""
        self.staleness = self.rule.recomputed(self.staleness, which, moved)

    def with_stale(self, fresh: np.ndarray, moved: np.ndarray) -> np.ndarray:
        """Which rows to recompute with the fresh ones."""
        return self.rule.with_stale(self.staleness, fresh, moved)


def recomputed(rows: TailRows, fresh: np.ndarray, moved: np.ndarray) -> list[int]:
    """Recompute the fresh rows with those that are stale; which the latter are."""
    which = rows.with_stale(fresh, moved)
    rows.recomputed(which, moved)
    return np.flatnonzero(which & ~fresh).tolist()


def test_where_nothing_moved_nothing_is_stale() -> None:
    assert recomputed(TailRows(), only(3), np.zeros(BLOCKS)) == []


def test_a_change_takes_the_rows_behind_it_and_none_before() -> None:
    stale = recomputed(TailRows(), only(4), moved(b4=0.1))
    assert stale
    assert stale == list(range(5, 5 + len(stale)))


@pytest.mark.parametrize(('small', 'large'), [(0.04, 0.08), (0.08, 0.3)])
def test_a_larger_change_reaches_further(small: float, large: float) -> None:
    reach = [len(recomputed(TailRows(), only(0), moved(b0=change))) for change in (small, large)]
    assert reach[0] < reach[1]


def test_a_block_whose_features_moved_with_its_neighbours_is_stale() -> None:
    change = moved(b2=1.01 * LIMIT, b9=0.5 * LIMIT)
    assert recomputed(TailRows(), only(11), change) == [2, 3], 'and the one that attended to it'


def test_small_changes_add_up_until_their_rows_are_recomputed() -> None:
    rule = TailRows()
    stale = [1 in recomputed(rule, only(0), moved(b0=0.4 * LIMIT)) for _ in range(6)]
    assert stale == [False, False, True, False, False, True]


def test_when_they_have_been_recomputed_together_nothing_is_stale() -> None:
    rows, change = TailRows(), moved(b1=0.02, b3=0.2, b6=2.0 * LIMIT)
    which = rows.with_stale(only(3), change)
    rows.recomputed(which, change)
    left = np.where(which, 0.0, change)
    assert not rows.with_stale(only(), left).any()


def test_a_row_that_attended_to_a_stale_one_is_stale_as_well() -> None:
    rows, change = TailRows(), moved(b6=2.0 * LIMIT)
    rows.recomputed(only(7), change)  # and not the one before it
    assert recomputed(rows, only(), change)[:2] == [6, 7]


def test_what_goes_stale_in_several_frames_is_recomputed_once() -> None:
    often, once = TailRows(), TailRows()
    change = only(0), moved(b0=0.1)
    rows = sum(len(recomputed(often, *change)) for _ in range(3))
    once.recomputed(*change)
    once.recomputed(*change)
    assert 2 * len(recomputed(once, *change)) < rows


def test_a_whole_prefill_forgets_what_was_stale() -> None:
    rule = TailRows()
    rule.recomputed(only(0), moved(b0=0.1))
    assert rule.with_stale(only(), np.zeros(BLOCKS)).any()
    assert not TailRows().with_stale(only(), np.zeros(BLOCKS)).any()


def test_windows_with_a_fresh_block_are_looked_at_and_from_half_of_them_on_all() -> None:
    windows = np.repeat([[0, 0, 1, 1, 2, 2]], 2, axis=0)
    fresh = np.zeros((2, 6), bool)
    assert not RefreshRule().look(fresh, windows).any()
    fresh[1, 3] = True
    assert (RefreshRule().look(fresh, windows) == (windows == 1)).all()
    fresh[0, 4] = True
    assert RefreshRule().look(fresh, windows).all()
