# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Gemma 4 unified: Gemma 4's language model over pixels, without a vision tower.

A block's pixels enter through one projection, with a learnt embedding of its column and row:
mlx-vlm wants them cut into blocks and placed by the caller.  Everything else is Gemma 4's.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from vlmaxxing_ros.engine.families.base import Features
from vlmaxxing_ros.engine.families.gemma4 import Gemma4
from vlmaxxing_ros.engine.seeing.frame import Frame


class Gemma4Unified(Gemma4):
    """The checkpoints whose `model_type` is `gemma4_unified`."""

    def _make_tower(self, model: nn.Module) -> Any:
        return None

    def encode(
        self, frame: Frame, state: Features | None, active: np.ndarray
    ) -> tuple[Features, Features]:
        """Project the active blocks' pixels, RGB, and say where each stands: (x, y)."""
        if state is not None and not len(active):
            return state, state
        grid = frame.grid
        blocks = self._normalized(frame.blocks()[active]).reshape(len(active), -1)
        places = np.stack([active % grid.cols, active // grid.cols], axis=-1)
        embeds = self.model.encode_image(mx.array(blocks)[None], mx.array(places)[None])
        if state is not None and len(active) < grid.blocks:
            kept = state.embeds[:]
            kept[mx.array(active)] = embeds
            embeds = kept
        return Features(embeds), Features(embeds)
