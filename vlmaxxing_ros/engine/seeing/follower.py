# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Plans a camera's images on a lattice that follows what they show.

A camera that rests is planned on all of its image.  One that moves is planned on a piece of it,
which moves inside a margin so that every block goes on showing the same: then what was bought
stays in use.  Where the piece would leave the margin it stands anew, and the frame is whole.
Knows images and plans; knows nothing of what is owed or paid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.follow_gate import FollowGate
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.lattice import Lattice
from vlmaxxing_ros.engine.seeing.pieces import Place, cut, further
from vlmaxxing_ros.engine.seeing.plan import Look, Plan
from vlmaxxing_ros.engine.seeing.planner import Planner, everything
from vlmaxxing_ros.engine.seeing.region import Region
from vlmaxxing_ros.engine.seeing.registration import register
from vlmaxxing_ros.engine.seeing.track import MOVES, Track
from vlmaxxing_ros.engine.seeing.witnesses import hear

MOMENT = 500_000_000
"""Time from the image that others are held against to the last of them; ns."""

ASKED = 90_000_000
"""Time from one image to the next of which it is asked whether following it pays; ns."""


class Follower:
    """One stream's.

    Args:
        planner: that plans its frames.
        config: settings.
    """

    def __init__(self, planner: Planner, config: EngineConfig) -> None:
        self._planner = planner
        self._config = config
        self._gate = FollowGate()
        self._track: Track | None = None  # None: the camera is not followed
        self._anchors = 0  # lattices that have stood so far
        # An image of a moment ago, and how far it has moved since or where it lay.
        self._moment: tuple[Look, Place] | None = None
        self._asked = 0  # stamp of the last image of which it was asked what it costs
        self._doubted = False  # whether something else than the camera moved in it
        self._whole: tuple[Plan, Plan] | None = None  # a plan, and all of its image

    def configure(self, config: EngineConfig) -> None:
        """Take on changed settings."""
        before, self._config = self._config, config
        ours = [(c.follow, c.follow_margin, c.statistic) for c in (before, config)]
        if ours[0] != ours[1]:  # another statistic looks at other images
            self._end()

    def plan(
        self,
        shot: Frame,
        velocity: tuple[float, float] | None,
        before: Plan | None = None,
        *,
        protected: Sequence[Region] = (),
    ) -> Plan:
        """Plan the next image.

        Args:
            shot: all of it.
            velocity: as `camera_velocity` of `Planner.look`.
            before: the plan of the image before.
            protected: as in `Planner.look`, of all of the image.
        """
        if self._track is not None and before is not None:
            return self._follow(self._track, shot, velocity, before.look, protected)
        look = self._planner.look(shot.seen, camera_velocity=velocity, protected=protected)
        plan = self._planner.plan(look)
        lattice = Lattice(shot.grid, self._config.follow_margin)
        allowed = self._config.follow == 'auto' and lattice.fits
        if before is None or not allowed or not self._begins(before.look, plan):
            return plan
        self._track = Track(lattice, shot, look.estimate, self._planner.shaking)
        return self._anew(self._track, look, plan.reason)

    def again(self, plan: Plan) -> Plan:
        """The newest image's plan once something was paid: on the lattice of that, if it can."""
        track, reference, look = self._track, self._planner.reference, plan.look
        if track is not None and reference is not None and not reference.fits(look.frame):
            if reference.anchor == 0 and track.rests:
                self._end()
                look = self._all_of(look)
            elif track.finds(reference.anchor, reference.pixels):
                self._moment = None
                look = self._planner.instead(look, track.frame(), look.around)
        return self._planner.plan(look)

    def whole_view(self, plan: Plan) -> Plan | None:
        """All of the newest image, taken whole, in place of a piece of it; None: not now."""
        if self._track is None or not self._track.rests or plan.look.frame.anchor == 0:
            return None
        if self._whole is None or self._whole[0] is not plan:
            view = self._all_of(plan.look)
            self._whole = plan, everything(view, 'the camera rests: all of its image again')
        return self._whole[1]

    def _all_of(self, look: Look) -> Look:
        return self._planner.instead(look, look.around or look.frame, None)

    def _anew(self, track: Track, look: Look, reason: str) -> Plan:
        """A frame taken whole, on a lattice of its own."""
        self._anchors += 1
        self._moment = None
        track.stand(self._anchors)
        around = look.around or look.frame
        return everything(self._planner.instead(look, track.frame(), around), reason)

    def _begins(self, before: Look, plan: Plan) -> bool:
        """Whether to follow a camera that was not followed so far."""
        now = plan.look
        if before.frame.anchor != 0 or self._gate.paused(now.frame.stamp):
            return False
        then, gone = self._earlier(now, before, (0.0, 0.0))
        guesses = [further(gone, now.estimate), further(gone, now.motion)]
        moves = math.hypot(*plan.motion) >= MOVES
        if moves or self._moment is not None:
            self._moment = then, guesses[0]
        if not moves or (self._doubted and now.frame.stamp - self._asked < ASKED):
            return False
        self._asked = now.frame.stamp
        gone = _coarsely(then.frame, now.frame, guesses)
        self._moment = then, gone
        self._doubted = not hear(then.frame.pixels, now.frame.pixels, gone).camera_moves
        if self._doubted:
            return False
        gone = register(now.frame.pixels, then.frame.pixels, [gone])
        self._moment = then, gone
        frame, inside = _moved(then.frame, gone)
        if not inside.any():
            return False
        moved = self._planner.instead(then, frame, None)
        self._gate.note(
            now.frame.stamp,
            without=self._without(then, now, math.hypot(*plan.motion)),
            following=float(self._planner.changed(moved, now, shakes=True)[inside].mean()),
        )
        return self._gate.opens(now.frame.stamp, price=0.0 if plan.whole else 1.0)

    def _earlier(self, now: Look, before: Look, place: Place) -> tuple[Look, Place]:
        """A moment ago, to hold an image against, and where that lay; `before` once that is old.

        What is bought adds up: from one image to the next little changes where there is little to
        be seen, and after half a block much.
        """
        moment, grid = self._moment, now.frame.grid
        if moment is not None:
            then, stood = moment
            near = math.dist(stood, place) <= grid.block / 2
            if then.frame.grid == grid and near and now.frame.stamp - then.frame.stamp <= MOMENT:
                return moment
        return before, place

    def _without(self, then: Look, now: Look, speed: float) -> float:
        """Share of the blocks that an image costs where the lattice stays where it was."""
        if speed > self._config.max_motion * now.frame.grid.block:
            return 1.0
        return float(self._planner.changed(then, now, shakes=now.shakes).mean())

    def _follow(
        self,
        track: Track,
        shot: Frame,
        velocity: tuple[float, float] | None,
        before: Look,
        protected: Sequence[Region],
    ) -> Plan:
        """Plan the next image of a camera that is followed."""
        planner, reference = self._planner, self._planner.reference
        then, stood = self._earlier(before, before, track.place)
        track.take(shot, velocity)
        bought = reference is not None and track.finds(reference.anchor, reference.pixels)
        found = bought or track.finds(track.anchor, track.first)
        track.settle()
        if not found:
            self._anchors += 1
            track.stand(self._anchors)
        look = planner.look(
            track.frame(), protected=protected, around=shot.seen, follows=track.speed >= MOVES
        )
        plan = planner.plan(look)
        if track.speed >= MOVES:
            same = track.anchor == then.frame.anchor
            self._moment = (then, stood) if same else (look, track.place)
            if shot.stamp - self._asked >= ASKED:
                self._ask(track, then, stood, look)
        if self._gate.closes(shot.stamp) or (plan.whole and track.rests):
            self._end()
            return planner.plan(self._all_of(look))
        return self._anew(track, look, plan.reason) if bought and plan.whole else plan

    def _ask(self, track: Track, then: Look, stood: Place, now: Look) -> None:
        """What the newest image costs, and what it would where the lattice had stayed."""
        planner, stamp = self._planner, now.frame.stamp
        self._asked, following = stamp, 1.0
        stays = replace(planner.instead(then, track.frame(stood), None), shakes=track.shakes)
        if track.anchor == then.frame.anchor:
            gone = further(track.place, stood, -1)
            # A lattice that has gone with something before the camera is worth nothing.
            if not hear(then.frame.pixels, stays.frame.pixels, gone).contradicted:
                following = float(planner.changed(then, now, shakes=True).mean())
        without = self._without(then, stays, track.speed)
        self._gate.note(stamp, without=without, following=following)

    def _end(self) -> None:
        """Follow no longer."""
        self._track = self._moment = self._whole = None


def _coarsely(before: Frame, now: Frame, guesses: Sequence[Place]) -> Place:
    """How far the content has moved; a quarter of the pixels tell it well enough."""
    halves = [(right / 2, down / 2) for right, down in guesses]
    right, down = register(cv2.pyrDown(now.pixels), cv2.pyrDown(before.pixels), halves)
    return 2 * right, 2 * down


def _moved(frame: Frame, motion: Place) -> tuple[Frame, np.ndarray]:
    """A frame whose content has moved by so many pixels; the blocks that it shows all of."""
    grid, (right, down) = frame.grid, motion
    pixels = cut(frame.pixels, (-right, -down), grid.width, grid.height, sharp=True)
    rows, cols = np.arange(grid.rows) * grid.block, np.arange(grid.cols) * grid.block
    inside = _within(rows, down, grid.height, grid.block)[:, None] & _within(
        cols, right, grid.width, grid.block
    )
    return replace(frame, pixels=pixels), inside


def _within(starts: np.ndarray, moved: float, size: int, block: int) -> np.ndarray:
    """Which blocks came from within an image along one axis: bool [n]."""
    within: np.ndarray = (starts - moved >= 0) & (starts + block - moved <= size)
    return within
