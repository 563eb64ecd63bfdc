# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What vision tower and language model of the nano model have in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn


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
