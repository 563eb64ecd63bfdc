# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whether the memory is enough for a frame, before anything is allocated for it.

Knows the machine's memory and what a family says that it needs; what else takes memory, and the
cache, are not counted.
"""

from __future__ import annotations

from functools import lru_cache

from vlmaxxing_ros.engine.errors import InvalidFrame
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.memory import memory_size
from vlmaxxing_ros.engine.seeing.frame import Grid


class Room:
    """What is left of the memory beside a model's weights."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._memory = memory_size()
        self._left = self._memory - family.nbytes
        self.grid = lru_cache(maxsize=32)(self._grid)

    def _grid(self, height: int, width: int, max_blocks: int) -> Grid:
        """The block grid for images of this size, in pixels.

        Raises:
            InvalidFrame: no grid fits, or the memory is not enough for such a frame.
        """
        grid = self._family.grid(height, width, max_blocks)
        need = self._family.frame_bytes(grid)
        if need <= self._left:
            return grid
        raise InvalidFrame(
            f'image of {width}x{height} pixels: to encode its {grid.blocks} blocks takes about '
            f'{need / 1e9:.3g} GB of memory, of {self._memory / 1e9:.3g} GB that there are: '
            f'{self._advice(height, width, max_blocks)}'
        )

    def _advice(self, height: int, width: int, max_blocks: int) -> str:
        """Which `max_blocks` would do."""
        fits, least = 0, max_blocks  # the largest that is known to fit, the least that is not
        while least - fits > 1:
            middle = (fits + least) // 2
            try:
                need = self._family.frame_bytes(self._family.grid(height, width, middle))
            except InvalidFrame:  # so long and thin that it does not fit in so few
                need = 0
            fits, least = (middle, least) if need <= self._left else (fits, middle)
        return f'lower max_blocks to {fits}' if fits else 'no max_blocks is low enough'
