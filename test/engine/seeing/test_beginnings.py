# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Which change begins, drawn: `#` changes now, `o` changed a moment ago, `@` did both."""

from __future__ import annotations

import numpy as np
import pytest

from vlmaxxing_ros.engine.seeing.beginnings import Beginning, beginnings
from vlmaxxing_ros.engine.seeing.region import Region


def found(*lines: str) -> list[Beginning]:
    drawn = np.array([list(line) for line in lines])
    return list(beginnings(np.isin(drawn, ['#', '@']), np.isin(drawn, ['o', '@'])))


def test_nothing_begins_where_nothing_changes() -> None:
    assert found('....', '.o..') == []


def test_what_begins_is_told_with_the_region_around_it() -> None:
    assert found('........', '..##....', '...#....', '........') == [
        Beginning(Region(0.25, 0.25, 0.25, 0.5), 3)
    ]


def test_two_things_are_told_apart_and_the_larger_first() -> None:
    assert [b.blocks for b in found('#.......', '......##', '......##')] == [4, 1]


@pytest.mark.parametrize(('line', 'count'), [('#..#.', 1), ('#...#', 2), ('#.#.#', 1)])
def test_blocks_with_two_others_between_them_belong_together(line: str, count: int) -> None:
    assert len(found(line)) == count


@pytest.mark.parametrize('line', ['@...', '#o..', 'o#..', 'o#.#', '#@..'])
def test_what_goes_on_or_moves_to_the_side_does_not_begin(line: str) -> None:
    assert found(line, '....') == []


def test_what_changes_two_blocks_away_begins() -> None:
    assert [b.blocks for b in found('o.#.', '....')] == [1]
