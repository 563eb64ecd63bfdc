# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the model does for the cameras though nobody asks: the most urgent first.

Knows the cameras' work and what it takes; knows nothing of questions, nor of when its turn is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from vlmaxxing_ros.engine.stream.duty import Duty
from vlmaxxing_ros.ros.camera import Camera

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.stream.session import Background


class Chore(NamedTuple):
    """A camera's next work."""

    camera: Camera
    work: Background


class Chores:
    """The background of all cameras, on the model's thread.

    Args:
        cameras: those with a session, by name, now.
        on_failure: told for which camera the model failed, and why.

    Attributes:
        duty: what it takes of the time.
    """

    def __init__(
        self,
        cameras: Callable[[], Mapping[str, Camera]],
        on_failure: Callable[[Camera, BaseException], object],
    ) -> None:
        self._cameras = cameras
        self._on_failure = on_failure
        self.begin()

    def begin(self) -> None:
        """Count the time from now on."""
        self.duty = Duty(time.monotonic())

    def next(self) -> Chore | None:
        """Of the cameras' next work the most urgent; of equals the one served longest ago."""
        found: list[Chore] = []
        for camera in self._cameras().values():
            try:
                work = camera.session.background()
            except BaseException as error:  # Rust's panics are no Exception
                self._on_failure(camera, error)
                continue
            if work is not None:
                found.append(Chore(camera, work))
        return min(found, key=lambda it: (it.work.urgency, it.camera.last_served), default=None)

    def do(self, chore: Chore) -> None:
        """Do a slice of it."""
        start = time.monotonic()
        try:
            chore.work.step()
        except BaseException as error:
            self._on_failure(chore.camera, error)
        chore.camera.last_served = time.monotonic()
        self.duty.spend(chore.camera.last_served - start)
