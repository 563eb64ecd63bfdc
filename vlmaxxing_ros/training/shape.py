# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Sizes of the nano model."""

from __future__ import annotations

from dataclasses import dataclass


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
