# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a vision tower takes at its peak, from its shape: an estimate, before anything is allocated.

MLX on the CPU holds the scores of a layer's attention in one piece, heads x patches x patches.  On
a GPU it has kernels that never hold them for some widths of a head.  Knows numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx

_FUSED = (64, 80, 128)  # as in mlx-vlm's `ensure_fused_sdpa`


_AT_ONCE = 20
"""Arrays [patches, width] that one layer's attention holds besides what is kept, as measured."""

_COPIES = 3.5
"""Times that the pixels, as float32, are there at once when they are embedded, as measured."""


@dataclass(frozen=True)
class TowerShape:
    """What counts of a tower.

    Attributes:
        heads, head_dim: of a layer's attention.
        kept: arrays [patches, width] that stay until the frame is done: keys, values, milestones.
        values: numbers that a patch of pixels consists of.
        itemsize: bytes of a number inside of it.
        pads: narrow heads are widened to one that has a kernel.
        masked: an additive mask stands beside the scores.
    """

    heads: int
    head_dim: int
    kept: int
    values: int
    itemsize: int
    pads: bool = False
    masked: bool = False

    def peak(self, patches: int, reach: int) -> int:
        """Bytes at the peak of encoding so many patches, each of which attends to `reach`."""
        scores = (self.heads + self.masked) * patches * reach if self._holds_scores else 0
        padded = 3 * (self._width / self.head_dim - 1.0)
        rows = patches * self.heads * self.head_dim * (self.kept + _AT_ONCE + padded)
        return round(max(self.itemsize * (scores + rows), 4 * _COPIES * patches * self.values))

    @property
    def _width(self) -> int:
        """Of a head, as attention gets it."""
        wider = [width for width in _FUSED if width >= self.head_dim]
        return wider[0] if self.pads and wider else self.head_dim

    @property
    def _holds_scores(self) -> bool:
        return mx.default_device() == mx.Device(mx.cpu) or self._width not in _FUSED
