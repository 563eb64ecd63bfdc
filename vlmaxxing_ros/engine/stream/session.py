# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One camera's session: what it shows, and the stream that is paid of it.

Frames and questions come in here.  A sight is born with its first frame, a stream with the first
work on it; both end together.  Frames come from a thread of their own, everything else runs on
the one thread that loaded the model.  Knows nothing of ROS.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from vlmaxxing_ros.engine.answering.answering import Asking
from vlmaxxing_ros.engine.cache.audit import AuditReport
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import NoEvidence
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Question, Token
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.region import Region
from vlmaxxing_ros.engine.seeing.sight import Sight
from vlmaxxing_ros.engine.steps import Clock, Job, SteadyClock
from vlmaxxing_ros.engine.stream.accounting import Accounting
from vlmaxxing_ros.engine.stream.answer_job import AnswerJob
from vlmaxxing_ros.engine.stream.budget import FrameKind, FreshBudget
from vlmaxxing_ros.engine.stream.decision import eager
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.noting import make_note
from vlmaxxing_ros.engine.stream.rations import Rations
from vlmaxxing_ros.engine.stream.room import Room
from vlmaxxing_ros.engine.stream.stream import Stream
from vlmaxxing_ros.engine.stream.support import check_support

_NOTHING_SEEN = 'no image has been admitted yet: is the camera publishing?'


class Background(NamedTuple):
    """Work of the background, and its urgency: the lower, the sooner."""

    job: Job
    urgency: int
    done: Callable[[], None]

    def step(self) -> bool:
        """Do a slice of it; True once it is done, and its effect there."""
        if not self.job.step():
            return False
        self.done()
        return True


