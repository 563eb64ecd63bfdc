# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""FastVLM: one id, -200, stands for a whole image, and the model splices the features in.

Here each row of an image has an entry of its own, and the features are put in by us: mlx-vlm's
splice cuts the text at the wrong places where a prompt holds two images.  The picture is padded to
a square and scaled, so that every frame makes the same number of rows.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from PIL import Image

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families.base import Features, Rows
from vlmaxxing_ros.engine.families.frame_layout import FrameLayout
from vlmaxxing_ros.engine.families.generic import PLAIN_CACHE, Generic
from vlmaxxing_ros.engine.families.prompts import LABEL, MARK
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid


class FastVLM(Generic):
    """The checkpoints whose `model_type` is `llava_qwen2` or `fastvlm`."""

    capabilities = PLAIN_CACHE
    stock_images = 1

    def __init__(self, name: str, model: nn.Module, processor: Any, end_ids: set[int]) -> None:
        image_id = model.config.image_token_index
        super().__init__(name, model, processor, end_ids, image_id=image_id)

    def _lay_out(self, grid: Grid) -> FrameLayout:
        text, mark = self.text, self.processor.image_token
        parts = text.prompts.shown[1].split(mark)
        if len(parts) != 3:
            raise ModelError(f'the chat template does not write {mark} once for each image')
        head, between, rest = parts
        blank = Frame(np.zeros((grid.height, grid.width, 3), np.uint8), grid, 0, '')
        return FrameLayout(
            prefix=text.one_bos(text.control_ids(head, first=True)),
            first=[],
            later=text.control_ids(between),
            shown=[self.image_id] * len(self._embed(blank)),
            rest=text.control_ids(rest),
            before=rest.partition(MARK)[0],
        )

    def _open_labelled(self, grid: Grid, label: str) -> list[int] | None:
        text, mark = self.text, self.processor.image_token
        parts = text.prompts.labelled.replace(LABEL, label).split(mark)
        between = parts[1] if len(parts) == 3 else ''
        return text.control_ids(between) if label in between else None

    def encode(
        self, frame: Frame, state: Features | None, active: np.ndarray
    ) -> tuple[Features, Features]:
        """The projected outputs of the vision tower, row-major."""
        if state is not None and not len(active):
            return state, state
        features = Features(self._embed(frame))
        return features, features

    def _embed(self, frame: Frame) -> mx.array:
        """What the stock model computes of one image: [rows, hidden]; lazy."""
        model, images = self.model, [Image.fromarray(frame.pixels)]
        pixels = mx.array(self.processor.image_processor(images=images)['pixel_values'])
        tower = model.vision_tower
        dtype = tower.vision_model.patch_embed.blocks[0].reparam_conv.weight.dtype
        _, features, _ = tower(pixels.astype(dtype).transpose(0, 2, 3, 1))
        return model.mm_projector(features.reshape(-1, features.shape[-1]))

    def hidden(self, rows: Rows, features: Features | None, cache: list[Any]) -> mx.array:
        """Run rows through the language model; these states are already logits."""
        ids = mx.array(np.where(rows.blocks >= 0, 0, rows.ids))[None]
        embeds = self.model.language_model.model.embed_tokens(ids)
        if features is not None:
            shown = np.flatnonzero(rows.blocks >= 0)
            embeds[0, mx.array(shown)] = features.embeds.astype(embeds.dtype)
        return self.model.language_model(ids, inputs_embeds=embeds, cache=cache).logits
