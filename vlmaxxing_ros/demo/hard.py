# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The tabletop made hard: beyond what the nano model has seen, so that errors can show.

Smaller and paler blocks, more noise, coloured clutter and rods that hide part of the table.  What
is true stays as it was.  Knows nothing of models; how hard is tuned by whoever measures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vlmaxxing_ros.demo.drawing import fill
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_camera import draw_camera
from vlmaxxing_ros.demo.tabletop_state import COLORS, Block


@dataclass(frozen=True)
class Hardness:
    """How hard.

    Attributes:
        scale: of the blocks' sizes.
        contrast: of a block's colour against the table's mean, 1 as painted, 0 invisible.
        noise: sigma in grey levels, on top of the camera's own.
        clutter: coloured patches lying about.
        rods: bars that hide what is below them.
    """

    scale: float
    contrast: float
    noise: float
    clutter: int
    rods: int


HARD = Hardness(scale=0.7, contrast=0.7, noise=8.0, clutter=4, rods=1)
"""Tuned on development seeds until cold dense is right on 80 to 90 %."""


class HardTabletop(Tabletop):
    """A seeded table like `Tabletop`'s, hard to see."""

    def __init__(
        self,
        *,
        seed: int,
        size: tuple[int, int] = (112, 112),
        duration: float = 8.0,
        pause: float = 2.0,
        hardness: Hardness = HARD,
    ) -> None:
        rng = np.random.default_rng((seed, 0x4A2D))
        camera = draw_camera(rng, duration)
        camera = replace(camera, noise=camera.noise + hardness.noise)
        super().__init__(seed=seed, size=size, duration=duration, pause=pause, camera=camera)
        self._hardness = hardness
        table = self._ground.reshape(-1, 3).mean(0)
        self._paint = {
            color: tuple(int(v) for v in table + hardness.contrast * (np.array(rgb) - table))
            for color, rgb in self._paint.items()
        }
        self._litter(rng)
        self._rods = [self._rod(rng) for _ in range(hardness.rods)]

    def _litter(self, rng: np.random.Generator) -> None:
        """Patches in muted colours, each smaller than a block."""
        height, width, _ = self._ground.shape
        unit = min(self.size)
        for _ in range(self._hardness.clutter):
            rgb = np.array(COLORS[str(rng.choice(list(COLORS)))], float)
            rgb = rgb.mean() + 0.4 * (rgb - rgb.mean())
            turn = float(rng.uniform(0, np.pi)) + np.arange(3) * 2 * np.pi / 3
            side = unit * float(rng.uniform(0.02, 0.045))
            middle = rng.uniform(0, width), rng.uniform(0, height)
            fill(self._ground, middle + side * np.stack([np.cos(turn), np.sin(turn)], 1), rgb)

    def _rod(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Corners and colour of a bar across the table."""
        height, width, _ = self._ground.shape
        middle = np.array([rng.uniform(0.2, 0.8) * width, rng.uniform(0.3, 0.8) * height])
        turn = float(rng.uniform(0, np.pi))
        along = np.array([np.cos(turn), np.sin(turn)]) * max(height, width)
        across = np.array([-np.sin(turn), np.cos(turn)]) * 0.03 * min(self.size)
        corners = [middle + along + across, middle - along + across]
        corners += [middle - along - across, middle + along - across]
        return np.array(corners), np.full(3, rng.uniform(40, 200))

    def _draw_block(self, canvas: np.ndarray, block: Block) -> None:
        super()._draw_block(canvas, replace(block, size=self._hardness.scale * block.size))

    def _draw_gripper(self, canvas: np.ndarray, opening: float) -> None:
        """The gripper, and the rods above everything."""
        super()._draw_gripper(canvas, opening)
        for corners, rgb in self._rods:
            fill(canvas, corners, rgb)
