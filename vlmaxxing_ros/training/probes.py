# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What is read out of the model while it is trained, and never exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vlmaxxing_ros.training.model import Hidden
from vlmaxxing_ros.training.shape import Shape


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
