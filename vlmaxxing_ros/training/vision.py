# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The vision tower of the torch twin: frames to block features, attention within windows.

Knows nothing about text.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vlmaxxing_ros.training.layers import RMSNorm, SwiGLU, attend, rotate
from vlmaxxing_ros.training.shape import Shape

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
PATCH, BLOCK = 14, 28


@functools.cache
def block_order(rows: int, cols: int, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Raster index of each block in window order, and the window each belongs to."""
    row, col = np.divmod(np.arange(rows * cols), cols)
    of = (row // window) * ((cols + window - 1) // window) + col // window
    order = np.argsort(of, kind='stable')
    return order, of[order]


@functools.cache
def vision_tables(rows: int, cols: int, shape: Shape) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """cos, sin (patches, head_dim), window mask (patches, patches), inverse block order."""
    order, of = block_order(rows, cols, shape.window)
    row, col = np.divmod(order, cols)
    dr, dc = np.divmod(np.arange(4), 2)
    h = (2 * row[:, None] + dr).reshape(-1)
    w = (2 * col[:, None] + dc).reshape(-1)
    dim = shape.v_hidden // shape.v_heads // 2
    inverse = 10000.0 ** (-np.arange(0, dim, 2) / dim)
    angle = np.concatenate([h[:, None] * inverse, w[:, None] * inverse], 1)
    angle = torch.tensor(np.concatenate([angle, angle], 1), dtype=torch.float32)
    patch_of = np.repeat(of, 4)
    apart = torch.tensor(patch_of[:, None] != patch_of[None])
    mask = torch.zeros(apart.shape).masked_fill(apart, float('-inf'))
    return angle.cos(), angle.sin(), mask, torch.tensor(np.argsort(order))


class VisionAttention(nn.Module):
    """Attention within windows, or within the whole frame."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.v_heads
        self.qkv = nn.Linear(shape.v_hidden, 3 * shape.v_hidden)
        self.proj = nn.Linear(shape.v_hidden, shape.v_hidden)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None, parts: int
    ) -> Tensor:
        """x: (frames, patches, dim). `parts` equal windows need no mask."""
        frames, patches, dim = x.shape
        q, k, v = self.qkv(x).view(frames, patches, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if parts > 1:
            q, k, v = (
                t.reshape(frames, self.heads, parts, patches // parts, -1) for t in (q, k, v)
            )
        out = attend(q, k, v, mask).reshape(frames, self.heads, patches, -1)
        return self.proj(out.transpose(1, 2).reshape(frames, patches, dim))


class VisionBlock(nn.Module):
    """One layer of the vision tower."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm1 = RMSNorm(shape.v_hidden)
        self.norm2 = RMSNorm(shape.v_hidden)
        self.attn = VisionAttention(shape)
        self.mlp = SwiGLU(shape.v_hidden, shape.v_ff, bias=True)

    def forward(self, x: Tensor, *tables: Any) -> Tensor:
        """Residual; `tables` go to the attention."""
        x = x + self.attn(self.norm1(x), *tables)
        return x + self.mlp(self.norm2(x))


class Vision(nn.Module):
    """Frames to block features."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        # A still image fills both temporal slots of the patch, so half of the kernel is enough.
        self.patch = nn.Linear(3 * PATCH * PATCH, shape.v_hidden, bias=False)
        self.blocks = nn.ModuleList(VisionBlock(shape) for _ in range(shape.v_layers))
        self.ln_q = RMSNorm(shape.v_hidden)
        self.fc1 = nn.Linear(4 * shape.v_hidden, 4 * shape.v_hidden)
        self.fc2 = nn.Linear(4 * shape.v_hidden, shape.hidden)

    def forward(self, frames: Tensor) -> Tensor:
        """(N, H, W, 3) uint8 to (N, blocks, hidden), blocks in raster order."""
        n, height, width, _ = frames.shape
        rows, cols = height // BLOCK, width // BLOCK
        dtype = self.patch.weight.dtype
        mean = torch.tensor(MEAN, device=frames.device, dtype=dtype)
        std = torch.tensor(STD, device=frames.device, dtype=dtype)
        x = frames.to(dtype) * (1 / (255 * std)) - mean / std
        x = x.view(n, rows, 2, PATCH, cols, 2, PATCH, 3).permute(0, 1, 4, 2, 5, 7, 3, 6)
        x = x.reshape(n, rows * cols, 4, -1)
        window = self.shape.window
        order = torch.as_tensor(block_order(rows, cols, window)[0], device=frames.device)
        x = self.patch(x[:, order].reshape(n, rows * cols * 4, -1))
        cos, sin, mask, back = (t.to(frames.device) for t in vision_tables(rows, cols, self.shape))
        cos, sin, mask = cos.to(dtype), sin.to(dtype), mask.to(dtype)
        even = rows % window == 0 and cols % window == 0
        parts = rows * cols // window**2 if even else 1
        for index, block in enumerate(self.blocks):
            if index in self.shape.full:
                x = block(x, cos, sin, None, 1)
            else:
                x = block(x, cos, sin, None if even else mask, parts)
        x = self.ln_q(x).reshape(n, rows * cols, -1)
        return self.fc2(nn.functional.gelu(self.fc1(x)))[:, back]
