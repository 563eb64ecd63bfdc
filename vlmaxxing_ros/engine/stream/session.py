# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One camera's session: its stream, which is born with its first frame, and begun anew at need.

Frames and questions come in here.  Knows when a stream ends; knows nothing of ROS, threads or
deadlines.  Everything here runs on the one thread that loaded the model.
"""

from __future__ import annotations

import numpy as np

from vlmaxxing_ros.engine.answering.answering import Asking
from vlmaxxing_ros.engine.cache.audit import AuditReport
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import NoEvidence
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.stream.budget import FrameKind, FreshBudget
from vlmaxxing_ros.engine.stream.stream import Stream
from vlmaxxing_ros.engine.stream.support import check_support


class StreamSession:
    """The engine's view of one camera.  Sessions share a family and nothing else.

    Attributes:
        stream: what has been seen; None before the first frame.
    """

    def __init__(self, family: Family, config: EngineConfig) -> None:
        check_support(family, config)
        self.family = family
        self.config = config
        self.stream: Stream | None = None
        self._keyframe_wanted = False

    def reset(self) -> None:
        """Forget everything that was seen."""
        self.stream = None

    def configure(self, config: EngineConfig) -> None:
        """Take on changed settings; what was seen is kept.

        Raises:
            Unsupported: the model's family cannot do what the settings ask for.
        """
        check_support(self.family, config)
        self.config = config
        if self.stream is not None:
            self.stream.configure(config)

    def grid(self, height: int, width: int) -> Grid:
        """The block grid for images of this size, in pixels."""
        return self.family.grid(height, width, self.config.max_blocks)

    def frame(self, image: np.ndarray, *, stamp: int, frame_id: str = '') -> Frame:
        """Put an RGB image (uint8 [height, width, 3]) on its grid; `stamp` in nanoseconds.

        Raises:
            InvalidFrame: the image cannot be used.
        """
        height, width = image.shape[:2]
        return Frame.from_image(image, self.grid(height, width), stamp=stamp, frame_id=frame_id)

    @property
    def newest_frame(self) -> Frame | None:
        """The newest frame that was planned."""
        return self.stream.newest if self.stream else None

    @property
    def newest_stamp(self) -> int | None:
        """Its stamp, in nanoseconds."""
        return self.stream.newest.stamp if self.stream else None

    @property
    def last_audit(self) -> AuditReport | None:
        """What the last audit found."""
        return self.stream.last_audit if self.stream else None

    def keyframe(self) -> None:
        """Take the next frame whole, as a keyframe."""
        if self.stream is not None:
            self.stream.keyframes.force()

    def admit(
        self, frame: Frame, *, camera_velocity: tuple[float, float] | None = None
    ) -> FreshBudget:
        """Plan a frame and pay for what changed; `camera_velocity` as in `Planner.look`.

        A stamp that goes backwards or another size restart the session; the budget's
        `status_text` says so.  A frame with the stamp of the last one is dropped.
        """
        note = ''
        if self.stream is not None:
            last = self.stream.newest
            if frame.stamp == last.stamp:
                text = 'same stamp as the last frame: does the driver set it?'
                return FreshBudget(kind=FrameKind.DROPPED, status_text=text)
            note = _why_anew(frame, last)
            if note:
                self.reset()
        if self.stream is None:
            self.stream = Stream(self.family, self.config, frame.stamp)
        return self.stream.admit(frame, camera_velocity=camera_velocity, note=note)

    def ask(self, question: Question) -> Asking:
        """Take up a question; iterate over the result to answer it.

        Cheap, unless it is the first about a refreshed tail: that catches up.

        Raises:
            NoEvidence: no frame has been admitted, or none as early as `as_of`.
            InvalidRequest: the question is too long.
            Unsupported: the model's family cannot be asked about the past.
        """
        return self._seen('no image has been admitted yet: is the camera publishing?').ask(question)

    def idle(self) -> bool:
        """Use idle time: a slice of settling, rebuilding or auditing; True: there is more."""
        return self.stream is not None and self.stream.idle()

    @property
    def idle_cost(self) -> float:
        """Seconds that a slice of idle work takes at most, estimated; 0: not known yet."""
        return self.stream.idle_cost if self.stream else 0.0

    def audit(self) -> AuditReport:
        """Audit now, whatever it takes; a mismatch rebuilds the session from its ledger.

        Raises:
            NoEvidence, Unsupported: as `begin_audit`.
        """
        self.begin_audit()
        while (report := self.audit_slice()) is None:
            pass
        return report

    def begin_audit(self) -> None:
        """Begin to audit the cache; idle time and `audit_slice` go on with it.

        Raises:
            NoEvidence: there is nothing to audit yet.
            Unsupported: a compressed cache cannot be audited.
        """
        self._seen('there is nothing to audit yet: no image has been admitted').begin_audit()

    def audit_slice(self) -> AuditReport | None:
        """Go on with the audit, or begin one; the report ends it.

        Raises:
            NoEvidence, Unsupported: as `begin_audit`.
        """
        return self._seen('there is nothing to audit: the stream began anew').audit_slice()

    def _seen(self, otherwise: str) -> Stream:
        if self.stream is None:
            raise NoEvidence(otherwise)
        return self.stream


def _why_anew(frame: Frame, last: Frame) -> str:
    """Why a frame cannot go on where the last one was; empty if it can."""
    if frame.stamp < last.stamp:
        return 'stamps went backwards: the session was restarted'
    if frame.grid != last.grid:
        size = f'{frame.grid.width}x{frame.grid.height}'
        return f'image size changed to {size} pixels on the grid: the session was restarted'
    return ''
