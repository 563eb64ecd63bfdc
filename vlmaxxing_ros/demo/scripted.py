# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A tabletop on which things happen at beats, so that a question can be asked about each.

Two beats less than two seconds apart come in every second slot, one alone in the others; in every
third slot it is brief: what happens takes 0.2 s.  Knows nothing of questions.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_camera import TabletopCamera, draw_camera
from vlmaxxing_ros.demo.tabletop_events import find_goal, with_new_block
from vlmaxxing_ros.demo.tabletop_state import COLORS, Block, Epoch, Event

SIZE = (168, 224)
"""Height and width of the pictures, in pixels: 6 x 8 blocks."""

LEAD, SLOT, BRIEF = 4.5, 7.0, 0.2
"""Seconds before the first slot, of a slot, and of what is brief."""


@dataclass(frozen=True)
class Beat:
    """A moment at which something is to happen; `brief`: within `BRIEF` seconds."""

    at: float
    brief: bool = False


def draw_beats(rng: np.random.Generator, slots: int) -> list[Beat]:
    """Beats for that many slots, on tenths of a second."""
    beats = []
    for slot in range(slots):
        at = LEAD + SLOT * slot + float(rng.uniform(0.0, 1.0))
        if slot % 2 == 0:
            beats.append(Beat(tenths(at - float(rng.uniform(1.1, 1.9)))))
        beats.append(Beat(tenths(at), brief=slot % 3 == 2))
    return beats


def tenths(seconds: float) -> float:
    """Rounded to tenths, so that a change falls on a frame at 10 Hz."""
    return round(seconds * 10) / 10


def fixed_camera(rng: np.random.Generator, duration: float) -> TabletopCamera:
    """A camera on a stand: noise, lamp and exposure as in training, but it never moves."""
    return replace(draw_camera(rng, duration), jitter=0.0, pan=(0.0, 0.0))


class Staged(Tabletop, ABC):
    """A table on which nothing happens by chance, below a camera on a stand.

    Subclasses write down what happens in slots of `SLOT` seconds.

    seed: everything follows from it, and from the subclass's `salt`.
    slots: how many; `duration` follows from it.
    """

    salt: ClassVar[int]

    def __init__(self, *, seed: int, slots: int = 6, size: tuple[int, int] = SIZE) -> None:
        duration = LEAD + SLOT * slots
        rng = np.random.default_rng((seed, self.salt))
        super().__init__(
            seed=seed,
            size=size,
            duration=duration,
            pause=math.inf,
            camera=fixed_camera(rng, duration),
        )
        self._set_the_stage(rng, slots)
        self._starts = [epoch.start for epoch in self._epochs]

    @abstractmethod
    def _set_the_stage(self, rng: np.random.Generator, slots: int) -> None:
        """Plan what happens: sets `_epochs`."""


class ScriptedTabletop(Staged):
    """A fixed camera over a table on which something happens in every slot."""

    salt = 0x5C819

    def clear(self, stamp: float) -> bool:
        """Whether nothing is cut by the picture's edge, so that it is clear what is seen."""
        return True

    def _set_the_stage(self, rng: np.random.Generator, slots: int) -> None:
        script = Script(rng, self._gripper[0])
        for color in rng.permutation(list(COLORS))[: int(rng.integers(2, 4))]:
            script.add(str(color))
        script.open_with(float(rng.integers(0, 2)))
        for beat in draw_beats(rng, slots):
            script.play(beat)
        self._epochs = script.epochs


class Script:
    """What happens on a table, written beat by beat.

    `view` is where the picture's left edge lies on the table, in widths of the picture: things
    happen inside the picture.
    """

    def __init__(self, rng: np.random.Generator, gripper_x: float) -> None:
        self._rng = rng
        self._gripper_x = gripper_x
        self._opening = 0.0
        self._last = ''
        self.blocks: tuple[Block, ...] = ()
        self.epochs: list[Epoch] = []

    def add(self, color: str, view: float = 0.0) -> bool:
        """Put a block somewhere in the picture; False where it does not fit."""
        here = self._here(view)
        more = with_new_block(self._rng, here, color, self._gripper_x)
        if len(more) == len(here):
            return False
        self.blocks = (*self.blocks, replace(more[-1], x=more[-1].x + view))
        return True

    def open_with(self, opening: float) -> None:
        """The table as it is at first."""
        self._opening = opening
        self.epochs.append(Epoch(-math.inf, self.blocks, opening))

    def play(self, beat: Beat, view: float = 0.0) -> None:
        """Let something happen: the first of some random ideas that is possible."""
        steady = (self._move, self._move, self._appear, self._disappear, self._grip)
        ideas = (self._move, self._visit) if beat.brief else steady
        for index in self._rng.permutation(len(ideas)):
            if ideas[index](beat, view):
                return

    def _here(self, view: float) -> tuple[Block, ...]:
        """The blocks in the picture, as it shows them."""
        shifted = (replace(block, x=block.x - view) for block in self.blocks)
        return tuple(block for block in shifted if 0.0 < block.x < 1.0)

    def _move(self, beat: Beat, view: float) -> bool:
        here = self._here(view)
        # Moving the same block again is what a stale cache gets wrong.
        order = sorted(range(len(here)), key=lambda i: here[i].color != self._last)
        for index in order:
            goal = find_goal(self._rng, here, index, self._gripper_x)
            if goal is None:
                continue
            color, target = here[index].color, (goal[0] + view, goal[1])
            seconds = BRIEF if beat.brief else tenths(float(self._rng.uniform(0.4, 1.0)))
            event = Event('move', beat.at, beat.at + seconds, color)
            self.epochs.append(Epoch(beat.at, self.blocks, self._opening, event, target))
            self.blocks = tuple(
                replace(b, x=target[0], y=target[1]) if b.color == color else b for b in self.blocks
            )
            self._last = color
            return True
        return False

    def _appear(self, beat: Beat, view: float) -> bool:
        return self._enter('appear', beat.at, beat.at, view)

    def _visit(self, beat: Beat, view: float) -> bool:
        before, end = self.blocks, tenths(beat.at + BRIEF)
        if not self._enter('visit', beat.at, end, view):
            return False
        self.blocks = before
        self.epochs.append(Epoch(end, before, self._opening))
        return True

    def _enter(self, kind: str, start: float, end: float, view: float) -> bool:
        absent = [c for c in COLORS if all(b.color != c for b in self.blocks)]
        if len(self._here(view)) > 4 or not absent:
            return False
        color = str(self._rng.choice(absent))
        if not self.add(color, view):
            return False
        event = Event(kind, start, end, color)
        self.epochs.append(Epoch(start, self.blocks, self._opening, event))
        self._last = color
        return True

    def _disappear(self, beat: Beat, view: float) -> bool:
        here = self._here(view)
        if len(here) < 2:
            return False
        color = here[int(self._rng.integers(len(here)))].color
        self.blocks = tuple(b for b in self.blocks if b.color != color)
        event = Event('disappear', beat.at, beat.at, color)
        self.epochs.append(Epoch(beat.at, self.blocks, self._opening, event))
        return True

    def _grip(self, beat: Beat, view: float) -> bool:
        kind = 'close' if self._opening else 'open'
        event = Event(kind, beat.at, beat.at + 0.3, '')
        self.epochs.append(Epoch(beat.at, self.blocks, self._opening, event))
        self._opening = 1.0 - self._opening
        return True
