# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What happens on a tabletop, drawn at random: one thing at a time, and blocks keep their distance.

Knows nothing of how it looks.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from vlmaxxing_ros.demo.tabletop_state import COLORS, Block, Epoch, Event


def plan_events(
    rng: np.random.Generator, duration: float, pause: float, gripper_x: float
) -> list[Epoch]:
    """What happens, one thing at a time."""
    blocks: tuple[Block, ...] = ()
    count = int(rng.choice(6, p=[0.06, 0.15, 0.2, 0.23, 0.2, 0.16]))
    for color in rng.permutation(list(COLORS))[:count]:
        blocks = with_new_block(rng, blocks, str(color), gripper_x)
    opening = float(rng.integers(0, 2))
    epochs = [Epoch(-math.inf, blocks, opening)]
    now = float(rng.exponential(pause)) if math.isfinite(pause) else math.inf
    while now < duration:
        kind = str(rng.choice(['move', 'appear', 'disappear', 'grip'], p=[0.48, 0.2, 0.2, 0.12]))
        event: Event | None = None
        target = (0.0, 0.0)
        before = blocks
        if kind == 'move' and blocks:
            index = int(rng.integers(len(blocks)))
            goal = find_goal(rng, blocks, index, gripper_x)
            if goal is not None:
                target = goal
                event = Event('move', now, now + float(rng.uniform(0.4, 1.6)), blocks[index].color)
                moved = replace(blocks[index], x=goal[0], y=goal[1])
                blocks = (*blocks[:index], moved, *blocks[index + 1 :])
        elif kind == 'appear' and len(blocks) < 5:
            absent = [c for c in COLORS if all(b.color != c for b in blocks)]
            color = str(rng.choice(absent))
            blocks = with_new_block(rng, blocks, color, gripper_x)
            if len(blocks) > len(before):
                event = Event('appear', now, now, color)
            before = blocks
        elif kind == 'disappear' and blocks:
            index = int(rng.integers(len(blocks)))
            event = Event('disappear', now, now, blocks[index].color)
            blocks = (*blocks[:index], *blocks[index + 1 :])
            before = blocks
        elif kind == 'grip':
            event = Event('close' if opening else 'open', now, now + 0.3, '')
        if event is not None:
            epochs.append(Epoch(now, before, opening, event, target))
            if event.kind in ('open', 'close'):
                opening = 1.0 - opening
            now = event.end
        now += 0.15 + float(rng.exponential(pause))
    return epochs


def is_free(
    blocks: tuple[Block, ...], x: float, y: float, gripper_x: float, distance: float = 0.23
) -> bool:
    """Whether a block fits at (x, y), away from the others and from the gripper."""
    if y < 0.40 and abs(x - gripper_x) < 0.27:
        return False
    return all(math.hypot(b.x - x, b.y - y) >= distance for b in blocks)


def with_new_block(
    rng: np.random.Generator, blocks: tuple[Block, ...], color: str, gripper_x: float
) -> tuple[Block, ...]:
    """The blocks and one more, somewhere free in the picture; as they were if none fits."""
    for _ in range(30):
        x, y = float(rng.uniform(0.14, 0.86)), float(rng.uniform(0.14, 0.86))
        if is_free(blocks, x, y, gripper_x):
            size, angle = float(rng.uniform(0.13, 0.18)), float(rng.uniform(-0.6, 0.6))
            return (*blocks, Block(color, x, y, size, angle))
    return blocks


def find_goal(
    rng: np.random.Generator, blocks: tuple[Block, ...], index: int, gripper_x: float
) -> tuple[float, float] | None:
    """Somewhere to go in a line along the picture's axes, past nobody; None if walled in."""
    block = blocks[index]
    others = (*blocks[:index], *blocks[index + 1 :])
    for _ in range(12):
        along, across = rng.uniform(0.2, 0.55) * rng.choice([-1, 1]), rng.uniform(-0.05, 0.05)
        dx, dy = (along, across) if rng.random() < 0.5 else (across, along)
        x, y = block.x + dx, block.y + dy
        inside = 0.12 <= x <= 0.88 and 0.12 <= y <= 0.88
        way = [(block.x + s * dx, block.y + s * dy) for s in (0.25, 0.5, 0.75, 1.0)]
        if inside and all(is_free(others, *point, gripper_x) for point in way):
            return float(x), float(y)
    return None