class StreamSession:
    """The engine's view of one camera.  Sessions share a family and nothing else.

    Args:
        family: the model.
        config: settings that it can follow.
        clock: the time that work takes.
    """

    def __init__(self, family: Family, config: EngineConfig, clock: Clock | None = None) -> None:
        check_support(family, config)
        self.family = family
        self.config = config
        self._room = Room(family)
        self._rations = Rations()
        self._clock = clock or SteadyClock()
        self._lock = threading.Lock()
        self._sight: Sight | None = None
        self._accounting = Accounting()
        self._stream: Stream | None = None

    # The seeing thread

    def grid(self, height: int, width: int) -> Grid:
        """The block grid for images of this size, in pixels.

        Raises:
            InvalidFrame: no grid fits, or the memory is not enough for such a frame.
        """
        return self._room.grid(height, width, self.config.max_blocks)

    def frame(self, image: np.ndarray, *, stamp: int, frame_id: str = '') -> Frame:
        """Put an RGB image (uint8 [height, width, 3]) on its grid; `stamp` in nanoseconds.

        Raises:
            InvalidFrame: the image cannot be used.
        """
        height, width = image.shape[:2]
        return Frame.from_image(image, self.grid(height, width), stamp=stamp, frame_id=frame_id)

    def see(
        self,
        frame: Frame,
        *,
        camera_velocity: tuple[float, float] | None = None,
        protected: Sequence[Region] = (),
    ) -> FreshBudget:
        """Plan a frame; what of it is owed is paid in its time, what is protected at once.

        `camera_velocity` and `protected` as in `Planner.look`.

        A stamp that goes backwards or another size begin the session anew; the budget's
        `status_text` says so.  A frame with the stamp of the last one is dropped.
        """
        return self._see(frame, camera_velocity, protected, lambda: None)

    def _see(
        self,
        frame: Frame,
        camera_velocity: tuple[float, float] | None,
        protected: Sequence[Region],
        then: Callable[[], None],
    ) -> FreshBudget:
        """Plan a frame, do something about it, and tell the budget."""
        start, note = time.perf_counter(), ''
        with self._lock:
            sight = self._sight
            if sight is not None:
                if frame.stamp == sight.newest.stamp:
                    text = 'same stamp as the last frame: does the driver set it?'
                    return FreshBudget(kind=FrameKind.DROPPED, status_text=text)
                note = _why_anew(frame, sight.newest)
            if sight is None or note:
                sight = self._sight = Sight(self.config, frame, camera_velocity, protected)
                self._accounting = Accounting()
                plan = sight.plan
            else:
                plan = sight.see(frame, camera_velocity, protected)
            accounting = self._accounting
        plan_time = time.perf_counter() - start
        then()
        budget = accounting.budget(
            plan,
            sight.owed(),
            oldest_age=sight.oldest_age(frame.stamp),
            plan_time=plan_time,
            text=note,
        )
        return replace(budget, begun=sight.begun)

    @property
    def newest_stamp(self) -> int | None:
        """Stamp of the newest frame, in nanoseconds; None before the first."""
        sight = self._sight
        return sight.newest.stamp if sight else None

    @property
    def sight(self) -> Sight | None:
        """What the camera shows; another one where the session began anew, None before an image."""
        return self._sight

    # The model's thread

    def reset(self) -> None:
        """Forget everything that was seen."""
        with self._lock:
            self._sight = None
        self._end_stream()

    def configure(self, config: EngineConfig) -> None:
        """Take on changed settings; what was seen is kept.

        Raises:
            Unsupported: the model's family cannot do what the settings ask for.
        """
        check_support(self.family, config)
        if config.token_budget != self.config.token_budget:
            self._rations = Rations()
        self.config = config
        if self.stream is not None:
            self._ration()
        elif (sight := self._sight) is not None:
            sight.configure(config)

    @property
    def stream(self) -> Stream | None:
        """What is paid of what is seen now; None before the first frame."""
        with self._lock:
            sight, accounting = self._sight, self._accounting
        if self._stream is not None and self._stream.sight is not sight:
            self._end_stream()
        if self._stream is None and sight is not None:
            self._stream = Stream(self.family, self.config, sight, accounting, self._clock)
            self._ration()
        return self._stream

    def shrink(self) -> str:
        """Memory ran out: give up what is under way and hold half as much from now on.

        Returns what was done, for people; empty: it holds as little as it can already.
        """
        stream = self._stream
        if stream is None or not self._rations.halve(stream.config, stream.least_budget):
            return ''
        stream.give_up()
        self._ration()
        return self._rations.note

    def _ration(self) -> None:
        """Hold the stream to what memory allows."""
        assert self._stream is not None
        self._stream.configure(self._rations.of(self.config), self._rations.note)

    def _end_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    @property
    def last_audit(self) -> AuditReport | None:
        """What the last audit found."""
        return self._stream.audits.last if self._stream else None

    def keyframe(self) -> None:
        """Take the newest frame whole, as a keyframe."""
        if self.stream is not None:
            self.stream.wanted = True

    def note(self, text: str) -> int:
        """Put a line of text on the history, behind what has been seen by now.

        It is there for the next question that pays, or once the background has come to it.

        Returns:
            Stamp of the newest frame, nanoseconds.

        Raises:
            NoEvidence: nothing was seen yet.
            Unsupported, InvalidRequest: see `make_note`.
        """
        sight = self._seen('there is nothing to note yet: no image has been seen').sight
        note = make_note(self.family, self.config, text, sight.newest.stamp)
        sight.note(note)
        return note.stamp

    def background(self) -> Background | None:
        """The next work of the background; None: there is none.

        Do it slice by slice, and ask again after each: something more urgent may have come.
        """
        stream = self.stream
        found = stream.job() if stream else None
        if stream is None or found is None:
            return None
        job, name, urgency = found
        return Background(job, urgency, lambda: stream.done(name))

    def answering(
        self,
        question: Question,
        terms: Terms,
        *,
        evidence_age: Callable[[int], float],
        start: float,
        on_token: Callable[[Token], None] = lambda _: None,
        beside: Sequence[StreamSession] = (),
    ) -> AnswerJob:
        """A question as a job; see `AnswerJob` for the arguments and what it raises.

        `beside` are the sessions of the question's other cameras, in its order.
        """
        stream, *others = (session._seen(_NOTHING_SEEN) for session in (self, *beside))
        return AnswerJob(
            stream,
            question,
            terms,
            evidence_age=evidence_age,
            start=start,
            on_token=on_token,
            beside=others,
        )

    def auditing(self) -> Job:
        """An audit as a job: the report is its result; a mismatch rebuilds the stream.

        Raises:
            NoEvidence: there is nothing to audit yet.
            Unsupported: a compressed cache cannot be audited.
        """
        return self._seen('there is nothing to audit yet: no image has been admitted').auditing()

    def _seen(self, otherwise: str) -> Stream:
        stream = self.stream
        if stream is None:
            raise NoEvidence(otherwise)
        return stream

    # At once, for those who have no thread of their own to keep free

    def admit(
        self, frame: Frame, *, camera_velocity: tuple[float, float] | None = None
    ) -> FreshBudget:
        """Plan a frame and pay all of it that is owed, now; see `see`."""
        return self._see(frame, camera_velocity, (), self.pay)

    def pay(self) -> None:
        """Pay all that is owed now."""
        stream = self._seen('there is nothing to pay: no image has been seen')
        payment = eager(stream.sight.owed(), stream.standing, stream.config)
        if payment is not None:
            job = stream.paying(payment)
            stream.account(job.finish(), job.watch)

    def idle(self) -> bool:
        """Do one job of the background, whatever it takes; False: there was none."""
        work = self.background()
        while work is not None and not work.step():
            pass
        return work is not None

    def ask(self, question: Question, beside: Sequence[StreamSession] = ()) -> Asking:
        """Pay what is owed and take up a question; iterate over the result to answer it.

        `beside` as in `answering`.

        Raises:
            NoEvidence, InvalidRequest, Unsupported: see `AnswerJob`.
        """
        now, age = self._clock.now(), lambda _: 0.0
        job = self.answering(question, Terms(), evidence_age=age, start=now, beside=beside)
        return job.taken_up()

    def audit(self) -> AuditReport:
        """Audit now, whatever it takes; raises as `auditing`."""
        report = None
        while report is None:
            report = self.auditing().finish()
        assert isinstance(report, AuditReport)
        return report


def _why_anew(frame: Frame, last: Frame) -> str:
    """Why a frame cannot go on where the last one was; empty if it can."""
    if frame.stamp < last.stamp:
        return 'stamps went backwards: the session was restarted'
    if frame.grid != last.grid:
        size = f'{frame.grid.width}x{frame.grid.height}'
        return f'image size changed to {size} pixels on the grid: the session was restarted'
    return ''
