# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Gemma 4's vision tower, one pooled block at a time.

Every layer attends to the whole image.  Patches of blocks that are not fresh are not computed: the
fresh ones' queries attend to the cached keys and values of all patches, into which their own are
written first.  With every block active this performs the stock tower's operations on the stock
tower's arrays.  Knows the tower's layers; knows nothing of windows of time, caches of text or
streams.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_vlm.models.base import ensure_fused_sdpa
from mlx_vlm.models.gemma4.vision import apply_multidimensional_rope

from vlmaxxing_ros.engine.families.tower_memory import TowerShape
from vlmaxxing_ros.engine.seeing.frame import Grid


@dataclass(frozen=True)
class GemmaTowerState:
    """What one encoded frame leaves for the next; replaced, never written to.

    Attributes:
        keys: per layer [1, heads, patches, head_dim], patches row-major.
        values: likewise.
        features: [blocks, hidden], as they enter the language model, row-major.
    """

    keys: tuple[mx.array, ...]
    values: tuple[mx.array, ...]
    features: mx.array

    def arrays(self) -> list[mx.array]:
        """Every array, for evaluation."""
        return [*self.keys, *self.values, self.features]


class GemmaTower:
    """A stock vision tower and its projection, run on the active blocks only."""

    def __init__(self, tower: nn.Module, projection: nn.Module) -> None:
        self._tower = tower
        self._projection = projection
        self._pool = int(tower.pooling_kernel_size)
        self._patch = int(tower.patch_size)
        self.places = lru_cache(maxsize=8)(self._places)

    def _places(self, grid: Grid) -> np.ndarray:
        """Which patches make up each block: int [blocks, pool * pool], row-major."""
        pool, width = self._pool, grid.cols * self._pool
        blocks, inner = np.arange(grid.blocks), np.arange(pool * pool)
        corner = (blocks // grid.cols) * pool * width + (blocks % grid.cols) * pool
        return corner[:, None] + (inner // pool) * width + inner % pool

    def peak_bytes(self, grid: Grid) -> int:
        """Bytes that encoding a whole image takes at its peak, estimated."""
        patches, config = grid.blocks * self._pool**2, self._tower.config
        shape = TowerShape(
            heads=config.num_attention_heads,
            head_dim=config.head_dim,
            kept=2 * config.num_hidden_layers,
            values=3 * self._patch**2,
            itemsize=self._tower.patch_embedder.input_proj.weight.itemsize,
            pads=True,
            masked=True,
        )
        return shape.peak(patches, patches)

    def encode(
        self, pixels: np.ndarray, grid: Grid, state: GemmaTowerState | None, active: np.ndarray
    ) -> GemmaTowerState:
        """Encode the blocks in `active` (int [n], ascending); lazy.

        Args:
            pixels: float32 [height, width, 3], as the stock processor scales them.
            grid: of the image.
            state: of the frame before; None: every block must be active.
            active: blocks to compute.
        """
        if state is not None and not len(active):
            return state
        whole = len(active) == grid.blocks
        chosen = np.arange(grid.blocks * self._pool**2)
        if not whole:
            chosen = self.places(grid)[active].ravel()
        width = grid.cols * self._pool
        positions = mx.array(np.stack([chosen % width, chosen // width], axis=-1)[None])
        x = self._embed(pixels, None if whole else chosen, positions)
        rows = None if whole else mx.array(chosen)
        mask = mx.zeros((1, 1, len(chosen), grid.blocks * self._pool**2), x.dtype)

        keys, values = [], []
        for number, layer in enumerate(self._tower.encoder.layers):
            normed = layer.input_layernorm(x)
            q, k, v = _project(layer.self_attn, normed, positions)
            if rows is not None and state is not None:
                k = _write(state.keys[number], rows, k)
                v = _write(state.values[number], rows, v)
            keys.append(k)
            values.append(v)
            attended = ensure_fused_sdpa(q, k, v, scale=1.0, mask=mask)
            joined = attended.transpose(0, 2, 1, 3).reshape(1, len(chosen), -1)
            x = x + layer.post_attention_layernorm(layer.self_attn.o_proj(joined))
            inner = layer.mlp(layer.pre_feedforward_layernorm(x))
            x = x + layer.post_feedforward_layernorm(inner)

        features = self._projection(self._pooled(x, positions, whole=whole))[0]
        if rows is not None and state is not None:
            kept = state.features[:]
            kept[mx.array(active)] = features
            features = kept
        return GemmaTowerState(tuple(keys), tuple(values), features)

    def _embed(
        self, pixels: np.ndarray, chosen: np.ndarray | None, positions: mx.array
    ) -> mx.array:
        """Patches as the tower takes them in: [1, patches, hidden]."""
        patch = self._patch
        high, wide = pixels.shape[0] // patch, pixels.shape[1] // patch
        padding = mx.zeros(positions.shape[:2], mx.bool_)
        if chosen is None:
            return self._tower.patch_embedder(
                mx.array(pixels.transpose(2, 0, 1)[None]), positions, padding
            )
        tiles = pixels.reshape(high, patch, wide, patch, 3).transpose(0, 2, 1, 3, 4)
        values = tiles.reshape(high * wide, -1)[chosen]
        return self._tower.patch_embedder.embed_patches(mx.array(values[None]), positions, padding)

    def _pooled(self, x: mx.array, positions: mx.array, *, whole: bool) -> mx.array:
        """Blocks from their patches: [1, blocks, hidden]."""
        unit, tower = self._pool**2, self._tower
        if whole:
            padding = mx.zeros(positions.shape[:2], mx.bool_)
            count = positions.shape[1] // unit
            pooled, _ = tower.pooler(x, positions, padding, output_length=count)
        else:
            parts = x.reshape(1, -1, unit, x.shape[-1]).astype(mx.float32)
            pooled = (parts / unit).sum(axis=2).astype(x.dtype) * tower.pooler.root_hidden_size
        if tower.config.standardize:
            pooled = (pooled - tower.std_bias) * tower.std_scale
        return pooled


def _project(
    attention: nn.Module, x: mx.array, positions: mx.array
) -> tuple[mx.array, mx.array, mx.array]:
    """Queries, keys and values, normalised and rotated: each [1, heads, patches, head_dim]."""
    shape = (1, x.shape[1], -1, attention.head_dim)
    q = attention.q_norm(attention.q_proj(x).reshape(shape))
    k = attention.k_norm(attention.k_proj(x).reshape(shape))
    v = attention._v_norm(attention.v_proj(x).reshape(shape))
    base = attention.rope_base_frequency
    q, k = (apply_multidimensional_rope(part, positions, base) for part in (q, k))
    return q.transpose(0, 2, 1, 3), k.transpose(0, 2, 1, 3), v.transpose(0, 2, 1, 3)


def _write(cached: mx.array, rows: mx.array, new: mx.array) -> mx.array:
    """A copy of `cached` in which `rows` are `new`."""
    written = cached[:]  # a slice is its own object: the write copies, `cached` stays
    written[:, :, rows] = new
    return written
