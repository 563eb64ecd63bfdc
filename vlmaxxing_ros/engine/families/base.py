# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the engine asks of a model family, and the values that pass between them.

A family turns text and frames into rows of the context and runs them through its model.  It
keeps nothing about a stream: every state is passed in and returned, so that any number of
sessions share one model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten

from vlmaxxing_ros.engine.errors import ModelError, Unsupported
from vlmaxxing_ros.engine.families.row_writer import row_writer
from vlmaxxing_ros.engine.families.text import ChatText
from vlmaxxing_ros.engine.families.visual_experts import VisualExperts, install
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid, fit_grid


def capability(title: str, meaning: str) -> Any:
    """Declare one capability: a dataclass field that carries its own documentation."""
    return field(metadata={'title': title, 'meaning': meaning})


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a family can do; shown by the doctor, in diagnostics and in the documentation."""

    delta_frames: bool = capability(
        'delta frames', 'part of a frame can stand in the history, each block at its position'
    )
    tail_refresh: bool = capability(
        'tail refresh', 'the fresh blocks of the newest frame can be recomputed in place'
    )
    incremental_vision: bool = capability(
        'incremental vision', 'windows without a fresh block need not be encoded'
    )
    as_of: bool = capability(
        'as_of',
        'questions about the past; with windows (Gemma 4): as far back as they reach; with '
        'recurrent state: about keyframes',
    )
    rewind: bool = capability(
        'rewind', 'the cache can drop any of its newest rows: a tail needs no fork of the history'
    )
    compression: bool = capability(
        'compression', 'rows can be removed from the middle of the cache (InfiniPot-V)'
    )
    quantized_cache: bool = capability(
        'quantised KV', "keys and values can be kept in 8 or 4 bits (mlx-vlm's own cache)"
    )
    notes: bool = capability('notes', 'a line of text can stand between two frames of the history')
    carry: bool = capability(
        'carry',
        'rows of a frame can be copied to another place instead of prefilled again; each model is '
        'tested for it when it is loaded',
    )


@dataclass(frozen=True)
class Rows:
    """Rows of the context, and where they stand.

    Attributes:
        ids: int32 [rows], token ids; placeholders where a block stands.
        positions: int32 [3, rows], (t, h, w) rotary positions.
        blocks: int32 [rows], index of the block that a row shows, -1 for text.
        end: the position at which the next rows begin.
    """

    ids: np.ndarray
    positions: np.ndarray
    blocks: np.ndarray
    end: int

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def join(cls, parts: list[Rows]) -> Rows:
        """Consecutive rows as one."""
        return cls(
            np.concatenate([rows.ids for rows in parts]),
            np.concatenate([rows.positions for rows in parts], axis=1),
            np.concatenate([rows.blocks for rows in parts]),
            parts[-1].end,
        )

    def take(self, index: np.ndarray) -> Rows:
        """The rows at `index` (int [n]), each keeping its position."""
        return replace(
            self,
            ids=self.ids[index],
            positions=self.positions[:, index],
            blocks=self.blocks[index],
        )


@dataclass(frozen=True)
class Features:
    """What the vision tower says about a frame's blocks, in row-major order.

    Attributes:
        embeds: [blocks, hidden], the rows that enter the language model.
        deep: further [blocks, hidden] arrays, added after the first layers (deepstack).
        milestones: arrays on the way to these, in the order in which they are computed, so that
            lazy features can be evaluated step by step; none once they have been.
    """

    embeds: mx.array
    deep: tuple[mx.array, ...] = ()
    milestones: tuple[mx.array, ...] = ()

    def take(self, blocks: np.ndarray) -> Features:
        """The features of the blocks at `blocks` (int [n])."""
        index = mx.array(blocks)
        return Features(self.embeds[index], tuple(d[index] for d in self.deep))

    def arrays(self) -> list[mx.array]:
        """Every array, for evaluation."""
        return [self.embeds, *self.deep]


class Family(ABC):
    """A model and everything that is particular to its kind.

    Attributes:
        name: by which it was loaded.
        model: mlx-vlm's.
        processor: mlx-vlm's.
        text: its prompts and tokens.
        image_id: the id that stands in a prompt where a block is shown.
        stock_images: how many images mlx-vlm's own path shows rightly in one prompt, if not any.
        counts_rows: it takes a row's place in the cache for its position.
    """

    capabilities: Capabilities
    cache_bits = 0
    stock_images = 1_000_000
    counts_rows = False
    _experts: VisualExperts | None = None

    def __init__(
        self, name: str, model: nn.Module, processor: Any, text: ChatText, image_id: int
    ) -> None:
        self.name = name
        self.model = model
        self.processor = processor
        self.text = text
        self.image_id = image_id

    def quantize_cache(self, bits: int) -> None:
        """Keep keys and values in `bits` bits from the next cache on; 0: as they are computed.

        Raises:
            ModelError: the family cannot, or not in this many bits.
        """
        if bits and not self.capabilities.quantized_cache:
            raise ModelError(f'{self.name} cannot quantise its cache: set kv_bits to 0')
        if bits not in (0, 4, 8):
            raise ModelError(f'kv_bits must be 0, 4 or 8, not {bits}')
        self.cache_bits = bits
        # Rows of packed integers cannot be picked out head by head, nor turned.
        able = type(self).capabilities.compression and not bits
        carries = self.capabilities.carry and not bits
        self.capabilities = replace(self.capabilities, compression=able, carry=carries)

    def spare_experts(self, count: int) -> None:
        """Send visual rows through `count` experts from now on; 0: leave the model as it is.

        Raises:
            ModelError: the model has no experts, or no more than `count` per row.
        """
        if count:
            self._experts = install(self._decoder_layers(), count)

    def _decoder_layers(self) -> list[nn.Module]:
        """The language model's layers, where the family knows them."""
        return []

    def _showing(self, rows: Rows) -> AbstractContextManager[None]:
        """What `hidden` runs its layers in."""
        return self._experts.showing(rows.blocks) if self._experts else nullcontext()

    @property
    @abstractmethod
    def block(self) -> int:
        """Side of a block in pixels."""

    def grid(self, height: int, width: int, max_blocks: int) -> Grid:
        """The block grid for images of this size: within `max_blocks` and the model's own limits.

        Raises:
            InvalidFrame: no grid fits.
        """
        processor = self.processor.image_processor
        area = self.block**2
        return fit_grid(
            height,
            width,
            block=self.block,
            max_blocks=min(max_blocks, max(1, processor.max_pixels // area)),
            min_blocks=min(max_blocks, -(-processor.min_pixels // area)),
        )

    @abstractmethod
    def text_rows(self, ids: list[int], base: int) -> Rows:
        """Rows of text that begin at position `base`."""

    @abstractmethod
    def frame_rows(self, grid: Grid, base: int, blocks: np.ndarray | None = None) -> Rows:
        """Rows of a frame that begins at position `base`: all its blocks, or those at `blocks`."""

    def caption(self, frame: Frame) -> str:
        """Text that stands before a frame: none in most families."""
        return ''

    def caption_ids(self, frame: Frame) -> list[int]:
        """The caption's tokens."""
        text = self.caption(frame)
        return self.text.control_ids(text) if text else []

    def captioned_rows(self, frame: Frame, base: int, blocks: np.ndarray | None = None) -> Rows:
        """A frame's caption, then its rows."""
        ids = self.caption_ids(frame)
        if not ids:
            return self.frame_rows(frame.grid, base, blocks)
        caption = self.text_rows(ids, base)
        return Rows.join([caption, self.frame_rows(frame.grid, caption.end, blocks)])

    def labelled_rows(self, label: str, frame: Frame, base: int) -> Rows:
        """A frame of another camera behind its label, and its caption, then its rows.

        They are what the chat template writes for a text before an image that is not the first.

        Raises:
            Unsupported: it writes that otherwise, or not at all.
        """
        if not self.text.labels:
            raise self._no_labels()
        opening = self.text_rows(self.text.plain_ids(label + self.caption(frame)), base)
        return Rows.join([opening, self.frame_rows(frame.grid, opening.end)])

    def _no_labels(self) -> Unsupported:
        return Unsupported(
            f'{self.name} shows no text between two images, so that several cameras could not be '
            'told apart: ask about one at a time'
        )

    @abstractmethod
    def windows(self, grid: Grid) -> np.ndarray:
        """The vision tower's attention windows: int32 [rows, cols], each block's window."""

    def frame_bytes(self, grid: Grid) -> int:
        """Bytes that encoding a frame takes at its peak, estimated; 0: not known."""
        return 0

    @property
    def nbytes(self) -> int:
        """Bytes of the model's weights."""
        return sum(array.nbytes for _, array in tree_flatten(self.model.parameters()))

    @abstractmethod
    def encode(self, frame: Frame, state: Any, active: np.ndarray) -> tuple[Features, Any]:
        """Run the vision tower on the windows in `active` (int [n]), reusing `state` elsewhere.

        With `state` None every window must be active.  Returns the whole frame's features and
        the state for the next call; `state` itself is left as it was.
        """

    @abstractmethod
    def make_cache(self) -> list[Any]:
        """An empty cache: one entry per layer, of mlx-vlm's own classes."""

    @abstractmethod
    def hidden(self, rows: Rows, features: Features | None, cache: list[Any]) -> mx.array:
        """Run rows through the language model, adding them to `cache`; lazy.

        `features` are those of the blocks that the rows show, in the rows' order.
        Returns the last hidden states, [1, rows, hidden].
        """

    @abstractmethod
    def logits(self, hidden: mx.array) -> mx.array:
        """Next-token logits for hidden states: [..., hidden] to [..., vocabulary]."""

    def row_writers(self, layers: list[Any], rows: np.ndarray, tail: Rows, start: int) -> list[Any]:
        """Stand-ins for a cache's layers through which `hidden` recomputes rows of the tail.

        Args:
            layers: the cache.
            rows: int [n], which of the tail's rows.
            tail: the tail's rows, the newest in the cache.
            start: how many rows come before it.
        """
        places = mx.array(rows + start)
        mask = mx.arange(start + len(tail))[None] <= places[:, None]
        return [row_writer(layer, places, mask) for layer in layers]

    def turned(self, number: int, keys: mx.array, by: int) -> mx.array:
        """Keys of layer `number` as they are `by` positions further on, in the type that they have.

        Args:
            number: of the layer, from 0.
            keys: [1, heads, rows, dimension], of any rows.
            by: the same for all of them, and for t, h and w.

        Raises:
            Unsupported: the family cannot.
        """
        raise Unsupported(f'{self.name} cannot copy rows to another place')

    def kept(self, layers: list[Any]) -> list[Any] | None:
        """What has to be kept of a cache, besides its rows, to come back to it; lazy.

        None in most families: dropping rows is enough.
        """
        return None

    def rewind(self, layers: list[Any], surplus: int, kept: list[Any] | None = None) -> bool:
        """Drop the newest `surplus` rows of a cache; False, and nothing is done, if it cannot.

        `kept` is what the method of that name gave before they came.
        """
        if not self.capabilities.rewind:
            return False
        for layer in layers:
            layer.trim(surplus)
        return True
