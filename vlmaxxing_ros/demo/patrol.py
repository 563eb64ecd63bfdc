# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A camera that pans between resting views of a table larger than its picture.

Three views lie side by side, each with blocks of its own; the gripper moves with the camera, as
one that is mounted beside it does.  The camera turns in every second slot; just before a turn or
soon after it something happens in the view where it rests, and twice in the slot that follows.
Knows nothing of questions.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

import cv2
import numpy as np

from vlmaxxing_ros.demo.drawing import draw_ground
from vlmaxxing_ros.demo.scripted import LEAD, SLOT, Beat, Script, Staged, tenths
from vlmaxxing_ros.demo.tabletop_state import COLORS, Event, State

VIEWS = 3
EDGE = 0.1
"""How far a block's middle is from the picture's edge when all of it is inside, in widths."""


@dataclass(frozen=True)
class Pan:
    """The camera turns from one view to another between `start` and `end` seconds."""

    start: float
    end: float
    before: int
    after: int


class Patrol(Staged):
    """A table as wide as three pictures, looked at view by view: a turn in every second slot."""

    salt = 0x9A7201

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that happens: `view` for a turn of the camera, and what blocks do."""
        turns = (Event('view', pan.start, pan.end, '') for pan in self._pans)
        return tuple(sorted([*super().events, *turns], key=lambda event: event.start))

    def clear(self, stamp: float) -> bool:
        """Whether the camera rests: then no block is cut by the picture's edge."""
        return self._view(stamp) == round(self._view(stamp))

    def state(self, stamp: float) -> State:
        """Ground truth at `stamp` seconds: the blocks that are wholly in the picture."""
        world = super().state(stamp)
        view = self._view(stamp)
        seen = {
            color: (x - view, y)
            for color, (x, y) in world.placed.items()
            if EDGE <= x - view <= 1 - EDGE
        }
        placed = {color: world.placed[color] for color in seen}
        return State(stamp, seen, placed, world.opening, world.gripper)

    def clean(self, stamp: float) -> np.ndarray:
        """The picture before light and noise: a piece of the table, then the gripper."""
        canvas = self._canvas(stamp)
        height, width = self.size
        m = self._margin
        left = self._view(stamp) * width
        center = (m + left + (width - 1) / 2, m + (height - 1) / 2)
        piece = cv2.getRectSubPix(canvas, (width + 2 * m, height + 2 * m), center)
        super()._draw_gripper(piece, self._world(stamp)[1])
        return piece[m : m + height, m : m + width].copy()

    def _draw_gripper(self, canvas: np.ndarray, opening: float) -> None:
        """Not on the table: it hangs before the camera."""

    def _view(self, stamp: float) -> float:
        """Where the picture's left edge lies on the table, in widths of the picture."""
        index = bisect.bisect_right(self._turns, stamp) - 1
        if index < 0:
            return float(self._pans[0].before) if self._pans else 0.0
        pan = self._pans[index]
        done = min(1.0, (stamp - pan.start) / (pan.end - pan.start))
        return pan.before + (pan.after - pan.before) * (3 - 2 * done) * done**2

    def _set_the_stage(self, rng: np.random.Generator, slots: int) -> None:
        """Blocks in every view; a turn in every second slot, and beats."""
        height, width = self.size
        self._ground = draw_ground(rng, (height, VIEWS * width), self._margin)
        self._pans: list[Pan] = []
        script = Script(rng, self._gripper[0])
        colors = [str(color) for color in rng.permutation(list(COLORS))]
        for number, color in enumerate(colors[: int(rng.integers(4, 6))]):
            script.add(color, float(number % VIEWS))
        script.open_with(float(rng.integers(0, 2)))
        view = int(rng.integers(VIEWS))
        for slot in range(slots):
            at = LEAD + SLOT * slot + float(rng.uniform(0.0, 0.8))
            if slot % 2:
                # The camera has rested for long: what changed can be asked about.
                script.play(Beat(tenths(at + 1.5)), float(view))
                script.play(Beat(tenths(at + 3.2), brief=slot % 3 == 0), float(view))
                continue
            if slot and slot % 4 == 0:
                script.play(Beat(tenths(at - 1.4)), float(view))
            # Some turns go two views far: to say where it ends is no guess.
            after = int(rng.choice([v for v in range(VIEWS) if v != view]))
            end = tenths(at + float(rng.uniform(0.8, 1.2)) * abs(after - view))
            self._pans.append(Pan(tenths(at), end, view, after))
            view = after
            if slot % 4:
                beat = Beat(tenths(end + float(rng.uniform(0.5, 1.0))), brief=slot % 3 == 2)
                script.play(beat, float(view))
        self._epochs = script.epochs
        self._turns = [pan.start for pan in self._pans]
