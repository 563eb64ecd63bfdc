# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""An audit of every camera's session that somebody asked for, slice by slice.

Knows nothing of rclpy, nor of when its slices are due.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from vlmaxxing_ros.engine.errors import NoEvidence, Unsupported
from vlmaxxing_ros.ros.camera import Camera

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.steps import Job

Reports = list[tuple[str, bool, str]]
"""Per camera: its name, whether all is well, text."""


class Inspection:
    """One such request.

    Args:
        cameras: whose sessions are audited, one after the other.
        done: gets the reports.
    """

    def __init__(self, cameras: Iterable[Camera], done: Future[Reports]) -> None:
        self._left = list(cameras)
        self._job: Job | None = None
        self._reports: Reports = []
        self._done = done

    def step(self) -> bool:
        """Do one slice; True once the reports are there."""
        if self._left:
            self._audit(self._left[0])
        if self._left:
            return False
        self._done.set_result(self._reports)
        return True

    def cancel(self, why: str) -> None:
        """End without reports; who waits for them is told why."""
        if self._job is not None:
            self._job.close()
        self._done.set_exception(RuntimeError(why))

    def _audit(self, camera: Camera) -> None:
        try:
            if self._job is None:
                self._job = camera.session.auditing()
            elif self._job.step():
                report, self._job = self._job.result, None
                if report is not None:  # None: something went before it
                    self._finish(camera, report.ok, report.text)
        except (NoEvidence, Unsupported) as error:
            self._finish(camera, False, str(error))

    def _finish(self, camera: Camera, ok: bool, text: str) -> None:
        self._reports.append((camera.name, ok, text))
        del self._left[0]
        self._job = None
