# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The torch twin of the nano model: Qwen2.5-VL as in mlx-vlm, shaped for packed training.

One clip's frames make a shared prefix; many questions about it follow, each of which sees the
prefix and itself only, at the position where it would stand alone. The weights are exported under
mlx-vlm's names. Knows nothing about tabletops, questions or schedules.

Architecture: Qwen2.5-VL technical report (arXiv 2502.13923); M-RoPE: Qwen2-VL (arXiv 2409.12191).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vlmaxxing_ros.training.layers import RMSNorm, SwiGLU, attend, rotate
from vlmaxxing_ros.training.shape import Shape
from vlmaxxing_ros.training.vision import Vision


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
