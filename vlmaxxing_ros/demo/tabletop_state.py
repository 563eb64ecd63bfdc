# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What is true of a tabletop, and what happens on it.

Knows nothing of how it looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COLORS: dict[str, tuple[int, int, int]] = {
    'red': (205, 40, 42),
    'green': (45, 160, 62),
    'blue': (42, 84, 205),
    'yellow': (232, 206, 48),
    'orange': (240, 128, 30),
    'purple': (134, 58, 176),
}
"""Name to RGB of the six blocks. A scene tints each a little."""


@dataclass(frozen=True)
class Block:
    """One block at rest. Position is the fraction of the picture's width and height."""

    color: str
    x: float
    y: float
    size: float
    angle: float


@dataclass(frozen=True)
class State:
    """What is true at one instant.

    `blocks` maps colour to (x, y) in fractions of the *picture* (what "top left" means), `placed`
    to (x, y) on the *table* (what "moved" means: a camera that pans moves no block).
    `opening` is 0 for a closed gripper and 1 for an open one; `gripper` is where its fingers are
    in the picture.
    """

    stamp: float
    blocks: dict[str, tuple[float, float]]
    placed: dict[str, tuple[float, float]]
    opening: float
    gripper: tuple[float, float]


@dataclass(frozen=True)
class Shot:
    """One frame of a stream: stamp in seconds, (H, W, 3) uint8 RGB, and what it shows."""

    stamp: float
    image: np.ndarray
    state: State


@dataclass(frozen=True)
class Event:
    """Something that happens: `kind` is move, appear, disappear, open or close.

    Other worlds add kinds of their own.
    """

    kind: str
    start: float
    end: float
    color: str


@dataclass(frozen=True)
class Epoch:
    """The world from `start` on: blocks at rest, and at most one thing that happens."""

    start: float
    blocks: tuple[Block, ...]
    opening: float
    event: Event | None = None
    target: tuple[float, float] = (0.0, 0.0)
