# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A lent branch and its lender never see each other's writes, in whatever order they write."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_vlm.models.cache import ArraysCache, KVCache, QuantizedKVCache, RotatingKVCache

from vlmaxxing_ros.engine.cache.branches import Branch, reserve, rows_in_use

KINDS: dict[str, Any] = {
    'plain': KVCache,
    'quantised': lambda: QuantizedKVCache(group_size=32, bits=8),
    'rotating': lambda: RotatingKVCache(max_size=6),
}


@pytest.fixture(params=KINDS)
def branch(request: pytest.FixtureRequest) -> Branch:
    """One layer with five rows."""
    branch = Branch([KINDS[request.param]()])
    write(branch, 0, 5)
    return branch


def rows(start: int, count: int) -> mx.array:
    """Rows whose values tell them apart: float32 [1, 1, count, 32]."""
    random = np.random.default_rng(start)
    return mx.array(random.normal(size=(1, 1, count, 32)).astype(np.float32))


def write(branch: Branch, start: int, count: int) -> None:
    branch.recall()
    branch.layers[0].update_and_fetch(rows(start, count), rows(start + 1, count))


def contents(branch: Branch, count: int) -> list[np.ndarray]:
    return [np.array(a) for a in rows_in_use(branch.layers, count)]


def same(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_a_borrower_that_writes_leaves_the_lender_alone(branch: Branch) -> None:
    before = contents(branch, 5)
    borrower = branch.lend()
    for step in range(4):
        write(borrower, 10 + step, 1)
    assert same(contents(branch, 5), before)
    assert branch.layers[0].offset == 5
    assert borrower.layers[0].offset == 9


def test_a_lender_that_writes_leaves_the_borrower_alone(branch: Branch) -> None:
    borrower = branch.lend()
    write(borrower, 10, 1)
    before = contents(borrower, 6)
    write(branch, 20, 3)
    assert same(contents(borrower, 6), before)
    write(borrower, 11, 1)
    assert not same(contents(branch, 8), contents(borrower, 8))


def test_a_second_borrower_does_not_disturb_the_first(branch: Branch) -> None:
    first = branch.lend()
    write(first, 10, 1)
    before = contents(first, 6)
    second = branch.lend()
    write(second, 30, 1)
    assert same(contents(first, 6), before)
    assert not same(contents(second, 6), before)


def test_a_lender_that_writes_reaches_no_borrower_of_a_borrower(branch: Branch) -> None:
    borrower = branch.lend()
    write(borrower, 10, 1)
    grandchild = borrower.lend()
    write(grandchild, 11, 1)
    before = contents(grandchild, 7)
    write(branch, 20, 3)
    assert same(contents(grandchild, 7), before)


def test_rows_are_lent_without_a_copy() -> None:
    branch = Branch([KVCache()])
    write(branch, 0, 5)
    borrower = branch.lend()
    write(borrower, 10, 1)
    assert borrower.layers[0].keys is branch.layers[0].keys


@pytest.mark.parametrize('kind', ['plain', 'quantised'])
def test_room_that_is_reserved_saves_the_borrower_a_move(kind: str) -> None:
    for reserved, shared in ((0, False), (64, True)):
        branch = Branch([KINDS[kind]()])
        write(branch, 0, 250)
        reserve(branch.layers, reserved)
        before = contents(branch, 250)
        borrower = branch.lend()
        write(borrower, 10, 20)
        assert (borrower.layers[0].keys is branch.layers[0].keys) is shared
        assert same(contents(branch, 250), before)


def test_state_that_is_overwritten_is_forked() -> None:
    state = ArraysCache(1)
    state[0] = mx.ones((1, 4))
    branch = Branch([state])
    borrower = branch.lend()
    borrower.layers[0][0] = borrower.layers[0][0] + 1
    assert np.array_equal(np.array(branch.layers[0][0]), np.ones((1, 4)))
