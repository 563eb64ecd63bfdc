# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A pan-tilt head that goes from preset to preset and comes back: over a clip, over a table.

Knows where the head looks; knows nothing of plans or models.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from bench.moving_world import Sweep

WINDOW = 0.5  # of a clip's width and height: what the head shows at once
PRESETS = ((0.02, 0.1), (0.98, 0.3), (0.5, 0.98))
"""Where the window stands, as shares of its room to the right and downwards."""


@dataclass(frozen=True)
class Head:
    """When it stands where.

    Attributes:
        dwell, transit: seconds at a preset, and from one to the next.
        error: of where it comes to stand, sigma in pixels of the picture along each axis.
        order: of the presets, again and again.
    """

    dwell: float
    transit: float
    error: float = 0.5
    order: tuple[int, ...] = (0, 1, 0, 2, 1, 2)

    def stop(self, seconds: float) -> int:
        """Number of the stop that it stands at, or has left last."""
        return int(seconds / (self.dwell + self.transit) + 1e-9)

    def preset(self, seconds: float) -> int | None:
        """The preset that it stands at; None: it is under way."""
        stop = self.stop(seconds)
        stands = seconds - stop * (self.dwell + self.transit) < self.dwell - 1e-9
        return self.order[stop % len(self.order)] if stands else None

    def at(self, seconds: float, places: np.ndarray) -> np.ndarray:
        """Where it looks: float [axes], with the presets at `places` (pixels, [presets, axes])."""
        stop = self.stop(seconds)
        late = seconds - stop * (self.dwell + self.transit) - self.dwell
        done = min(1.0, max(0.0, late / self.transit))
        here, there = (self._stood(number, places) for number in (stop, stop + 1))
        return here + (there - here) * (3 - 2 * done) * done**2

    def _stood(self, stop: int, places: np.ndarray) -> np.ndarray:
        error = np.random.default_rng(stop).normal(0.0, self.error, places.shape[1])
        found: np.ndarray = places[self.order[stop % len(self.order)]] + error
        return found


def shown(clip: list[np.ndarray], rate: float, head: Head) -> Iterator[tuple[float, np.ndarray]]:
    """What the head shows of a clip, which goes to and fro without an end: seconds and image."""
    height, width = clip[0].shape[:2]
    size = round(WINDOW * width), round(WINDOW * height)
    places = np.array(PRESETS) * (width - size[0], height - size[1])
    number, turn = 0, 2 * len(clip) - 2
    while True:
        seconds, index = number / rate, number % turn
        right, down = head.at(seconds, places)
        yield (
            seconds,
            cv2.warpAffine(
                clip[min(index, turn - index)],
                np.array([[1, 0, right], [0, 1, down]], np.float32),
                size,
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            ),
        )
        number += 1


class PresetTable(Sweep):
    """The table of a sweep, three pictures wide, looked at preset by preset."""

    def __init__(self, *, seed: int, head: Head) -> None:
        super().__init__(seed=seed, step=0.0, shake=0.0, period=0.1)
        self._head = head

    def _view(self, stamp: float) -> float:
        """Where the picture's left edge lies on the table, in widths of the picture."""
        width = self.size[1]
        places = np.array([[0.0], [1.0], [2.0]]) * width
        at = float(self._head.at(stamp, places)[0]) / width
        return min(2.0, max(0.0, at))
