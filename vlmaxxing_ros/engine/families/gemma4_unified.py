# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Gemma 4 unified: Gemma 4's language model over pixels, without a vision tower.

A block's pixels enter through one projection, with a learnt embedding of its column and row:
mlx-vlm wants them cut into blocks and placed by the caller.  Everything else is Gemma 4's.
"""

from __future__ import annotations

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.families.base import Features
from vlmaxxing_ros.engine.families.gemma4 import Gemma4
from vlmaxxing_ros.engine.seeing.frame import Frame


class Gemma4Unified(Gemma4):
    """The checkpoints whose `model_type` is `gemma4_unified`."""

    def _embed(self, frame: Frame) -> Features:
        """Project each block's pixels, RGB and row-major, and say where it stands: (x, y)."""
        grid = frame.grid
        blocks = self._normalized(frame.blocks()).reshape(grid.blocks, -1)
        place = np.arange(grid.blocks)
        places = np.stack([place % grid.cols, place // grid.cols], axis=-1)
        return Features(self.model.encode_image(mx.array(blocks)[None], mx.array(places)[None]))
