# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A planner and what it is shown: smooth images, and squares that change in them."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.planner import Planner

GRID = Grid(8, 10, 28)
SECOND = 1_000_000_000


def scene(seed: int = 0) -> np.ndarray:
    """A smooth, colourful image: float64 [height, width, 3]."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 210, (12, 14, 3))
    return cv2.resize(coarse, (GRID.width, GRID.height), interpolation=cv2.INTER_CUBIC)


def frame_of(image: np.ndarray, index: int, interval: float = 0.1) -> Frame:
    pixels = np.clip(np.round(image), 0, 255).astype(np.uint8)
    return Frame(pixels, GRID, int(index * interval * SECOND))


def settings(**changes: object) -> EngineConfig:
    """Staleness out of the way unless a test asks for it."""
    values: dict[str, object] = {'max_age': math.inf, **changes}
    return EngineConfig(**values)  # type: ignore[arg-type]


class Planned:
    """A planner that is given what it planned."""

    def __init__(self, config: EngineConfig) -> None:
        self.planner = Planner(config)
        self.index = 0

    def show(
        self, image: np.ndarray, *, admit: bool = True, interval: float = 0.1, **hint: object
    ) -> Plan:
        """Plan the next frame and, unless told not to, admit what was planned."""
        frame = frame_of(image, self.index, interval)
        self.index += 1
        plan = self.planner.plan(self.planner.look(frame, **hint))  # type: ignore[arg-type]
        if admit or self.planner.reference is None:
            self.planner.admit(plan)
        return plan


def with_patch(image: np.ndarray, row: int, col: int, change: float, size: int = 8) -> np.ndarray:
    """`change` added to a square in the middle of block (row, col)."""
    image = image.copy()
    y, x = row * GRID.block + 10, col * GRID.block + 10
    image[y : y + size, x : x + size] += change
    return image
