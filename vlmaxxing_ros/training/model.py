# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The torch twin of the nano model: Qwen2.5-VL as in mlx-vlm, shaped for packed training.

One clip's frames make a shared prefix; many questions about it follow, each of which sees the
prefix and itself only, at the position where it would stand alone. The weights are exported under
mlx-vlm's names. Knows nothing about tabletops, questions or schedules.

Architecture: Qwen2.5-VL technical report (arXiv 2502.13923); M-RoPE: Qwen2-VL (arXiv 2409.12191).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
PATCH, BLOCK = 14, 28
MERGER = {'ln_q': 'ln_q', 'fc1': 'mlp.0', 'fc2': 'mlp.2'}


@dataclass(frozen=True)
class Shape:
    """Sizes of the model; the defaults are the shipped one."""

    vocab: int = 512
    hidden: int = 128
    layers: int = 5
    heads: int = 4
    kv_heads: int = 2
    ff: int = 384
    rope_theta: float = 100.0
    mrope: tuple[int, int, int] = (4, 6, 6)
    v_hidden: int = 96
    v_layers: int = 4
    v_heads: int = 3
    v_ff: int = 192
    window: int = 2
    """Side of a vision window in blocks."""
    full: tuple[int, ...] = (1, 3)


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


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding, the halves convention."""
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Plain attention over (..., L, D): on CPUs bf16 matmuls are far faster than the fused one."""
    score = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        score = score + mask
    return score.softmax(-1) @ v


class RMSNorm(nn.Module):
    """Root-mean-square norm in the precision of its input, statistics in float32."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Any leading shape."""
        scale = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        scale = (scale.square() / x.shape[-1] + 1e-6).rsqrt()
        return x * scale.to(x.dtype) * self.weight


class SwiGLU(nn.Module):
    """Gated feed-forward."""

    def __init__(self, dim: int, ff: int, bias: bool) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(dim, ff, bias=bias)
        self.up_proj = nn.Linear(dim, ff, bias=bias)
        self.down_proj = nn.Linear(ff, dim, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Any leading shape."""
        return self.down_proj(nn.functional.silu(self.gate_proj(x)) * self.up_proj(x))


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


class Attention(nn.Module):
    """Grouped-query attention over prefix and packed questions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads, self.kv_heads = shape.heads, shape.kv_heads
        dim = shape.hidden // shape.heads
        self.q_proj = nn.Linear(shape.hidden, shape.heads * dim)
        self.k_proj = nn.Linear(shape.hidden, shape.kv_heads * dim)
        self.v_proj = nn.Linear(shape.hidden, shape.kv_heads * dim)
        self.o_proj = nn.Linear(shape.heads * dim, shape.hidden, bias=False)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, prefix: int, causal: Tensor, packed: Tensor
    ) -> Tensor:
        """The prefix attends to itself, the questions to the prefix and to their own segment."""
        batch, length, _ = x.shape
        q = self.q_proj(x).view(batch, length, self.heads, -1).transpose(1, 2)
        k = self.k_proj(x).view(batch, length, self.kv_heads, -1).transpose(1, 2)
        v = self.v_proj(x).view(batch, length, self.kv_heads, -1).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        # Heads that share keys are a dimension of their own: no copy of the keys.
        q = q.unflatten(1, (self.kv_heads, -1))
        k, v = k[:, :, None], v[:, :, None]
        head = attend(q[..., :prefix, :], k[..., :prefix, :], v[..., :prefix, :], causal)
        tail = attend(q[..., prefix:, :], k, v, packed)
        out = torch.cat([head, tail], -2).flatten(1, 2)
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, -1))


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(shape.hidden)
        self.post_attention_layernorm = RMSNorm(shape.hidden)
        self.self_attn = Attention(shape)
        self.mlp = SwiGLU(shape.hidden, shape.ff, bias=False)

    def forward(self, x: Tensor, *tables: Any) -> Tensor:
        """Residual; `tables` go to the attention."""
        x = x + self.self_attn(self.input_layernorm(x), *tables)
        return x + self.mlp(self.post_attention_layernorm(x))


@dataclass(frozen=True)
class Hidden:
    """What a pass leaves.

    The question rows' last hidden states (B, T, hidden), the vision tower's features and the image
    rows after two layers (B, n * blocks, hidden), and the frames' closing rows (B, n, hidden) after
    three, when a frame is gathered, and after four, when it is compared with the first.
    """

    questions: Tensor
    features: Tensor
    blocks: Tensor
    ends: Tensor
    compared: Tensor


