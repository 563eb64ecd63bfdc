# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Gemma 4: sliding windows, shared keys and values, and images that see themselves whole.

Most layers keep the newest `sliding_window` rows only, in a cache that rotates: a tail is
prefilled on a fork of the history.  Where the configuration asks for it, the blocks of an image
attend to each other in both directions, window or not.  mlx-vlm's own mask does that for an image
in a prompt's first chunk only; here the masks are built per layer for every chunk, so that a frame
appended to a prefix is what it is in one cold prefill, and a block that is recomputed in place sees
the current keys and values of its whole frame.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_vlm.models.cache import make_prompt_cache
from mlx_vlm.models.gemma4.processing_gemma4 import get_aspect_ratio_preserving_size
from PIL import Image

from vlmaxxing_ros.engine.errors import InvalidFrame, Unsupported
from vlmaxxing_ros.engine.families.base import Capabilities, Family, Features, Rows
from vlmaxxing_ros.engine.families.frame_layout import label_opening, lay_out
from vlmaxxing_ros.engine.families.gemma_tower import GemmaTower
from vlmaxxing_ros.engine.families.text import ChatText
from vlmaxxing_ros.engine.families.window_writer import RowRope, WindowWriter, rewind_window
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid

# An image is scaled to fill one of these numbers of blocks: the model has seen no others.
_BUDGETS = (70, 140, 280, 560, 1120)


class Gemma4(Family):
    """Dense, mixture of experts, and the small ones with per-layer inputs."""

    capabilities = Capabilities(
        delta_frames=False,
        tail_refresh=True,
        incremental_vision=True,
        as_of=True,
        rewind=False,
        compression=False,
        quantized_cache=False,
        notes=False,
        carry=False,
    )

    def __init__(self, name: str, model: nn.Module, processor: Any, end_ids: set[int]) -> None:
        text = ChatText(processor, model.config.model_type, end_ids)
        super().__init__(name, model, processor, text, model.config.image_token_id)
        self._language = model.language_model
        self._tower = self._make_tower(model)
        side = 4 * self.block
        shown = lay_out(processor, text, self.image_id, side, side)
        text.frames_behind(shown.prefix, shown.before)
        # What the template writes around an image belongs to the frame.
        self._first, self._later, self._layout = shown.first, shown.later, shown
        self._labelled = lru_cache(maxsize=32)(self._open_labelled)
        self._close = [id_ for id_ in shown.shown if id_ != self.image_id]
        asked = getattr(model.config.text_config, 'use_bidirectional_attention', None)
        self._sees_whole_images = asked == 'vision'
        for layer in self._decoder_layers():
            attention: Any = layer.self_attn
            if not isinstance(attention.rope, RowRope):
                attention.rope = RowRope(attention.rope)

    def _make_tower(self, model: nn.Module) -> Any:
        return GemmaTower(model.vision_tower, model.embed_vision)

    @property
    def block(self) -> int:
        """Side of a block in pixels."""
        vision = self.model.config.vision_config
        return int(vision.patch_size * vision.pooling_kernel_size)

    def grid(self, height: int, width: int, max_blocks: int) -> Grid:
        """The stock processor's rule: scale the image, up or down, to fill its budget of blocks.

        Raises:
            InvalidFrame: an image without pixels, or one so long and thin that no grid fits.
        """
        if height < 1 or width < 1:
            raise InvalidFrame(f'image of {width}x{height} pixels: both sides must be at least 1')
        limit = min(max_blocks, self.processor.image_processor.max_soft_tokens)
        budget = max((b for b in _BUDGETS if b <= limit), default=limit)
        vision = self.model.config.vision_config
        pool = vision.pooling_kernel_size
        try:
            rows, cols = (
                side // self.block
                for side in get_aspect_ratio_preserving_size(
                    height, width, vision.patch_size, budget * pool**2, pool
                )
            )
        except ValueError as error:
            raise InvalidFrame(f'image of {width}x{height} pixels: {error}') from error
        return Grid(rows, cols, self.block)

    def text_rows(self, ids: list[int], base: int) -> Rows:
        """Rows stand where they are appended."""
        return _rows(np.array(ids, np.int32), np.full(len(ids), -1, np.int32), base)

    def frame_rows(self, grid: Grid, base: int, blocks: np.ndarray | None = None) -> Rows:
        """Opening text, the blocks, closing text.

        Raises:
            Unsupported: only some blocks are asked for.
        """
        if blocks is not None:
            raise Unsupported(f'{self.name} takes whole frames only')
        opening = self._first if base == len(self.text.prefix_ids) else self._later
        return self._opened(opening, grid, base)

    def labelled_rows(self, label: str, frame: Frame, base: int) -> Rows:
        """What the template writes for a text and an image."""
        opening = self._labelled(label)
        if opening is None:
            raise self._no_labels()
        return self._opened(opening, frame.grid, base)

    def _open_labelled(self, label: str) -> list[int] | None:
        blank = Image.new('RGB', (4 * self.block, 4 * self.block))
        return label_opening(self.processor, self.text, self.image_id, self._layout, blank, label)

    def _opened(self, opening: list[int], grid: Grid, base: int) -> Rows:
        """A frame's rows behind what opens it."""
        ids = [*opening, *[self.image_id] * grid.blocks, *self._close]
        shown = np.full(len(ids), -1, np.int32)
        shown[len(opening) :][: grid.blocks] = np.arange(grid.blocks)
        return _rows(np.array(ids, np.int32), shown, base)

    def windows(self, grid: Grid) -> np.ndarray:
        """One block is a window: the tower's attention is global."""
        return np.arange(grid.blocks, dtype=np.int32).reshape(grid.rows, grid.cols)

    def frame_bytes(self, grid: Grid) -> int:
        """What the tower takes for a whole image; without one it is not known."""
        return self._tower.peak_bytes(grid) if self._tower else 0

    def encode(self, frame: Frame, state: Any, active: np.ndarray) -> tuple[Features, Any]:
        """Encode the blocks in `active`; see `GemmaTower.encode`."""
        pixels = self._normalized(frame.pixels)
        state = self._tower.encode(pixels, frame.grid, state, active)
        return Features(state.features), state

    def _normalized(self, pixels: np.ndarray) -> np.ndarray:
        """What the stock processor makes of RGB values: uint8 [..., 3] to float32."""
        processor = self.processor.image_processor
        scaled = pixels.astype(np.float32) * processor.rescale_factor
        if not processor.do_normalize:
            return scaled
        mean, std = (np.array(p, np.float32) for p in (processor.image_mean, processor.image_std))
        return (scaled - mean) / std

    def make_cache(self) -> list[Any]:
        """The model's own cache classes; layers that share keys and values have none."""
        return make_prompt_cache(self._language)

    def hidden(self, rows: Rows, features: Features | None, cache: list[Any]) -> mx.array:
        """Run rows through the layers; the blocks of each frame see each other."""
        ids = mx.array(rows.ids)[None]
        embedded = self.model.get_input_embeddings(ids)
        embeds, layers = embedded.inputs_embeds, cache
        if features is not None:
            shown = np.flatnonzero(rows.blocks >= 0)
            embeds[0, mx.array(shown)] = features.embeds.astype(embeds.dtype)
            if self._sees_whole_images and not isinstance(cache[0], WindowWriter):
                mutual = mx.array(_mutual(rows.blocks))
                layers = [_ImageMask(layer, mutual) for layer in cache]
        with self._showing(rows):
            return self._language.model(
                ids,
                inputs_embeds=embeds,
                cache=layers,
                per_layer_inputs=embedded.per_layer_inputs,
            )

    def _decoder_layers(self) -> list[nn.Module]:
        return list(self._language.model.layers)

    def row_writers(self, layers: list[Any], rows: np.ndarray, tail: Rows, start: int) -> list[Any]:
        """Rows of a frame lie in every layer's window, and see their whole frame as it is now."""
        before = np.zeros(start, bool)
        image = np.concatenate([before, tail.blocks >= 0]) if self._sees_whole_images else None
        return [WindowWriter(layer, rows + start, image) for layer in layers]

    def rewind(self, layers: list[Any], surplus: int, kept: list[Any] | None = None) -> bool:
        """Rows can be taken back as long as what they had pushed out of the windows is not missed.

        That is so behind the frame before the tail, and while the windows are not full.
        """
        return rewind_window(layers, surplus)

    def logits(self, hidden: mx.array) -> mx.array:
        """The output head."""
        return self._language.logits_from_hidden(hidden)


