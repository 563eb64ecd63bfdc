# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""InfiniPot-V: which rows of an old history are worth their memory (arXiv 2506.15745).

Lossy, opt-in, flagged in every answer.  Half of the rows are kept for being new (temporal-axis
redundancy, TaR: a key like the recent frames' keys at its grid position goes first), the rest by
the norm of their values (value norm, VaN), per layer and key-value head.  Knows arrays, tags
and a plain cache's layers; knows nothing of ledgers or models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np

RECENT_SHARE = 0.25
"""Share of the kept rows that belongs to the newest frames, which stay whole."""

REDUNDANCY_SHARE = 0.5
"""Share of the kept rows, the newest frames' included, that are chosen by redundancy."""


Select = Callable[[mx.array, mx.array, np.ndarray, np.ndarray, int], np.ndarray]
"""A choice of old rows, called like `select`."""


@dataclass(frozen=True)
class Tags:
    """Where in its frame each row of a compressed history stood.

    Attributes:
        places: int32 [layers, heads, rows]: index of the block, or one of the values behind
            the last block for the text around a frame, counted from its closing row.
    """

    places: np.ndarray

    @classmethod
    def of_rows(cls, blocks: np.ndarray, grid_blocks: int, layers: int, heads: int) -> Tags:
        """Tags of whole or delta frames, from their rows' blocks (int [rows], -1 for text)."""
        text = blocks < 0
        number = np.cumsum(text[::-1])[::-1] - 1
        places = np.where(text, grid_blocks + number, blocks)
        return cls(np.broadcast_to(places.astype(np.int32), (layers, heads, len(blocks))))

    def join(self, other: Tags) -> Tags:
        """These rows, then the other ones."""
        return Tags(np.concatenate([self.places, other.places], axis=2))


def select(
    keys: mx.array, values: mx.array, places: np.ndarray, recent: np.ndarray, keep: int
) -> np.ndarray:
    """Choose the old rows of one layer to keep.

    Args:
        keys: [heads, old + recent rows, head_dim], after rotation; the recent frames' come last.
        values: likewise.
        places: int32 [heads, old], each old row's place in its frame.
        recent: int32 [recent rows], each recent row's place.
        keep: how many old rows to keep per head.

    Returns:
        int32 [heads, keep], ascending.
    """
    old = places.shape[1]
    budget = keep + len(recent)
    by_redundancy = min(keep, max(0, int(REDUNDANCY_SHARE * budget) - len(recent)))

    unit = np.array(keys / mx.linalg.norm(keys, axis=-1, keepdims=True), np.float32)
    anchors = np.zeros((unit.shape[0], int(max(places.max(), recent.max())) + 1, unit.shape[2]))
    np.add.at(anchors.swapaxes(0, 1), recent, unit[:, old:].swapaxes(0, 1))
    counts = np.bincount(recent, minlength=anchors.shape[1])
    anchors /= np.maximum(counts, 1)[None, :, None]
    heads = np.arange(len(unit))[:, None]
    redundancy = np.einsum('hod,hod->ho', unit[:, :old], anchors[heads, places])

    norms = np.array(mx.linalg.norm(values[:, :old].astype(mx.float32), axis=-1))
    new_first = np.argsort(redundancy, axis=1, kind='stable')
    norms[heads, new_first[:, :by_redundancy]] = np.inf
    chosen = np.argsort(-norms, axis=1, kind='stable')[:, :keep]
    return np.sort(chosen, axis=1).astype(np.int32)


def thin(
    layer: Any, places: np.ndarray, newest: np.ndarray, keep: int, choose: Select, rows: slice
) -> np.ndarray:
    """Keep `keep` of one layer's old rows; `rows` are those and all behind them.

    Returns the places of those that were kept: int32 [heads, keep].
    """
    start, end = rows.start, rows.stop
    stop = start + places.shape[1]
    index = choose(layer.keys[0, :, rows], layer.values[0, :, rows], places, newest, keep)
    kept = mx.array(index + start)[None, :, :, None]

    def without(cached: mx.array) -> mx.array:
        old = mx.take_along_axis(cached, kept, axis=2)
        return mx.concatenate([cached[:, :, :start], old, cached[:, :, stop:end]], axis=2)

    layer.keys, layer.values = without(layer.keys), without(layer.values)
    layer.offset = layer.keys.shape[2]
    return np.take_along_axis(places, index, axis=1)
