# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Fewer experts for visual rows, after FastMMoE (arXiv 2511.17885): opt-in, and not exact.

In a mixture-of-experts layer every row is sent through its `k` best experts.  Rows that show a
block are sent through fewer; text keeps its own.  The rows are split, each part is routed by the
stock router with its own `k`, and put together again.  What comes out is another model: its
stream is exactly its own cold prefill, and its answers drift from the full model's.

Knows mlx-vlm's Qwen blocks (router and experts in one) and Gemma's (two modules).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from vlmaxxing_ros.engine.errors import ModelError


class VisualExperts:
    """Which rows of the chunk that is being prefilled are visual; shared by a model's layers.

    Attributes:
        count: experts per visual row.
        visual: int [n], places of the visual rows; None where there are none.
        text: int [m], places of the others.
        order: int [n + m], where each row of the chunk stands in visual + text.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.visual: mx.array | None = None
        self.text = self.order = mx.array([0])

    @contextmanager
    def showing(self, blocks: np.ndarray) -> Iterator[None]:
        """Run a chunk whose rows show `blocks` (int [rows], -1 for text)."""
        visual, text = np.flatnonzero(blocks >= 0), np.flatnonzero(blocks < 0)
        if len(visual):
            self.visual, self.text = mx.array(visual), mx.array(text)
            self.order = mx.array(np.argsort(np.concatenate([visual, text])))
        try:
            yield
        finally:
            self.visual = None

    def join(self, visual: mx.array, text: mx.array) -> mx.array:
        """Both parts' results, [1, n, ...] and [1, m, ...], in the order of the chunk."""
        return mx.concatenate([visual, text], axis=1)[:, self.order]


class _Block(nn.Module):
    """A Qwen block: the router's `top_k` is an attribute of the block itself."""

    def __init__(self, block: nn.Module, rows: VisualExperts) -> None:
        super().__init__()
        self.block = block
        self._rows = rows

    def __call__(self, x: mx.array) -> mx.array:
        rows = self._rows
        if rows.visual is None:
            return self.block(x)
        text = self.block(x[:, rows.text])
        own, self.block.top_k = self.block.top_k, rows.count
        try:
            visual = self.block(x[:, rows.visual])
        finally:
            self.block.top_k = own
        return rows.join(visual, text)


class _Router(nn.Module):
    """Gemma's router: its `top_k_experts` stands in the configuration.  Returns two routings."""

    def __init__(self, router: nn.Module, rows: VisualExperts) -> None:
        super().__init__()
        self.router = router
        self._rows = rows

    def __call__(self, x: mx.array) -> tuple[Any, Any]:
        rows, config = self._rows, self.router.config
        if rows.visual is None:
            return self.router(x)
        text = self.router(x[:, rows.text])
        own, config.top_k_experts = config.top_k_experts, rows.count
        try:
            visual = self.router(x[:, rows.visual])
        finally:
            config.top_k_experts = own
        return (visual[0], text[0]), (visual[1], text[1])


class _Experts(nn.Module):
    """Gemma's experts, given one routing or two."""

    def __init__(self, experts: nn.Module, rows: VisualExperts) -> None:
        super().__init__()
        self.experts = experts
        self._rows = rows

    def __call__(self, x: mx.array, indices: Any, weights: Any) -> mx.array:
        rows = self._rows
        if rows.visual is None:
            return self.experts(x, indices, weights)
        visual = self.experts(x[:, rows.visual], indices[0], weights[0])
        return rows.join(visual, self.experts(x[:, rows.text], indices[1], weights[1]))


def install(layers: list[nn.Module], count: int) -> VisualExperts:
    """Make a model's mixture-of-experts layers send visual rows through `count` experts.

    Raises:
        ModelError: the model has no such layers, or fewer experts per row to begin with.
    """
    blocks = [layer for layer in layers if hasattr(layer.mlp, 'switch_mlp')]
    split = [layer for layer in layers if getattr(layer, 'enable_moe', False)]
    own = [layer.mlp.top_k for layer in blocks]
    own += [layer.router.config.top_k_experts for layer in split]
    if not own:
        raise ModelError('the model has no experts to save: set visual_experts to 0')
    if not 0 < count < min(own):
        raise ModelError(
            f'visual_experts must be less than the {min(own)} experts per row of this model, and '
            f'more than 0: {count}'
        )
    rows = VisualExperts(count)
    for layer in blocks:
        layer.mlp = _Block(layer.mlp, rows)
    for layer in split:
        layer.router = _Router(layer.router, rows)
        layer.experts = _Experts(layer.experts, rows)
    return rows
