# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Any other model that mlx-vlm loads: whole frames appended exactly, questions on forks.

Goes through what every mlx-vlm model has: its processor, `get_input_embeddings`, `make_cache`
and a language model that takes embeddings.  Knows nothing of what is inside, so it takes frames
whole and assumes that a row's position is its place in the cache; `self_test` finds out whether
that holds, and a model for which it does not is refused.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_vlm.models.cache import KVCache, make_prompt_cache
from mlx_vlm.utils import prepare_inputs
from PIL import Image

from vlmaxxing_ros.engine.errors import ModelError, Unsupported
from vlmaxxing_ros.engine.families.base import Capabilities, Family, Features, Rows
from vlmaxxing_ros.engine.families.text import ChatText, frame_text
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid, fit_grid

# The planner's blocks: what changed is found in these, whatever the model's own patches are.
_BLOCK = 32


class Generic(Family):
    """A model of unknown inside.

    `max_blocks` bounds the image that the model's processor is given, not the rows it makes of it.

    Raises:
        ModelError: the model has no image token, or its chat template shows no image.
    """

    capabilities = Capabilities(
        delta_frames=False,
        tail_refresh=False,
        incremental_vision=False,
        rewind=False,
        compression=False,
        quantized_cache=False,
    )

    def __init__(self, name: str, model: nn.Module, processor: Any, end_ids: set[int]) -> None:
        self._image_id = image_token_id(model.config)
        self._frame_text = frame_text(processor)
        text = ChatText(processor, frame_open=self._frame_text, frame_close='', end_ids=end_ids)
        super().__init__(name, model, processor, text)
        if all(type(layer) is KVCache for layer in self.make_cache()):
            # Rows of a plain cache can be dropped again, and the rest is as if they never were.
            self.capabilities = PLAIN_CACHE
        self._frame_ids = lru_cache(maxsize=8)(self._lay_out)

    @property
    def block(self) -> int:
        """Side of a block in pixels: the planner's, not the model's."""
        return _BLOCK

    def grid(self, height: int, width: int, max_blocks: int) -> Grid:
        """A grid of the planner's blocks; the model's processor resizes as it likes."""
        return fit_grid(height, width, block=_BLOCK, max_blocks=max_blocks)

    def text_rows(self, ids: list[int], base: int) -> Rows:
        """Rows stand where they are appended."""
        return self._rows(np.array(ids, np.int32), base)

    def frame_rows(self, grid: Grid, base: int, blocks: np.ndarray | None = None) -> Rows:
        """Whatever the model's processor writes for one image of this size.

        Raises:
            Unsupported: only some blocks are asked for.
        """
        if blocks is not None:
            raise Unsupported(f'{self.name} takes whole frames only')
        return self._rows(self._frame_ids(grid), base)

    def _rows(self, ids: np.ndarray, base: int) -> Rows:
        end = base + len(ids)
        positions = np.broadcast_to(np.arange(base, end, dtype=np.int32), (3, len(ids)))
        shows = ids == self._image_id
        return Rows(ids, positions, np.where(shows, np.cumsum(shows) - 1, -1), end)

    def _lay_out(self, grid: Grid) -> np.ndarray:
        blank = np.zeros((grid.height, grid.width, 3), np.uint8)
        return np.array(self._inputs(blank)['input_ids'])[0].astype(np.int32)

    def _inputs(self, pixels: np.ndarray) -> dict[str, Any]:
        """What the model's processor makes of one image: ids, pixel values and company."""
        return prepare_inputs(
            self.processor,
            images=[Image.fromarray(pixels)],
            prompts=self._frame_text,
            image_token_index=self._image_id,
        )

    def windows(self, grid: Grid) -> np.ndarray:
        """One window: a frame is encoded whole."""
        return np.zeros((grid.rows, grid.cols), np.int32)

    def encode(
        self, frame: Frame, state: Features | None, active: np.ndarray
    ) -> tuple[Features, Features]:
        """Embeddings of the rows that show something of the frame."""
        if state is not None and not len(active):
            return state, state
        inputs = self._inputs(frame.pixels)
        shown = np.flatnonzero(np.array(inputs['input_ids'])[0] == self._image_id)
        features = Features(embed(self.model, inputs)['inputs_embeds'][0, mx.array(shown)])
        return features, features

    def make_cache(self) -> list[Any]:
        """The model's own cache classes."""
        return make_prompt_cache(self.model.language_model)

    def hidden(self, rows: Rows, features: Features | None, cache: list[Any]) -> mx.array:
        """Run rows through the language model; these states are already logits."""
        ids = mx.array(rows.ids)[None]
        embeds = embed(self.model, {'input_ids': ids})['inputs_embeds']
        if features is not None:
            shown = np.flatnonzero(rows.blocks >= 0)
            embeds[0, mx.array(shown)] = features.embeds.astype(embeds.dtype)
        return self.model.language_model(ids, inputs_embeds=embeds, cache=cache).logits

    def logits(self, hidden: mx.array) -> mx.array:
        """What `hidden` returns; lazy, so that a frame's, which nobody reads, cost nothing."""
        return hidden


PLAIN_CACHE = Capabilities(
    delta_frames=False,
    tail_refresh=False,
    incremental_vision=False,
    rewind=True,
    compression=False,
    quantized_cache=False,
)


def embed(model: nn.Module, inputs: dict[str, Any]) -> dict[str, Any]:
    """What `get_input_embeddings` makes of a processor's output; absent values are left out."""
    company = {
        key: value
        for key, value in inputs.items()
        if key not in ('input_ids', 'pixel_values', 'attention_mask')
    }
    embedded = model.get_input_embeddings(
        inputs['input_ids'],
        inputs.get('pixel_values'),
        mask=inputs.get('attention_mask'),
        **company,
    )
    return {key: value for key, value in embedded.to_dict().items() if value is not None}


def image_token_id(config: Any) -> int:
    """The id that stands in a prompt where a block is shown.

    Raises:
        ModelError: the configuration names none.
    """
    for field in ('image_token_index', 'image_token_id'):
        value = getattr(config, field, None)
        if isinstance(value, int):
            return value
    raise ModelError('the model names no image token (image_token_id): it cannot be shown frames')
