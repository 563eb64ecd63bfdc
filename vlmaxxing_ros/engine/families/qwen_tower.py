# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The Qwen vision towers, one attention window at a time.

Windows without a fresh block are not computed.  In windowed layers a window sees only itself;
in full-attention layers the active windows' queries attend to the cached keys and values of the
whole frame, into which their own are written first.  With every window active this performs the
stock tower's operations on the stock tower's arrays.  Qwen2-VL's and Qwen3-VL's towers attend
globally in every layer: there a window is one block.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_vlm.models.base import ensure_fused_sdpa

from vlmaxxing_ros.engine.families.tower_memory import TowerShape
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid


@dataclass(frozen=True)
class WindowLayout:
    """How a grid's blocks fall into windows.

    Attributes:
        window_of_block: int32 [blocks], row-major.
        blocks_of_window: for each window its blocks, in the tower's order.
        angles: float [blocks, merge * merge, head_dim / 2], rotary angles, row-major.
        places: [blocks, merge * merge, hidden], learned position embeddings, row-major, where
            the tower has them (Qwen3-VL).
    """

    window_of_block: np.ndarray
    blocks_of_window: list[np.ndarray]
    angles: mx.array
    places: mx.array | None = None


@dataclass(frozen=True)
class TowerState:
    """What one encoded frame leaves for the next; replaced, never written to.

    Attributes:
        keys: per full-attention layer [1, heads, patches, head_dim], in the tower's order.
        values: likewise.
        merged: [blocks, hidden], the tower's output, row-major.
        deep: likewise, the outputs of its deepstack mergers, shallowest first (Qwen3-VL).
    """

    keys: tuple[mx.array, ...]
    values: tuple[mx.array, ...]
    merged: mx.array
    deep: tuple[mx.array, ...] = ()

    def arrays(self) -> list[mx.array]:
        """Every array, for evaluation."""
        return [*self.keys, *self.values, self.merged, *self.deep]


