# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Qwen2-VL and Qwen2.5-VL: M-RoPE rows, the stock language model, the vision tower by windows.

The model keeps `_rope_deltas` and `_position_ids` on itself for its own generation loop; this
module never goes through them: every row carries its position.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_vlm.models.cache import make_prompt_cache

from vlmaxxing_ros.engine.families.base import Capabilities, Family, Features, Rows
from vlmaxxing_ros.engine.families.quantized_cache import quantized
from vlmaxxing_ros.engine.families.qwen_tower import QwenTower, TowerState
from vlmaxxing_ros.engine.families.text import ChatText
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid


class Qwen2VL(Family):
    """Both generations: they differ in the vision tower's windows only."""

    capabilities = Capabilities(
        delta_frames=True,
        tail_refresh=True,
        incremental_vision=True,
        as_of=True,
        rewind=True,
        compression=True,
        quantized_cache=True,
        notes=True,
        carry=True,
    )

    def __init__(self, name: str, model: nn.Module, processor: Any, end_ids: set[int]) -> None:
        text = ChatText(processor, model.config.model_type, end_ids)
        text.frames_between('<|vision_start|>', '<|vision_end|>')
        super().__init__(name, model, processor, text, model.config.image_token_id)
        self._tower = QwenTower(model.vision_tower, processor.image_processor)
        self._language = model.language_model
        ids = processor.tokenizer.convert_tokens_to_ids
        self._open, self._close = ids('<|vision_start|>'), ids('<|vision_end|>')

    @property
    def block(self) -> int:
        """Side of a block in pixels."""
        return self._tower.block

    def text_rows(self, ids: list[int], base: int) -> Rows:
        """Text advances all three positions together."""
        positions = np.arange(base, base + len(ids), dtype=np.int32)
        return Rows(
            np.array(ids, np.int32),
            np.broadcast_to(positions, (3, len(ids))),
            np.full(len(ids), -1, np.int32),
            base + len(ids),
        )

    def frame_rows(self, grid: Grid, base: int, blocks: np.ndarray | None = None) -> Rows:
        """An opening row, the blocks at (base, base + row, base + col), a closing row.

        The next position follows the full grid's extent whichever blocks are shown, so that a
        delta frame with every block fresh is a keyframe.
        """
        shown = np.arange(grid.blocks) if blocks is None else np.asarray(blocks)
        close = base + 1 + max(grid.rows, grid.cols)
        positions = np.empty((3, len(shown) + 2), np.int32)
        positions[:, 0] = base
        positions[0, 1:-1] = base + 1
        positions[1, 1:-1] = base + 1 + shown // grid.cols
        positions[2, 1:-1] = base + 1 + shown % grid.cols
        positions[:, -1] = close
        ids = np.full(len(shown) + 2, self.image_id, np.int32)
        ids[0], ids[-1] = self._open, self._close
        index = np.concatenate([[-1], shown, [-1]]).astype(np.int32)
        return Rows(ids, positions, index, close + 1)

    def windows(self, grid: Grid) -> np.ndarray:
        """Each block's attention window, int32 [rows, cols]."""
        return self._tower.layout(grid).window_of_block.reshape(grid.rows, grid.cols)

    def frame_bytes(self, grid: Grid) -> int:
        """What the tower takes for a whole frame."""
        return self._tower.peak_bytes(grid)

    def encode(
        self, frame: Frame, state: TowerState | None, active: np.ndarray
    ) -> tuple[Features, TowerState]:
        """Encode the active windows; see `QwenTower.encode`."""
        state, milestones = self._tower.encode(frame, state, active)
        return Features(state.merged, state.deep, milestones), state

    def make_cache(self) -> list[Any]:
        """The model's own cache classes, or mlx-vlm's quantised one where it is asked for."""
        layers = make_prompt_cache(self._language)
        if not self.cache_bits:
            return layers
        attention = next(
            layer.self_attn for layer in self._language.model.layers if 'self_attn' in layer
        )
        return quantized(layers, bits=self.cache_bits, head_dim=attention.head_dim)

    def hidden(self, rows: Rows, features: Features | None, cache: list[Any]) -> mx.array:
        """Run rows through the layers, with explicit positions."""
        ids = mx.array(rows.ids)[None]
        embeds = self._language.model.embed_tokens(ids)
        if features is not None:
            shown = np.flatnonzero(rows.blocks >= 0)
            embeds[0, mx.array(shown)] = features.embeds.astype(embeds.dtype)
        with self._showing(rows):
            return self._language.model(
                ids,
                inputs_embeds=embeds,
                cache=cache,
                position_ids=mx.array(rows.positions)[:, None],
            )

    def turned(self, number: int, keys: mx.array, by: int) -> mx.array:
        """Through the layer's own rotary embedding: turning once more adds to the position."""
        rotary = self._language.model.layers[number].self_attn.rotary_emb
        places = mx.full((3, 1, keys.shape[2]), by, mx.int32)
        turned: mx.array = rotary.apply_rotary(keys, keys, places)[1]
        return turned.astype(keys.dtype)

    def _decoder_layers(self) -> list[nn.Module]:
        return list(self._language.model.layers)

    def logits(self, hidden: mx.array) -> mx.array:
        """The output head."""
        if self._language.args.tie_word_embeddings:
            return self._language.model.embed_tokens.as_linear(hidden)
        return self._language.lm_head(hidden)
