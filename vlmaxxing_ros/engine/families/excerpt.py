# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Keys and values of some rows, taken out of a cache to stand at another place of one.

Keys are turned to where they stand then, values stay as they are: the rows still attend to what
stood before them when they were computed, so that the copy is not exact.  Knows mlx-vlm's plain
cache; knows nothing of frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mlx.core as mx

from vlmaxxing_ros.engine.families.base import Family


@dataclass(frozen=True)
class Excerpt:
    """Consecutive rows of a cache.

    Attributes:
        layers: keys and values of each layer, [1, heads, rows, dimension] both.
    """

    layers: tuple[tuple[mx.array, mx.array], ...]

    @classmethod
    def of(cls, layers: list[Any], rows: slice) -> Excerpt:
        """The rows at `rows` of a cache; lazy, and held as they are once evaluated."""
        return cls(tuple((layer.keys[:, :, rows], layer.values[:, :, rows]) for layer in layers))

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values."""
        return sum(keys.nbytes + values.nbytes for keys, values in self.layers)

    def append_to(self, layers: list[Any], family: Family, by: int) -> None:
        """Put the rows behind all others of a cache, so many positions further on; lazy.

        Raises:
            Unsupported: the family cannot turn keys.
        """
        for number, (layer, (keys, values)) in enumerate(zip(layers, self.layers, strict=True)):
            layer.update_and_fetch(family.turned(number, keys, by) if by else keys, values)