class QwenTower:
    """A stock vision tower, run on the active windows only."""

    def __init__(self, tower: nn.Module, image_processor: Any) -> None:
        self._tower = tower
        config = tower.config
        self._patch = config.patch_size
        self._merge = config.spatial_merge_size
        self._temporal = config.temporal_patch_size
        self.block = self._patch * self._merge
        depth = len(tower.blocks)
        # Only Qwen2.5-VL has windows: elsewhere every layer attends to the whole frame.
        self._windowed = hasattr(tower, 'get_window_index')
        self._full = set(config.fullatt_block_indexes if self._windowed else range(depth))
        # Deepstack: after some layers a merger of its own makes features for the language model.
        self._taps = list(getattr(tower, 'deepstack_visual_indexes', ()))
        # Qwen3-VL's tower pads narrow heads to a width that has a fused kernel.
        self._attend = ensure_fused_sdpa if hasattr(tower, 'pos_embed') else _attend
        weight, heads = tower.patch_embed.proj.weight, config.num_heads
        self._shape = TowerShape(
            heads=heads,
            head_dim=len(weight) // heads,
            kept=2 * len(self._full) + depth,
            values=weight[0].size,
            itemsize=weight.itemsize,
            pads=self._attend is ensure_fused_sdpa,
        )
        # The stock preprocessing is a function of one 8-bit value and its channel.
        levels = np.arange(256, dtype=np.uint8).astype(np.float32)
        levels = levels * image_processor.rescale_factor
        mean = np.array(image_processor.image_mean, np.float32)
        std = np.array(image_processor.image_std, np.float32)
        self._levels = ((levels[:, None] - mean) / std).astype(np.float32)
        self.layout = lru_cache(maxsize=8)(self._layout)

    def _layout(self, grid: Grid) -> WindowLayout:
        thw = mx.array([[1, grid.rows * self._merge, grid.cols * self._merge]])
        blocks = np.arange(grid.blocks, dtype=np.int32)
        if self._windowed:
            order, _ = self._tower.get_window_index(thw)
            side = self._tower.window_size // self._merge // self._patch
            per_row = -(-grid.cols // side)
            window = (blocks // grid.cols // side) * per_row + blocks % grid.cols // side
            members = np.split(np.array(order), np.cumsum(np.bincount(window))[:-1])
        else:
            window, members = blocks, list(blocks[:, None])
        angles = self._tower.rot_pos_emb(thw).reshape(grid.blocks, self._merge**2, -1)
        places = None
        if hasattr(self._tower, 'pos_embed'):
            places = self._tower.fast_pos_embed_interpolate(thw)
            places = places.reshape(grid.blocks, self._merge**2, -1)
        return WindowLayout(window.astype(np.int32), members, angles, places)

    def peak_bytes(self, grid: Grid) -> int:
        """Bytes that encoding a whole frame takes at its peak, estimated."""
        patches = grid.blocks * self._merge**2
        if self._full:
            return self._shape.peak(patches, patches)
        return self._shape.peak(patches, (self._tower.window_size // self._patch) ** 2)

    def _patches(self, frame: Frame, blocks: np.ndarray) -> mx.array:
        """Normalised patches of some blocks: float32 [blocks * merge^2, patch values]."""
        p, m = self._patch, self._merge
        tiles = frame.blocks()[blocks].reshape(-1, m, p, m, p, 3)
        values = self._levels[tiles, np.arange(3)].transpose(0, 1, 3, 5, 2, 4)
        values = np.repeat(values[:, :, :, :, None], self._temporal, axis=4)
        return mx.array(values.reshape(len(blocks) * m * m, -1))

    def encode(
        self, frame: Frame, state: TowerState | None, active: np.ndarray
    ) -> tuple[TowerState, tuple[mx.array, ...]]:
        """Encode the windows in `active` (int [n], ascending); see the module's docstring.

        Lazy.  Returns the state and each layer's output, [patches, hidden], on the way there.
        """
        if state is not None and not len(active):
            return state, ()
        layout = self.layout(frame.grid)
        members = [layout.blocks_of_window[w] for w in active]
        shown = np.concatenate(members)
        unit = self._merge**2
        whole = len(active) == len(layout.blocks_of_window)
        rows = None if whole else mx.array(self._patch_rows(layout, active))

        tower = self._tower
        weight = tower.patch_embed.proj.weight
        # Embedded row by row of the image and then sorted, as the stock tower does it: a row's
        # place in the product can change how BLAS rounds it.
        order = np.argsort(shown)
        embedded = tower.patch_embed(self._patches(frame, shown[order]).astype(weight.dtype))
        sorted_ = embedded.reshape(len(shown), unit, -1)[mx.array(np.argsort(order))]
        hidden = sorted_.reshape(len(shown) * unit, -1)
        if layout.places is not None:
            hidden = hidden + layout.places[mx.array(shown)].reshape(len(shown) * unit, -1)
        angles = layout.angles[mx.array(shown)].reshape(len(shown) * unit, -1)
        turn = (mx.cos(angles), mx.sin(angles))
        ends = np.cumsum([len(m) * unit for m in members])[:-1].tolist()

        keys: list[mx.array] = []
        values: list[mx.array] = []
        deep: list[mx.array] = []
        milestones: list[mx.array] = []
        for number, layer in enumerate(tower.blocks):
            q, k, v = self._project(layer.attn, layer.norm1(hidden), turn)
            if number in self._full:
                if rows is not None and state is not None:
                    k = _write(state.keys[len(keys)], rows, k)
                    v = _write(state.values[len(values)], rows, v)
                keys.append(k)
                values.append(v)
                attended = self._attend(q, k, v, layer.attn.scale)
            else:
                attended = _attend_windows(q, k, v, layer.attn.scale, ends)
            joined = attended.transpose(0, 2, 1, 3).reshape(hidden.shape[0], -1)
            hidden = hidden + layer.attn.proj(joined)
            hidden = hidden + layer.mlp(layer.norm2(hidden))
            milestones.append(hidden)
            if number in self._taps:
                deep.append(tower.deepstack_merger_list[self._taps.index(number)](hidden))
        outputs = [tower.merger(hidden), *deep]
        if whole or state is None:
            index = mx.array(np.argsort(shown))
            outputs = [output[index] for output in outputs]
        else:
            kept = [state.merged, *state.deep]
            index = mx.array(shown)
            outputs = [_replace(k, index, o) for k, o in zip(kept, outputs, strict=True)]
        state = TowerState(tuple(keys), tuple(values), outputs[0], tuple(outputs[1:]))
        return state, tuple(milestones)

    def _patch_rows(self, layout: WindowLayout, active: np.ndarray) -> np.ndarray:
        """Where the active windows' patches stand in the tower's order."""
        unit = self._merge**2
        sizes = np.array([len(b) * unit for b in layout.blocks_of_window])
        starts = np.cumsum(sizes) - sizes
        return np.concatenate([np.arange(starts[w], starts[w] + sizes[w]) for w in active])

    @staticmethod
    def _project(
        attention: nn.Module, hidden: mx.array, turn: tuple[mx.array, mx.array]
    ) -> tuple[mx.array, mx.array, mx.array]:
        """Queries, keys and values, rotated: each [1, heads, patches, head_dim]."""
        count = hidden.shape[0]
        qkv = attention.qkv(hidden).reshape(count, 3, attention.num_heads, -1)
        q, k, v = mx.split(qkv.transpose(1, 0, 2, 3), 3)
        cos, sin = (mx.tile(part[:, None], (1, 1, 2))[None] for part in turn)
        q, k = (_rotate(part, cos, sin) for part in (q, k))
        return q.transpose(0, 2, 1, 3), k.transpose(0, 2, 1, 3), v.transpose(0, 2, 1, 3)


def _rotate(x: mx.array, cos: mx.array, sin: mx.array) -> mx.array:
    half = x.shape[-1] // 2
    turned = mx.concatenate([-x[..., half:], x[..., :half]], axis=-1)
    return (x * cos + turned * sin).astype(x.dtype)


def _write(cached: mx.array, rows: mx.array, new: mx.array) -> mx.array:
    """A copy of `cached` in which `rows` are `new`."""
    written = cached[:]  # a slice is its own object: the write copies, `cached` stays
    written[:, :, rows] = new
    return written


def _replace(cached: mx.array, blocks: mx.array, new: mx.array) -> mx.array:
    """A copy of `cached` [blocks, ...] in which `blocks` are `new`."""
    written = cached[:]
    written[blocks] = new
    return written


def _attend(q: mx.array, k: mx.array, v: mx.array, scale: float) -> mx.array:
    return mx.fast.scaled_dot_product_attention(q, k, v, scale=scale, mask=None)


def _attend_windows(
    q: mx.array, k: mx.array, v: mx.array, scale: float, ends: list[int]
) -> mx.array:
    """Attention inside each window, as the stock tower does it, so that BLAS rounds alike."""
    windows = (mx.split(part, ends, axis=2) for part in (q, k, v))
    attended = [_attend(wq, wk, wv, scale) for wq, wk, wv in zip(*windows, strict=True)]
    return mx.concatenate(attended, axis=2)
