# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Stand-ins for a layer's cache while some of its rows are recomputed in place.

Know mlx-vlm's cache protocol: `make_mask`, `offset`, `update_and_fetch`, and `bits` and
`group_size` of a quantised one.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
from mlx_vlm.models.cache import QuantizedKVCache


class RowWriter:
    """One layer's cache, of which the rows at `rows` are rewritten."""

    def __init__(self, layer: Any, rows: mx.array, mask: mx.array) -> None:
        self._layer = layer
        self._rows = rows
        self._mask = mask

    @property
    def offset(self) -> int:
        """Rows in the cache."""
        return self._layer.offset

    def make_mask(self, *_: Any, **__: Any) -> mx.array:
        """Each row sees the rows up to itself: bool [n, rows]."""
        return self._mask

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[Any, Any]:
        """Write the rows' keys and values where they belong; return all of them."""
        layer = self._layer
        return self._write(layer.keys, keys), self._write(layer.values, values)

    def _write(self, held: Any, new: mx.array) -> Any:
        held[:, :, self._rows] = new
        return held[..., : self.offset, :]


class QuantizedRowWriter(RowWriter):
    """The same for mlx-vlm's quantised cache: packed values, scales and biases."""

    @property
    def bits(self) -> int:
        """Bits of a value."""
        return self._layer.bits

    @property
    def group_size(self) -> int:
        """Values that share a scale and a bias."""
        return self._layer.group_size

    def _write(self, held: Any, new: mx.array) -> Any:
        packed = mx.quantize(new, group_size=self.group_size, bits=self.bits)
        write = super()._write
        return tuple(write(part, rows) for part, rows in zip(held, packed, strict=True))


def row_writer(layer: Any, rows: mx.array, mask: mx.array) -> RowWriter:
    """A stand-in for `layer` that rewrites `rows` (int [n]); `mask` is bool [n, all rows]."""
    kind = QuantizedRowWriter if isinstance(layer, QuantizedKVCache) else RowWriter
    return kind(layer, rows, mask)
