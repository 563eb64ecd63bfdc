# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The twin's weights under the names that mlx-vlm has for them, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from vlmaxxing_ros.training.vision import PATCH

MERGER = {'ln_q': 'ln_q', 'fc1': 'mlp.0', 'fc2': 'mlp.2'}


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
