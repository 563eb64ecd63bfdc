# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Caches of layers with keys and values beside layers with a recurrent state.

A state has absorbed every row before it and can drop none of them.  But each chunk replaces it as a
whole and writes into none, so one that is kept costs its bytes and nothing else; keys and values
need no keeping, since rows can be dropped from them.  Knows mlx-vlm's caches; knows nothing of
what the rows are.
"""

from __future__ import annotations

import copy
from typing import Any

import mlx.core as mx
from mlx_vlm.models.cache import ArraysCache, KVCache, QuantizedKVCache

_ROWS = (KVCache, QuantizedKVCache)


def is_recurrent(layers: list[Any]) -> bool:
    """Whether every layer of a cache holds rows that can be dropped or a recurrent state."""
    kinds = {type(layer) for layer in layers}
    return ArraysCache in kinds and kinds <= {ArraysCache, *_ROWS}


def states(layers: list[Any]) -> list[Any]:
    """The layers with a recurrent state, as they are now; lazy."""
    return [_detached(layer) for layer in layers if type(layer) is ArraysCache]


def rewind_states(layers: list[Any], surplus: int, kept: list[Any] | None) -> bool:
    """Drop the newest rows of every layer.

    Args:
        layers: a cache for which `is_recurrent` holds, objects of the caller's own.
        surplus: rows to drop.
        kept: what `states` gave before they came; None: nothing was kept then.

    Returns:
        False, and nothing is changed: there is no state to go back to.
    """
    if kept is None:
        return False
    before = iter(kept)
    for number, layer in enumerate(layers):
        if type(layer) is ArraysCache:
            layers[number] = _detached(next(before))
        else:
            layer.trim(surplus)
    return True


def _detached(layer: ArraysCache) -> ArraysCache:
    """A layer of its own; a state that is a view of a whole chunk (LFM2) is copied out of it."""
    twin = copy.copy(layer)
    twin.cache = [array if array is None else mx.contiguous(array) for array in layer.cache]
    return twin
