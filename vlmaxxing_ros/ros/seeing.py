# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The seeing thread: every image is converted and planned at camera rate, whatever the model does.

Knows cameras and sessions; knows nothing of rclpy, and images are opaque until they are converted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from vlmaxxing_ros.engine.errors import InvalidFrame
from vlmaxxing_ros.ros.camera import Camera, Perceived
from vlmaxxing_ros.ros.work_thread import WorkThread

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.seeing.frame import Frame
    from vlmaxxing_ros.engine.seeing.region import Region


class Seeing:
    """Sees for every camera in turn, on one thread.

    Args:
        cameras: those with a session, by name, now.
        camera_velocity: how fast a camera's image content moves in a frame: (right, down) in
            pixels of the grid per second; None: not known.
        protected: what of a camera's image must not wait, of an image of this height and width.
        duty: share of the time for which the model is busy in the background.
        on_perceived: told, on this thread, what became of each image.
        on_error: told what went wrong with a camera's image other than that it cannot be used.
        seen: told whose image has been seen: there may be something to pay.
    """

    def __init__(
        self,
        cameras: Callable[[], Mapping[str, Camera]],
        *,
        camera_velocity: Callable[[str, Frame], tuple[float, float] | None],
        protected: Callable[[str, int, int], Sequence[Region]],
        duty: Callable[[], float],
        on_perceived: Callable[[Perceived], None],
        on_error: Callable[[Camera | None, BaseException], None],
        seen: Callable[[Camera], None],
    ) -> None:
        self._cameras = cameras
        self._camera_velocity = camera_velocity
        self._protected = protected
        self._duty = duty
        self._on_perceived = on_perceived
        self._on_error = on_error
        self._seen = seen
        self._thread = WorkThread(self._work, lambda error: on_error(None, error), name='seeing')

    def wake(self) -> None:
        """An image waits."""
        self._thread.wake()

    def stop(self, timeout: float) -> bool:
        """End the thread; False if it is still busy after `timeout` s."""
        return self._thread.stop(timeout)

    def _work(self) -> float | None:
        waiting = [camera for camera in self._cameras().values() if camera.has_image]
        if not waiting:
            return None
        self._perceive(min(waiting, key=lambda camera: camera.last_turn))
        return 0.0

    def _perceive(self, camera: Camera) -> None:
        """Convert and plan a camera's waiting image."""
        from vlmaxxing_ros.engine.stream.budget import FrameKind, FreshBudget

        arrival = camera.take()
        if arrival is None:
            return
        start = converted = time.monotonic()
        try:
            image = camera.convert(arrival.message)
            frame = camera.session.frame(image, stamp=arrival.stamp, frame_id=arrival.frame_id)
            converted = time.monotonic()
            velocity = self._camera_velocity(camera.name, frame)
            protected = self._protected(camera.name, *image.shape[:2])
            budget = camera.session.see(frame, camera_velocity=velocity, protected=protected)
        except InvalidFrame as error:
            budget = FreshBudget(kind=FrameKind.DROPPED, status_text=str(error))
        except BaseException as error:  # Rust's panics are no Exception
            self._on_error(camera, error)
            text = f'{camera.name}: {type(error).__name__}: {error}'
            budget = FreshBudget(kind=FrameKind.DROPPED, status_text=text)
        self._seen(camera)
        usable = budget.kind is not FrameKind.DROPPED
        counts = camera.count(planned=usable, admitted=usable and budget.kind != FrameKind.NONE)
        self._on_perceived(
            Perceived(
                camera=camera.name,
                arrival=arrival,
                budget=budget,
                counts=counts,
                convert_time=converted - start,
                duty=self._duty(),
            )
        )
