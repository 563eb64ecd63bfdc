# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Copy-on-write branches of a model's cache, and branches that need no copy.

MLX slice assignment mutates the array object that it is applied to, so a branch of its own has
objects of its own; the buffer is shared until one side writes, and that write copies it.  Most
branches are read to their end and dropped before anybody else writes.  Such a branch is *lent*
the objects themselves: it writes behind the rows in use, where its lender never looks.

Knows mlx-vlm's cache classes and arrays; knows nothing of rows' meaning.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Iterator
from typing import Any

import mlx.core as mx
from mlx_vlm.models.cache import KVCache, QuantizedKVCache

from vlmaxxing_ros.engine.steps import Piece, Steps

_APPENDED_TO = (KVCache, QuantizedKVCache)
"""Caches whose `update_and_fetch` writes behind `offset` and nowhere else."""


class Branch:
    """The caches of a model's layers, which other branches may have been lent.

    Attributes:
        layers: one mlx-vlm cache per layer.
    """

    def __init__(self, layers: list[Any]) -> None:
        self.layers = layers
        self._borrower: weakref.ref[Branch] | None = None

    def lend(self) -> Branch:
        """A branch in the same buffers; it stays valid, and costs a copy only if this one writes.

        Call `recall` before writing here.
        """
        self.recall()
        branch = Branch([_lend(layer) for layer in self.layers])
        self._borrower = weakref.ref(branch)
        return branch

    def recall(self) -> None:
        """Give the borrower, if there still is one, arrays of its own."""
        borrower = self._borrower and self._borrower()
        if borrower:
            borrower.recall()
            borrower.layers = fork_layers(borrower.layers)
        self._borrower = None


def reserve(layers: list[Any], rows: int) -> None:
    """Make room for this many rows, so that whoever is lent the cache need not move it."""
    for layer in layers:
        if type(layer) in _APPENDED_TO:
            layer.prefix_cache_reserve(layer.offset + rows)


def fork_layers(layers: list[Any]) -> list[Any]:
    """Copy a cache's objects but not its buffers."""
    return [_fork(layer) for layer in layers]


def cache_arrays(value: Any) -> Iterator[mx.array]:
    """Every array in a cache, layer by layer, spare capacity included."""
    if isinstance(value, mx.array):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from cache_arrays(item)
    elif hasattr(value, '__dict__'):
        yield from cache_arrays(list(value.__dict__.values()))


def rows_in_use(layers: list[Any], rows: int) -> list[mx.array]:
    """The filled part of every array of a cache that holds `rows` rows, for comparison."""
    return [a[..., :rows, :] if a.ndim > 2 else a for a in cache_arrays(layers)]


def evaluating(layers: list[Any], rows: int) -> Steps[None]:
    """Hand out what is pending of a cache to which `rows` rows were appended, a layer at a time."""
    for layer in layers:
        yield Piece('prefill', rows / len(layers), list(cache_arrays(layer)))


def at_once(rows: int) -> Piece:
    """Rows that have been prefilled already: they are only to be counted."""
    return Piece('prefill', rows, [])


def _lend(layer: Any) -> Any:
    return copy.copy(layer) if type(layer) in _APPENDED_TO else _fork(layer)


def _fork(value: Any) -> Any:
    if isinstance(value, mx.array):
        return value[...] if value.ndim == 0 else value[:]
    if isinstance(value, (list, tuple)):
        return type(value)(_fork(item) for item in value)
    if hasattr(value, '__dict__'):
        branch = copy.copy(value)
        branch.__dict__ = {name: _fork(item) for name, item in value.__dict__.items()}
        return branch
    return value
