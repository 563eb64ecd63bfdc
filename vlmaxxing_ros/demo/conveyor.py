# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A belt that carries blocks past a fixed camera.

The belt never stops: most of the picture changes with every frame, and most of that change means
nothing.  What matters is a block that enters, crosses into another third of the picture or
leaves, one that is dropped onto the belt and picked up again 0.2 s later, and the gripper above.
Knows nothing of questions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from vlmaxxing_ros.demo.scripted import BRIEF, LEAD, SLOT, Staged, tenths
from vlmaxxing_ros.demo.tabletop_state import COLORS, Block, Epoch, Event, State

EDGE = 0.12
"""How far a block's middle is from the picture's edge when all of it is inside, in widths."""

_BELT = 0.36  # the belt's upper edge, in heights: below the gripper
_THIRDS = (1 / 3, 2 / 3)
_BORDER = 0.04  # on both sides of a third's border, in widths


@dataclass(frozen=True)
class Passenger:
    """A block on the belt: where it was at `since`, and when it is there at all; seconds."""

    block: Block
    since: float
    start: float = -math.inf
    end: float = math.inf


class Conveyor(Staged):
    """Blocks that pass from left to right."""

    salt = 0xBE17

    def _set_the_stage(self, rng: np.random.Generator, slots: int) -> None:
        self.speed = float(rng.uniform(0.14, 0.2))
        """Of the belt, in widths of the picture per second."""
        self._texture = _texture(rng, self._ground.shape[0], 2 * self._ground.shape[1])
        self._passengers: list[Passenger] = []
        self._happens: list[Event] = []
        self._load(rng)
        for slot in range(1, slots, 2):
            self._drop(rng, LEAD + SLOT * slot)
        self._grip(rng, slots)
        self._happens.sort(key=lambda event: event.start)

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that happens: enter, cross, leave, visit, open, close."""
        return tuple(self._happens)

    def clear(self, stamp: float) -> bool:
        """Whether no block is cut by the picture's edge."""
        places = [block.x for block, _ in self._riding(stamp)]
        return not any(abs(x - edge) < EDGE for x in places for edge in (0.0, 1.0))

    def state(self, stamp: float) -> State:
        """Ground truth at `stamp` seconds: the blocks that are wholly in the picture."""
        world = super().state(stamp)
        places = {
            block.color: (block.x, block.y)
            for block, _ in self._riding(stamp)
            if EDGE <= block.x <= 1 - EDGE
        }
        return State(stamp, places, places, world.opening, world.gripper)

    def _riding(self, stamp: float) -> list[tuple[Block, Passenger]]:
        """Every block that is there now, where it is now."""
        riding = []
        for passenger in self._passengers:
            if passenger.start <= stamp < passenger.end:
                block = passenger.block
                x = block.x + self.speed * (stamp - passenger.since)
                moved = Block(block.color, x, block.y, block.size, block.angle)
                if -EDGE < x < 1 + EDGE:
                    riding.append((moved, passenger))
        return riding

    def _canvas(self, stamp: float) -> np.ndarray:
        """The belt where it is now, with everything on it."""
        canvas = self._ground.copy()
        top = self._margin + round(_BELT * self.size[0])
        shift = self.speed * stamp * self.size[1]
        canvas[top:] = _rolled(self._texture, shift, canvas.shape[1])[top:]
        for block, _ in sorted(self._riding(stamp), key=lambda ridden: ridden[0].y):
            self._draw_block(canvas, block)
        self._draw_gripper(canvas, self._world(stamp)[1])
        return canvas

    def _load(self, rng: np.random.Generator) -> None:
        """Blocks for the whole stream, none twice at a time."""
        colors, busy = list(COLORS), dict.fromkeys(COLORS, -math.inf)
        across = (1 + 2 * EDGE) / self.speed
        at = -across + 1.0
        while at < self.duration:
            free = [c for c in colors if busy[c] < at]
            color = str(rng.choice(free))
            busy[color] = at + across + 1.0
            block = Block(
                color,
                -EDGE,
                float(rng.choice([0.52, 0.82])),
                float(rng.uniform(0.13, 0.18)),
                float(rng.uniform(-0.6, 0.6)),
            )
            self._passengers.append(Passenger(block, at))
            self._note(color, at)
            at += float(rng.uniform(0.3, 0.75)) * across

    def _note(self, color: str, at: float) -> None:
        """What this block's passage makes happen."""
        inside = 2 * EDGE / self.speed
        self._happens.append(Event('enter', at, at + inside, color))
        for border in _THIRDS:
            near = at + (EDGE + border - _BORDER) / self.speed
            self._happens.append(Event('cross', near, near + 2 * _BORDER / self.speed, color))
        leaves = at + 1.0 / self.speed
        self._happens.append(Event('leave', leaves, leaves + inside, color))

    def _drop(self, rng: np.random.Generator, first: float) -> None:
        """Drop a block onto the belt, where there is room, and pick it up again."""
        for _ in range(60):
            at = tenths(first + float(rng.uniform(0.0, 4.0)))
            riding = [block for block, _ in self._riding(at)]
            absent = [c for c in COLORS if all(block.color != c for block in riding)]
            x, y = float(rng.uniform(0.16, 0.8)), float(rng.choice([0.52, 0.82]))
            if not (self.clear(at) and all(math.hypot(b.x - x, b.y - y) > 0.26 for b in riding)):
                continue
            color, end = str(rng.choice(absent)), tenths(at + BRIEF)
            block = Block(color, x, y, float(rng.uniform(0.13, 0.18)), 0.2)
            self._passengers.append(Passenger(block, at, at, end))
            self._happens.append(Event('visit', at, end, color))
            return

    def _grip(self, rng: np.random.Generator, slots: int) -> None:
        """Open and close the gripper in every second slot."""
        opening = self._epochs[0].opening
        for slot in range(0, slots, 2):
            at = tenths(LEAD + SLOT * slot + float(rng.uniform(3.0, 5.0)))
            event = Event('close' if opening else 'open', at, at + 0.3, '')
            self._epochs.append(Epoch(at, (), opening, event))
            self._happens.append(event)
            opening = 1.0 - opening


def _texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A belt's surface that can be rolled round: ribs, stains, grain; uint8 [height, width, 3]."""
    level = rng.uniform(80, 180)
    ribs = 12 * np.sin(2 * np.pi * np.arange(width) / (width / round(width / 24)))
    coarse = rng.normal(0, 7, (6, 12)).astype(np.float32)
    stains = cv2.resize(np.hstack([coarse, coarse[:, :1]]), (width + 1, height))[:, :width]
    grain = rng.normal(0, 3, (height, width))
    surface = level + ribs[None] + stains + grain
    return np.clip(surface[..., None] + rng.uniform(-6, 6, 3), 0, 255).astype(np.uint8)


def _rolled(texture: np.ndarray, shift: float, width: int) -> np.ndarray:
    """The texture moved to the right by `shift` pixels, subpixels included; its first `width`."""
    whole = math.floor(shift)
    part = shift - whole
    first = np.roll(texture, whole, axis=1)[:, :width]
    second = np.roll(texture, whole + 1, axis=1)[:, :width]
    return cv2.addWeighted(first, 1 - part, second, part, 0)
