# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Qwen3-VL and Qwen3-VL-MoE: Qwen2-VL's rows, and vision features that enter several layers.

Deepstack adds further features of each block to the hidden states after the first layers.  They
travel with the block (`Features.deep`), so a delta frame or a refreshed row brings its own.

A frame stands in the context as an image behind its time as text, `<3.4 seconds>`, as this family's
processor writes it before each frame of a video.  There one such frame merges two of the video and
tells their mean time; here it shows one, doubled, and tells its own.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.families.base import Features, Rows
from vlmaxxing_ros.engine.families.qwen2_vl import Qwen2VL
from vlmaxxing_ros.engine.seeing.frame import Frame


def told_time(frame: Frame) -> str:
    """Seconds since the stream began, as Qwen3VLProcessor writes them."""
    return f'<{frame.elapsed:.1f} seconds>'


class Qwen3VL(Qwen2VL):
    """The third generation, dense and mixture of experts."""

    def caption(self, frame: Frame) -> str:
        """Seconds since the stream began."""
        return told_time(frame)

    def hidden(self, rows: Rows, features: Features | None, cache: list[Any]) -> mx.array:
        """Run rows through the layers, with explicit positions and deepstack features."""
        ids = mx.array(rows.ids)[None]
        embeds = self._language.model.embed_tokens(ids)
        deep: list[mx.array] | None = None
        if features is not None:
            shown = np.flatnonzero(rows.blocks >= 0)
            embeds[0, mx.array(shown)] = features.embeds.astype(embeds.dtype)
            deep = [d.astype(embeds.dtype) for d in features.deep]
        with self._showing(rows):
            return self._language.model(
                ids,
                inputs_embeds=embeds,
                cache=cache,
                position_ids=mx.array(rows.positions)[:, None],
                visual_pos_masks=(rows.blocks >= 0)[None],
                deepstack_visual_embeds=deep,
            )
