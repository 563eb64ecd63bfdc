# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Recomputing rows in place where layers hold a window, and where an image sees itself whole.

A frame that was appended as one chunk lies at the end of every layer's buffer, in order, window or
not: mlx-vlm's rotating cache keeps a chunk whole, and the rows before it that its first row sees.
Knows mlx-vlm's caches and attention; knows nothing of frames but which rows are one image.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_vlm.models.cache import KVCache, RotatingKVCache


class RowRope(nn.Module):
    """A layer's rotary embedding, for rows in a row or for rows anywhere.

    An offset of one number is where the first row stands, as ever; an array says where each does.
    """

    def __init__(self, rope: nn.Module) -> None:
        super().__init__()
        self.rope = rope

    def __call__(self, x: mx.array, offset: Any = 0) -> mx.array:
        """Rotate [1, heads, rows, head_dim]."""
        if not (isinstance(offset, mx.array) and offset.ndim):
            return self.rope(x, offset=offset)
        return self.rope(x.transpose(2, 1, 0, 3), offset=offset).transpose(2, 1, 0, 3)


class WindowWriter:
    """Stands in for one layer's cache while rows of its newest chunk are recomputed in place.

    Knows mlx-vlm's cache protocol: `make_mask`, `offset`, `update_and_fetch`.

    Args:
        layer: `KVCache`, or `RotatingKVCache` that was last appended to by a chunk of rows.
        rows: int [n], the rows to rewrite, counted from the stream's first.
        image: bool [rows of the stream], whether a row is part of the newest image, and so is
            seen by all others that are; None: rows see none after themselves.
    """

    def __init__(self, layer: Any, rows: np.ndarray, image: np.ndarray | None) -> None:
        self._layer = layer
        window = getattr(layer, 'max_size', None)
        held = layer.offset if window is None else layer.keys.shape[2]
        self._held, first = held, layer.offset - held
        columns = np.arange(first, layer.offset)
        seen = columns[None] <= rows[:, None]
        if window is not None:
            seen &= columns[None] > rows[:, None] - window
        if image is not None:
            seen |= image[rows][:, None] & image[columns][None]
        self._mask = mx.array(seen)
        self._places = mx.array(rows - first)
        self.offset = mx.array(rows)

    def make_mask(self, *_: Any, **__: Any) -> mx.array:
        """What each row sees: bool [n, rows held]."""
        return self._mask

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """Write the rows' keys and values where they belong; return all of them."""
        layer = self._layer
        layer.keys[:, :, self._places] = keys
        layer.values[:, :, self._places] = values
        return layer.keys[:, :, : self._held], layer.values[:, :, : self._held]


def is_windowed(layers: list[Any]) -> bool:
    """Whether every layer of a cache holds its rows in order, all of them or the newest."""
    kinds = {type(layer) for layer in layers}
    return kinds <= {KVCache, RotatingKVCache} and not any(getattr(la, 'keep', 0) for la in layers)


def rewind_window(layers: list[Any], surplus: int) -> bool:
    """Drop the newest rows of every layer, if what the next row sees is still there.

    Args:
        layers: `KVCache` and `RotatingKVCache`, objects of the caller's own.
        surplus: rows to drop.

    Returns:
        False, and nothing is changed: a window has moved on.
    """
    windows = [layer for layer in layers if hasattr(layer, 'max_size')]
    for layer in windows:
        needed = min(layer.offset - surplus, layer.max_size - 1)
        if layer.keys.shape[2] - surplus < needed:
            return False
    for layer in layers:
        if layer in windows:
            kept = layer.keys.shape[2] - surplus
            layer.keys, layer.values = layer.keys[:, :, :kept], layer.values[:, :, :kept]
            layer.offset, layer._idx = layer.offset - surplus, kept
        else:
            layer.trim(surplus)
    return True
