# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How a camera's image has moved, and where the lattices that have stood on it lie now.

Knows canvases and places; knows nothing of what was bought, or of when to stand anew.
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.lattice import Lattice
from vlmaxxing_ros.engine.seeing.motion import MotionEstimator, Shake
from vlmaxxing_ros.engine.seeing.pieces import Place, further
from vlmaxxing_ros.engine.seeing.registration import BELIEVED, register

MOVES = 0.3
"""Pixels per frame from which a camera moves."""

RESTS = 1_000_000_000
"""Time for which it must not have moved to rest; ns."""

_KEPT = 64  # lattices whose places are remembered


class Track:
    """One camera's, since it is followed.

    Args:
        lattice: the grid and its margin.
        shot: the first image, all of it.
        motion: how far its content has moved since the image before: pixels of the grid.
        shaking: what is known of how it moved until then.

    Attributes:
        anchor: number of the lattice that the newest frame stands on.
        place: of that frame.
        motion: of the content since the image before, (right, down) in pixels of the canvas.
        shakes: whether it goes to and fro about one place.
        first: the pixels that this lattice was first seen with.
    """

    def __init__(self, lattice: Lattice, shot: Frame, motion: Place, shaking: Shake) -> None:
        self.lattice = lattice
        self.anchor, self.place = 0, (0.0, 0.0)
        self.motion: Place = (motion[0] * lattice.zoom[0], motion[1] * lattice.zoom[1])
        self._estimator, self._shaking = MotionEstimator(), copy(shaking)
        self.shakes = shaking.shakes
        self._gone: Place = (0.0, 0.0)  # how far the content has moved
        self._guesses: list[Place] = []  # of how far, for the newest image
        self._origins: dict[int, Place] = {}  # place of each lattice before anything moved
        self._moved_at = shot.stamp
        self._show(shot)
        self._estimator.update(self._canvas)
        self.first = shot.pixels

    def take(self, shot: Frame, velocity: tuple[float, float] | None) -> None:
        """The next image: guess how far it moved; `velocity` as in `Planner.look`."""
        interval = (shot.stamp - self._shot.stamp) * 1e-9
        self._show(shot)
        motions = [self._estimator.update(self._canvas)]
        if velocity is not None:
            pairs = zip(velocity, self.lattice.zoom, strict=True)
            right, down = (speed * interval * zoom for speed, zoom in pairs)
            motions.append((right, down))
        # Where nothing can be seen, the larger counts.
        motions.sort(key=lambda motion: -math.hypot(*motion))
        self._before = self._gone
        self._guesses = [further(self._gone, motion) for motion in motions]
        self._gone = self._guesses[0]

    def finds(self, anchor: int, piece: np.ndarray) -> bool:
        """Put the newest frame on a lattice, if that lies within the margin still.

        Args:
            anchor: its number.
            piece: what it shows: uint8 [height, width, 3].
        """
        origin = self._origins.get(anchor)
        if origin is None:
            return False
        places = [further(origin, gone) for gone in self._guesses]
        places = [place for place in places if self.lattice.holds(place, BELIEVED)]
        if not places:
            return False
        place = register(self._canvas, piece, places)
        self._gone = further(place, origin, -1)
        self._guesses = [self._gone]
        if not self.lattice.holds(place):
            return False
        self.anchor, self.place = anchor, place
        return True

    def stand(self, anchor: int) -> None:
        """Put the newest frame on a new lattice, with the longest way to go."""
        self.anchor = anchor
        self.place = self.lattice.anchor(self.motion, rests=self.shakes)
        self._origins[anchor] = further(self.place, self._gone, -1)
        if len(self._origins) > _KEPT:
            del self._origins[min(self._origins)]
        self.first = self.frame().pixels

    def settle(self) -> None:
        """It is known how far the newest image moved."""
        self.motion = further(self._gone, self._before, -1)
        self.shakes = self._shaking.update(self.motion)
        if self.speed >= MOVES:
            self._moved_at = self._shot.stamp

    @property
    def speed(self) -> float:
        """Pixels of the canvas since the image before."""
        return math.hypot(*self.motion)

    @property
    def rests(self) -> bool:
        """Whether the camera has not moved for a while."""
        return self._shot.stamp - self._moved_at >= RESTS

    def frame(self, place: Place | None = None) -> Frame:
        """The newest image's piece at a place; None: where it stands."""
        place = self.place if place is None else place
        return replace(
            self._shot,
            pixels=self.lattice.cut(self._canvas, place),
            view=self.lattice.view(place),
            anchor=self.anchor,
            image=None,
        )

    def _show(self, shot: Frame) -> None:
        self._canvas = self.lattice.canvas(shot.source)
        self._shot = shot.seen
        self._before = self._gone
