# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One camera in the node: the newest image that waits, and the counts of what became of them all.

Knows nothing of rclpy; images are opaque until they are converted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.stream.budget import FreshBudget
    from vlmaxxing_ros.engine.stream.session import StreamSession

_RATE_WINDOW = 5.0  # s


@dataclass(frozen=True)
class Arrival:
    """An image message as it came: `stamp` in ns and `frame_id` from its header."""

    message: Any
    stamp: int
    frame_id: str


@dataclass(frozen=True)
class Counts:
    """Frames since activation or reset; `rate` is in planned frames per second."""

    received: int = 0
    planned: int = 0
    admitted: int = 0
    dropped: int = 0
    rate: float = 0.0


@dataclass(frozen=True)
class Perceived:
    """What became of one image.

    Attributes:
        budget: what it cost; its kind is DROPPED for an image that could not be used.
        convert_time: seconds from the message to the frame on its grid.
        duty: share of the time for which the model was busy in the background, lately.
    """

    camera: str
    arrival: Arrival
    budget: FreshBudget
    counts: Counts
    convert_time: float = 0.0
    duty: float = 0.0


class Camera:
    """A camera's waiting image, counts and session.

    Args:
        name: of the camera.
        convert: image message to RGB uint8 [height, width, 3]; raises InvalidFrame.
        session: what is seen, and paid of it.
    """

    def __init__(
        self, name: str, convert: Callable[[Any], np.ndarray], session: StreamSession
    ) -> None:
        self.name = name
        self.convert = convert
        self.session = session
        self.last_served = 0.0  # s of time.monotonic, when the background last worked for it
        self.last_turn = 0.0  # s of time.monotonic, when its last image was taken up
        self._lock = threading.Lock()
        self._waiting: Arrival | None = None
        self._counts = Counts()
        self._planned_at: deque[float] = deque(maxlen=1000)

    @property
    def has_image(self) -> bool:
        """Whether an image waits."""
        return self._waiting is not None

    def offer(self, arrival: Arrival) -> None:
        """Put an image in the slot; one that still waits there is dropped and counted."""
        with self._lock:
            counts = self._counts
            replaced = self._waiting is not None
            self._waiting = arrival
            self._counts = replace(
                counts, received=counts.received + 1, dropped=counts.dropped + replaced
            )

    def take(self) -> Arrival | None:
        """Take the waiting image out of the slot."""
        with self._lock:
            arrival, self._waiting = self._waiting, None
            self.last_turn = time.monotonic()
            return arrival

    def count(self, *, planned: bool, admitted: bool) -> Counts:
        """Record what became of the image taken; returns the counts after it."""
        with self._lock:
            if planned:
                self._planned_at.append(time.monotonic())
            counts = self._counts
            self._counts = replace(
                counts,
                planned=counts.planned + planned,
                admitted=counts.admitted + admitted,
                dropped=counts.dropped + (not planned),
            )
        return self.counts()

    def counts(self) -> Counts:
        """The counts now."""
        now = time.monotonic()
        with self._lock:
            while self._planned_at and now - self._planned_at[0] > _RATE_WINDOW:
                self._planned_at.popleft()
            times = self._planned_at
            rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
            return replace(self._counts, rate=rate)

    def restart(self) -> None:
        """Count from nothing and forget the waiting image."""
        with self._lock:
            self._waiting = None
            self._counts = Counts()
            self._planned_at.clear()
