# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a planner buys of a rendered stream, compared with what had really changed.

Since each block was bought last, that is.  Knows the planner only from outside: `plan`, then
`admit`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from engine.seeing.blind_spots import GRID, RATE, Step

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.planner import Planner

VISIBLE = 16
"""A pixel has visibly changed if some channel differs by this much; grey levels."""

AREA = 16
"""A block has visibly changed if this many of its pixels have: as many as 4x4."""

SAME = 2
"""A block is unchanged where no pixel differs by this much; grey levels.  Between this and a
visible change, buying is neither right nor wrong."""


@dataclass(frozen=True)
class Score:
    """Sums over the block-frames of a stream.

    Attributes:
        changed: visibly changed against the reference; missed: of these, not bought.
        unchanged: not changed at all; wasted: of these, bought all the same.
        frames: number of planned frames; whole: of these, taken whole.
        seconds: time spent in `plan`.
    """

    changed: int = 0
    missed: int = 0
    unchanged: int = 0
    wasted: int = 0
    frames: int = 0
    whole: int = 0
    seconds: float = 0.0

    def __add__(self, other: Score) -> Score:
        return Score(*(a + b for a, b in zip(self.values(), other.values(), strict=True)))

    def values(self) -> tuple[float, ...]:
        """All sums, in order."""
        return (
            self.changed,
            self.missed,
            self.unchanged,
            self.wasted,
            self.frames,
            self.whole,
            self.seconds,
        )

    @property
    def missed_rate(self) -> float:
        """Share of the changed block-frames that were not bought."""
        return self.missed / max(1, self.changed)

    @property
    def wasted_rate(self) -> float:
        """Share of the unchanged block-frames that were bought."""
        return self.wasted / max(1, self.unchanged)


def settings(**changes: object) -> EngineConfig:
    """Only the statistic decides: no staleness bound, no keyframes but of everything."""
    values: dict[str, object] = {
        'max_age': math.inf,
        'keyframe_fraction': 1.0,
        **changes,
    }
    return EngineConfig(**values)  # type: ignore[arg-type]


def score(steps: Iterable[Step], config: EngineConfig) -> Score:
    """Run a planner over one stream and compare what it buys with the truth."""
    planner = Planner(config)
    held = np.empty((0,), np.float32)
    total = Score()
    for index, (pixels, content) in enumerate(steps):
        frame = Frame(pixels, GRID, round(index / RATE * 1e9))
        start = time.thread_time()
        plan = planner.plan(planner.look(frame))
        seconds = time.thread_time() - start
        if not index:
            planner.admit(plan)
            held = content.copy()
            continue
        changed, same = truth(content, held)
        total += Score(
            changed=int(changed.sum()),
            missed=int((changed & ~plan.fresh).sum()),
            unchanged=int(same.sum()),
            wasted=int((same & plan.fresh).sum()),
            frames=1,
            whole=int(plan.whole),
            seconds=seconds,
        )
        planner.admit(plan)
        fresh = plan.fresh.repeat(GRID.block, 0).repeat(GRID.block, 1)
        held[fresh] = content[fresh]
    return total


def truth(content: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which blocks have visibly changed, and which not at all: two bool [rows, cols]."""
    difference = np.abs(np.clip(content, 0, 255) - np.clip(held, 0, 255)).max(axis=2)
    blocks = difference.reshape(GRID.rows, GRID.block, GRID.cols, GRID.block)
    visible = (blocks >= VISIBLE).sum(axis=(1, 3)) >= AREA
    return visible, (blocks < SAME).all(axis=(1, 3))
