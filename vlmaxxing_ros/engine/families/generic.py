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
from vlmaxxing_ros.engine.families.frame_layout import FrameLayout, label_opening, lay_out
from vlmaxxing_ros.engine.families.recurrent import is_recurrent, rewind_states, states
from vlmaxxing_ros.engine.families.text import ChatText
from vlmaxxing_ros.engine.families.window_writer import is_windowed, rewind_window
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid, fit_grid

# The planner's blocks: what changed is found in these, whatever the model's own patches are.
_BLOCK = 32
# Processors that cut a picture into tiles make rows by the hundred: a stream shows it whole.  Nor
# can it number its frames, since the oldest are dropped again.
_WHOLE = {
    'do_image_splitting': False,  # Idefics3, SmolVLM, LFM2-VL
    'do_pan_and_scan': False,  # Gemma 3
    'crop_to_patches': False,  # InternVL in transformers' form
    'do_dynamic_preprocess': False,  # InternVL in mlx-vlm's
    'slice_mode': False,  # MiniCPM-V
    'use_image_id': False,  # MiniCPM-V
}


class Generic(Family):
    """A model of unknown inside.

    Args:
        image_id: the id that stands in a prompt where a block is shown.

    Raises:
        ModelError: the chat template or the processor shows no images one after the other.
    """

    counts_rows = True
    capabilities = Capabilities(
        delta_frames=False,
        tail_refresh=False,
        incremental_vision=False,
        as_of=False,
        rewind=False,
        compression=False,
        quantized_cache=False,
        notes=False,
        carry=False,
    )

    def __init__(
        self, name: str, model: nn.Module, processor: Any, end_ids: set[int], *, image_id: int
    ) -> None:
        show_whole(processor)
        text = ChatText(processor, model.config.model_type, end_ids)
        super().__init__(name, model, processor, text, image_id)
        layers = self.make_cache()
        if all(type(layer) is KVCache for layer in layers):
            # Rows of a plain cache can be dropped again, and the rest is as if they never were.
            self.capabilities = PLAIN_CACHE
        elif is_windowed(layers) or is_recurrent(layers):
            self.capabilities = GOES_BACK
        self._layout = lru_cache(maxsize=32)(self._lay_out)
        self._labelled = lru_cache(maxsize=32)(self._open_labelled)
        self._fitting = lru_cache(maxsize=32)(self._fit)
        shown = self._layout(Grid(4, 4, _BLOCK))
        text.frames_behind(shown.prefix, shown.before)
        text.ends_with(shown.rest)

    @property
    def block(self) -> int:
        """Side of a block in pixels: the planner's, not the model's."""
        return _BLOCK

    def grid(self, height: int, width: int, max_blocks: int) -> Grid:
        """A grid of the planner's blocks, for which the model makes `max_blocks` rows at most.

        Where its processor makes a fixed number of rows of any picture, it makes those.
        """
        return self._fitting(height, width, max_blocks)

    def _fit(self, height: int, width: int, max_blocks: int) -> Grid:
        grid = fit_grid(height, width, block=_BLOCK, max_blocks=max_blocks)
        rows = self._blocks(grid)
        while rows > max_blocks and grid.blocks > 1:
            fewer = max(1, min(grid.blocks - 1, grid.blocks * max_blocks // rows))
            smaller = fit_grid(height, width, block=_BLOCK, max_blocks=fewer)
            if (left := self._blocks(smaller)) >= rows:
                break
            grid, rows = smaller, left
        return grid

    def _blocks(self, grid: Grid) -> int:
        return self._layout(grid).shown.count(self.image_id)

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
        layout = self._layout(grid)
        opening = layout.first if base == len(self.text.prefix_ids) else layout.later
        return self._rows(np.array([*opening, *layout.shown], np.int32), base)

    def labelled_rows(self, label: str, frame: Frame, base: int) -> Rows:
        """Whatever the model's template and processor write for a text and one image."""
        opening, layout = self._labelled(frame.grid, label), self._layout(frame.grid)
        if opening is None:
            raise self._no_labels()
        return self._rows(np.array([*opening, *layout.shown], np.int32), base)

    def _open_labelled(self, grid: Grid, label: str) -> list[int] | None:
        blank = Image.new('RGB', (grid.width, grid.height))
        layout = self._layout(grid)
        return label_opening(self.processor, self.text, self.image_id, layout, blank, label)

    def _rows(self, ids: np.ndarray, base: int) -> Rows:
        end = base + len(ids)
        positions = np.broadcast_to(np.arange(base, end, dtype=np.int32), (3, len(ids)))
        shows = ids == self.image_id
        return Rows(ids, positions, np.where(shows, np.cumsum(shows) - 1, -1), end)

    def _lay_out(self, grid: Grid) -> FrameLayout:
        return lay_out(self.processor, self.text, self.image_id, grid.width, grid.height)

    def _inputs(self, pixels: np.ndarray) -> dict[str, Any]:
        """What the model's processor makes of one image: ids, pixel values and company."""
        return prepare_inputs(
            self.processor,
            images=[Image.fromarray(pixels)],
            prompts=self.text.prompts.shown[0],
            image_token_index=self.image_id,
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
        shown = np.flatnonzero(np.array(inputs['input_ids'])[0] == self.image_id)
        features = Features(embed(self.model, inputs)['inputs_embeds'][0, mx.array(shown)])
        return features, features

    def make_cache(self) -> list[Any]:
        """The model's own cache classes."""
        return make_prompt_cache(self.model.language_model)

    def kept(self, layers: list[Any]) -> list[Any] | None:
        """Recurrent states, where the cache has them beside rows that can be dropped."""
        return states(layers) if is_recurrent(layers) else None

    def rewind(self, layers: list[Any], surplus: int, kept: list[Any] | None = None) -> bool:
        """Any rows of a plain cache; with windows or recurrent states as far as they can."""
        if is_windowed(layers):
            return rewind_window(layers, surplus)
        return is_recurrent(layers) and rewind_states(layers, surplus, kept)

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
    as_of=True,
    rewind=True,
    compression=False,
    quantized_cache=False,
    notes=False,
    carry=False,
)

GOES_BACK = Capabilities(
    delta_frames=False,
    tail_refresh=False,
    incremental_vision=False,
    as_of=True,
    rewind=False,
    compression=False,
    quantized_cache=False,
    notes=False,
    carry=False,
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


def show_whole(processor: Any) -> None:
    """Keep a processor from tiling pictures and numbering them, where it can be told."""
    images = getattr(processor, 'image_processor', None)
    for setting, value in _WHOLE.items():
        if hasattr(images, setting):
            setattr(images, setting, value)


def _filler_id(processor: Any) -> int | None:
    """The id with which MiniCPM-o's processor keeps the places of an image's rows."""
    filler = getattr(getattr(processor, 'image_processor', None), 'unk', None)
    return processor.tokenizer.convert_tokens_to_ids(filler) if isinstance(filler, str) else None


def image_token_id(model_config: Any, config: dict[str, Any], processor: Any) -> int:
    """The id that stands in a prompt where a block is shown.

    Args:
        model_config: mlx-vlm's, which may have left out what it does not need.
        config: config.json's content.
        processor: the model's, which knows it best where the tokenizer was extended.

    Raises:
        ModelError: none of them names it.
    """
    names = ('image_token_index', 'image_token_id')
    found = [
        getattr(processor, 'img_context_token_id', None),
        *(getattr(model_config, name, None) for name in names),
        *(config.get(name) for name in names),
        getattr(processor, 'image_token_id', None),
        _filler_id(processor),
    ]
    for value in found:
        if isinstance(value, int):
            return value
    raise ModelError('the model names no image token (image_token_id): it cannot be shown frames')