class Probes(nn.Module):
    """Linear read-outs used in training only, and never exported.

    They tell the rows early what is worth knowing (which colour, where, what changed), which
    the few answer tokens alone teach only after a long plateau.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.seen = nn.Linear(shape.hidden, 7 + 3)
        self.where = nn.Linear(shape.hidden, 9 + 8 + 8)
        self.frame = nn.Linear(shape.hidden, 2 + 6 * 10 + 6 * 7)
        self.mover = nn.Linear(shape.hidden, 7)

    def forward(
        self, seen: Hidden, labels: dict[str, Tensor], rows: int, cols: int
    ) -> dict[str, Tensor]:
        """Mean cross-entropy of each thing that is probed."""
        color, fingers = self.seen(seen.features.float()).split((7, 3), -1)
        cell, row, col = self.where(seen.blocks.float()).split((9, 8, 8), -1)
        grip, place, _ = self.frame(seen.ends.float()).split((2, 60, 42), -1)
        change = self.frame(seen.compared.float())[..., 62:]
        raster = torch.arange(rows * cols, device=row.device)
        frames = seen.ends.shape[:2]
        labels = {
            **labels,
            'row': (raster // cols).expand(*frames, -1),
            'col': (raster % cols).expand(*frames, -1),
        }
        guesses = {
            'color': color,
            'fingers': fingers,
            'cell': cell,
            'row': row,
            'col': col,
            'grip': grip,
            'place': place.reshape(*frames, 6, 10),
            'change': change.reshape(*frames, 6, 7),
            'mover': self.mover(seen.compared.float()),
        }
        losses = {}
        for name, guess in guesses.items():
            truth = labels[name].flatten()
            known = (truth >= 0).sum().clamp(min=1)
            total = nn.functional.cross_entropy(
                guess.reshape(-1, guess.shape[-1]), truth, ignore_index=-1, reduction='sum'
            )
            losses[name] = total / known
        return losses


class Nano(nn.Module):
    """The whole model on packed batches."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Shape()
        self.visual = Vision(shape)
        self.embed = nn.Embedding(shape.vocab, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.hidden)
        nn.init.normal_(self.embed.weight, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for block in self.layers:
            nn.init.zeros_(block.self_attn.o_proj.weight)
            nn.init.zeros_(block.mlp.down_proj.weight)

    def forward(
        self,
        frames: Tensor,
        prefix_ids: Tensor,
        image_at: Tensor,
        prefix_position: Tensor,
        ids: Tensor,
        segment: Tensor,
        position: Tensor,
    ) -> Hidden:
        """Hidden states at the places that are read.

        frames (B, n, H, W, 3) uint8; prefix_ids (P,); image_at (n * blocks,) indices of the image
        rows in the prefix; prefix_position (3, P); ids, segment and position (B, T), segment
        negative for padding.
        """
        batch = len(frames)
        features = self.visual(frames.flatten(0, 1)).reshape(batch, len(image_at), -1)
        dtype = features.dtype
        start = self.embed(prefix_ids).expand(batch, -1, -1).clone()
        start[:, image_at] = features
        x = torch.cat([start, self.embed(ids)], 1)
        prefix, length = len(prefix_ids), ids.shape[1]

        place = torch.cat(
            [prefix_position[None].expand(batch, -1, -1), position[:, None].expand(-1, 3, -1)], 2
        )
        cos, sin = self._rotary(place)
        cos, sin = cos.to(dtype)[:, None], sin.to(dtype)[:, None]
        never = float('-inf')
        causal = torch.full((prefix, prefix), never, device=x.device).triu(1).to(dtype)
        same = segment[:, :, None] == segment[:, None, :]
        same = same & torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
        packed = torch.zeros(batch, length, prefix + length, device=x.device, dtype=dtype)
        packed[:, :, prefix:].masked_fill_(~same, never)
        end_at = image_at.view(frames.shape[1], -1)[:, -1] + 1
        blocks, ends, compared = x, x, x
        for index, layer in enumerate(self.layers):
            x = layer(x, cos, sin, prefix, causal, packed[:, None, None])
            if index == 1:
                blocks = x[:, image_at]
            if index == 2:
                ends = x[:, end_at]
            if index == 3:
                compared = x[:, end_at]
        return Hidden(self.norm(x[:, prefix:]), features, blocks, ends, compared)

    def logits(self, hidden: Tensor) -> Tensor:
        """Tied embeddings."""
        return hidden @ self.embed.weight.T

    def _rotary(self, place: Tensor) -> tuple[Tensor, Tensor]:
        shape = self.shape
        dim = shape.hidden // shape.heads
        power = torch.arange(0, dim, 2, device=place.device, dtype=torch.float32) / dim
        axis = torch.tensor(np.repeat(np.arange(3), shape.mrope), device=place.device)
        angle = place[:, axis].transpose(1, 2).float() * shape.rope_theta**-power
        angle = torch.cat([angle, angle], -1)
        return angle.cos(), angle.sin()


def export_weights(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The twin's weights under mlx-vlm's (that is, Qwen's) names, float16."""
    renamed: dict[str, Tensor] = {}
    for name, value in state.items():
        if name == 'visual.patch.weight':
            name = 'visual.patch_embed.proj.weight'
            value = (value.view(-1, 3, 1, PATCH, PATCH) / 2).expand(-1, -1, 2, -1, -1)
        elif name.startswith('visual.'):
            for ours, theirs in MERGER.items():
                name = name.replace(f'visual.{ours}.', f'visual.merger.{theirs}.')
        elif name == 'embed.weight':
            name = 'model.embed_tokens.weight'
        else:
            name = f'model.{name}'
        renamed[name] = value.to(torch.float16).contiguous()
    return renamed


def import_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """`export_weights` undone, float32."""
    ours = {f'visual.merger.{theirs}.': f'visual.{name}.' for name, theirs in MERGER.items()}
    state: dict[str, Tensor] = {}
    for name, value in weights.items():
        value = value.float()
        if name == 'visual.patch_embed.proj.weight':
            name, value = 'visual.patch.weight', value.sum(2).flatten(1)
        elif name == 'model.embed_tokens.weight':
            name = 'embed.weight'
        else:
            for theirs, mine in ours.items():
                name = name.replace(theirs, mine)
            name = name.removeprefix('model.')
        state[name] = value
    return state