def _rows(ids: np.ndarray, blocks: np.ndarray, base: int) -> Rows:
    end = base + len(ids)
    positions = np.broadcast_to(np.arange(base, end, dtype=np.int32), (3, len(ids)))
    return Rows(ids, positions, blocks, end)


def _mutual(blocks: np.ndarray) -> np.ndarray:
    """Which rows see each other as parts of one image: bool [rows, rows]."""
    shows = blocks >= 0
    image = np.cumsum(shows & ~np.concatenate([[False], shows[:-1]]))
    return shows[:, None] & shows[None] & (image[:, None] == image[None])


class _ImageMask:
    """Stands in for one layer's cache while a frame is appended, and widens its mask.

    Knows mlx-vlm's cache protocol: `make_mask`, `offset`, `update_and_fetch`.
    """

    def __init__(self, layer: Any, mutual: mx.array) -> None:
        self._layer = layer
        self._mutual = mutual

    @property
    def offset(self) -> int:
        """Rows that the layer has seen."""
        return self._layer.offset

    def make_mask(self, count: int, window_size: int | None = None, **_: Any) -> mx.array:
        """The layer's own mask, and the images' on its newest columns: bool [rows, columns]."""
        mask = self._layer.make_mask(count, window_size=window_size, return_array=True)
        return mx.concatenate([mask[:, :-count], mask[:, -count:] | self._mutual], axis=1)

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """Append to the layer."""
        return self._layer.update_and_fetch(keys, values)
