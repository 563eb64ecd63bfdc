# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A table that a camera sweeps over at one speed, to and fro, and what can be asked about a piece.

A cloth lies on the table, so that every block shows where it is, and no gripper hangs before the
camera, which stands on a head of its own.

Knows nothing of models or plans.
"""

from __future__ import annotations

import cv2
import numpy as np

from vlmaxxing_ros.demo.patrol import EDGE, VIEWS, Patrol
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_camera import instant_number
from vlmaxxing_ros.demo.tabletop_questions import PHRASES, Scene
from vlmaxxing_ros.demo.tabletop_state import COLORS, State
from vlmaxxing_ros.engine.seeing.region import Region

CLOTH = 9.0
"""Sigma of the cloth's pattern, at two scales; grey levels."""


class Sweep(Patrol):
    """A table as wide as three pictures, on which blocks move while the camera does.

    seed: everything follows from it.
    step: pixels of the picture per frame.
    shake: pixels, either way.
    period: seconds from frame to frame.
    """

    salt = 0x53EE9

    def __init__(self, *, seed: int, step: float, shake: float, period: float) -> None:
        self._step, self._shake, self._period = step, shake, period
        super().__init__(seed=seed, slots=6)
        height, width, _ = self._ground.shape
        weave = np.zeros((height, width, 1), np.float32)
        rng = np.random.default_rng((seed, self.salt))
        for side in (24, 9):
            coarse = rng.normal(0, CLOTH, (height // side + 1, width // side + 1)).astype(
                np.float32
            )
            weave[..., 0] += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        self._ground = np.clip(self._ground + weave, 0, 255).astype(np.uint8)

    def questions(self, stamp: float, view: Region) -> list[tuple[str, str]]:
        """Questions about a piece of the picture that have one true answer, and that answer."""
        table = Tabletop.state(self, stamp).placed
        left = self._view(stamp)
        places = {
            color: ((x - left - view.x) / view.width, (y - view.y) / view.height)
            for color, (x, y) in table.items()
        }
        inside = {
            color: at for color, at in places.items() if all(EDGE <= v <= 1 - EDGE for v in at)
        }
        outside = [
            color
            for color in COLORS
            if color not in places or any(v < -EDGE or v > 1 + EDGE for v in places[color])
        ]
        scene = Scene([State(stamp, inside, table, 0.0, (0.0, 0.0))])
        rng = np.random.default_rng((self.seed, round(stamp * 1e3)))
        asked = []
        for color in rng.permutation(sorted(inside))[:2]:
            answer = scene.answer('where', str(color))
            if answer is not None:
                asked.append((PHRASES['where'][0].format(color), answer))
        for colors, answer in ((sorted(inside), 'yes'), (outside, 'no')):
            if colors:
                asked.append((PHRASES['exists'][0].format(rng.choice(colors)), answer))
        return asked

    def clean(self, stamp: float) -> np.ndarray:
        """The picture before light and noise: a piece of the table."""
        height, width = self.size
        left = self._margin + self._view(stamp) * width
        center = left + (width - 1) / 2, self._margin + (height - 1) / 2
        return cv2.getRectSubPix(self._canvas(stamp), (width, height), center)

    def _view(self, stamp: float) -> float:
        """Where the picture's left edge lies on the table, in widths of the picture."""
        width = self.size[1]
        gone = 1.0 + self._step * round(stamp / self._period) / width
        most = VIEWS - 1
        swept = most - abs(gone % (2 * most) - most)
        number = instant_number(self.seed, round(stamp / self._period), 5)
        return swept + self._shake * (number % 2001 / 1000 - 1) / width
