# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The model, its thread and the cameras: questions are answered, what is owed is paid.

Owns the model and every session; images are seen on a thread of their own.  Knows nothing of
rclpy: messages are opaque, the clock and everything that wants to be told are functions.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vlmaxxing_ros.engine.memory import leave_thread, ran_out
from vlmaxxing_ros.engine.question import Token
from vlmaxxing_ros.ros.camera import Arrival, Camera, Perceived
from vlmaxxing_ros.ros.chores import Chores
from vlmaxxing_ros.ros.failures import Failures, Log
from vlmaxxing_ros.ros.inspection import Inspection, Reports
from vlmaxxing_ros.ros.question_queue import QuestionQueue
from vlmaxxing_ros.ros.schedule import Turn, next_turn
from vlmaxxing_ros.ros.seeing import Seeing
from vlmaxxing_ros.ros.settings import Settings
from vlmaxxing_ros.ros.ticket import Outcome, Request, Ticket
from vlmaxxing_ros.ros.watch import Change
from vlmaxxing_ros.ros.watches import Watches
from vlmaxxing_ros.ros.work_thread import WorkThread

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.families import Family
    from vlmaxxing_ros.engine.seeing.frame import Frame
    from vlmaxxing_ros.engine.seeing.region import Region

_MOMENT = 1e-3  # s that the background waits at least for its duty

Convert = Callable[[Any], np.ndarray]


class Worker:
    """The model, its thread, and the cameras.

    Args:
        settings: to begin with; `configure` changes them.
        clock: the node's time in ns, the clock of the image stamps.
        camera_velocity: asked, on the seeing thread, how fast a camera's image content moves in
            a frame: (right, down) in pixels of the grid per second; None: not known.
        protected: asked likewise what of a camera's image, of this height and width, must not wait.
        on_perceived: told, on the seeing thread, what became of each image.
        on_change: told when a watch's answer has changed, on whatever thread.
        on_watched: told how a watch's question ended, likewise.
        log: a logger.

    Attributes:
        failures: what went wrong, on whatever thread.
        watches: the standing questions.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], int],
        camera_velocity: Callable[[str, Frame], tuple[float, float] | None],
        protected: Callable[[str, int, int], Sequence[Region]] = lambda *_: (),
        on_perceived: Callable[[Perceived], None],
        on_change: Callable[[Change], None],
        on_watched: Callable[[Outcome], None],
        log: Log,
    ) -> None:
        self._settings = settings
        self.failures = Failures(log)
        self._family: Family | None = None
        self._cameras: dict[str, Camera] = {}
        self._queue = QuestionQueue(settings.node, clock=clock, on_failure=self._model_failed)
        self._inspections: list[Inspection] = []  # audits on request
        self._chores = Chores(lambda: self._cameras, self._model_failed)
        self._thread = WorkThread(self._work, self._defect, leave_thread, name='mlx')
        self.watches = Watches(
            settings.node, on_change=on_change, on_outcome=on_watched, wake=self._thread.wake
        )
        self._seeing = Seeing(
            lambda: self._cameras,
            camera_velocity=camera_velocity,
            protected=protected,
            duty=lambda: self._chores.duty.share(time.monotonic()),
            on_perceived=on_perceived,
            on_error=self._seeing_failed,
            seen=self._seen,
        )

    # Called from any thread.  A future raises what went wrong.

    def load(self) -> Future[None]:
        """Load the model of the settings.

        The future raises:
            ModelError, Unsupported: it cannot be loaded, or not with these settings.
        """
        return self._thread.call(self._load)

    def unload(self) -> Future[None]:
        """Give the model's memory back."""
        return self._thread.call(self._unload)

    def open(self, cameras: dict[str, Convert]) -> Future[None]:
        """Begin a session per camera: its name, and what converts its images."""
        return self._thread.call(lambda: self._open(cameras))

    def close(self, why: str) -> Future[None]:
        """End all sessions; questions end as CANCELLED, with `why`."""
        return self._thread.call(lambda: self._close(why))

    def configure(self, settings: Settings) -> Future[None]:
        """Take on changed settings; what was seen is kept."""
        return self._thread.call(lambda: self._configure(settings))

    def refuses(self, settings: Settings) -> str:
        """Why the loaded model's family cannot follow settings; empty if it can, or none is loaded.

        Looks only at what does not change while a model is loaded.
        """
        if self._family is None:
            return ''
        from vlmaxxing_ros.engine.stream.support import refusal

        return refusal(self._family, settings.engine)

    def reset(self) -> Future[None]:
        """Forget everything that was seen; questions end as CANCELLED."""
        return self._thread.call(self._reset)

    def keyframe(self) -> Future[None]:
        """Take each camera's next frame whole."""
        return self._thread.call(self._keyframe)

    def note(self, camera: str, text: str) -> Future[int]:
        """A line of text for a camera's history: the newest image's stamp (ns)."""
        return self._thread.call(lambda: self._note(camera, text))

    def audit(self) -> Future[Reports]:
        """Audit every session now, slice by slice: (camera, whether all is well, text) of each."""
        done: Future[Reports] = Future()
        self._thread.call(
            lambda: self._inspections.append(Inspection(self._cameras.values(), done))
        )
        return done

    def stop(self, timeout: float) -> bool:
        """End both threads; False if one of them is still busy after `timeout` s."""
        seen = self._seeing.stop(timeout)
        return self._thread.stop(timeout) and seen

    def offer(self, camera: str, arrival: Arrival) -> None:
        """A new image; it replaces one that still waits."""
        if slot := self._cameras.get(camera):
            slot.offer(arrival)
            self._seeing.wake()

    def submit(
        self,
        request: Request,
        *,
        on_token: Callable[[Token], None],
        on_done: Callable[[Outcome], None],
    ) -> Ticket:
        """Queue a question.  `on_done` is called once, from whatever thread ends it."""
        return self._queue.submit(
            request, on_token=on_token, on_done=on_done, wake=self._thread.wake
        )

    def abandon(self, why: str) -> None:
        """End every question as CANCELLED, even if the thread is busy."""
        self._queue.abandon(why)

    def finish_overdue(self) -> None:
        """End the questions whose deadline has passed, even if the thread is busy."""
        self._queue.finish_overdue()

    @property
    def cameras(self) -> list[Camera]:
        """The cameras with a session."""
        return list(self._cameras.values())

    @property
    def model(self) -> str:
        """Name of the loaded model; empty if there is none."""
        return self._queue.model

    @property
    def capabilities(self) -> dict[str, bool]:
        """What the loaded model's family can do, by title; empty if there is none."""
        family = self._family
        if family is None:
            return {}
        from vlmaxxing_ros.engine.families.table import describe

        return describe(family.capabilities)

    @property
    def questions(self) -> int:
        """Questions that wait or are being answered."""
        return len(self._queue)

    # On the model's thread

    def _work(self) -> float | None:
        """One slice of work, the most urgent first; see WorkThread for the return value."""
        queue, chores, share = self._queue, self._chores, self._settings.engine.max_duty
        queue.sort_out()
        facts, now = queue.facts, time.monotonic()
        chore = None if facts.answering or facts.gives_way else chores.next()
        turn = next_turn(
            replace(
                facts,
                audit=bool(self._inspections),
                watch=self.watches.due(now),
                work=chore is not None,
                credit=chores.duty.allows(share, now),
            )
        )
        if turn is Turn.ANSWER:
            queue.step()
        elif turn is Turn.START:
            queue.start()
        elif turn is Turn.AUDIT:
            self._inspect()
        elif turn is Turn.WATCH:
            self.watches.ask(self.submit)
        elif turn is Turn.BACKGROUND and chore is not None:
            chores.do(chore)
        else:
            return self._pause(chores.duty.wait(share) if chore else None)
        return 0.0

    def _pause(self, credit: float | None) -> float | None:
        """Seconds until something is due by itself; None: nothing before it is woken."""
        due, now = self._queue.next_due(), time.monotonic()
        waits = [] if due is None else [max(0.0, due - now)]
        for wait in (credit, self.watches.wait(now)):
            if wait is not None and wait < math.inf:
                waits.append(max(_MOMENT, wait))
        return min(waits, default=None)

    def _inspect(self) -> None:
        inspection = self._inspections[0]
        try:
            ended = inspection.step()
        except BaseException as error:
            self._defect(error)
            inspection.cancel(self.failures.last)
            ended = True
        if ended:
            del self._inspections[0]

    def _model_failed(self, camera: Camera, error: BaseException, lost: bool = True) -> str:
        """The model failed for this camera; its stream begins anew where that is what was lost.

        Where memory ran out it holds less, and goes on.  Returns what was done, for who asked.
        """
        what, done = 'a question could not be answered', ''
        if ran_out(error) and (done := camera.session.shrink()):
            what = 'memory ran out, the stream holds less from now on'
        elif lost:
            camera.session.reset()
            what, done = 'the model failed, the session is reset', 'the session was reset'
        self.failures.add(what, error, camera.name)
        return done

    def _seen(self, camera: Camera) -> None:
        """A camera's image has been seen: there may be something to pay, or to ask."""
        sight = camera.session.sight
        if sight is not None and self._cameras.get(camera.name) is camera:
            self.watches.seen(camera.name, sight)
        self._thread.wake()

    def _seeing_failed(self, camera: Camera | None, error: BaseException) -> None:
        """Something went wrong on the seeing thread, which goes on."""
        self.failures.add('an image could not be seen', error, camera.name if camera else '')

    def _defect(self, error: BaseException) -> None:
        self.failures.add('the worker failed and goes on', error)

    def _load(self) -> None:
        # Not at the top: the node is up before the engine's libraries are loaded.
        from vlmaxxing_ros.engine.families import load_family
        from vlmaxxing_ros.engine.stream.session import StreamSession

        engine = self._settings.engine
        family = load_family(
            engine.model, engine.dtype, engine.kv_bits, engine.visual_experts, engine.model_revision
        )
        StreamSession(family, engine)  # raises if the family cannot follow the settings
        self._family = family
        self._queue.model = engine.model

    def _unload(self) -> None:
        self._family = None
        self._queue.model = ''
        gc.collect()

    def _open(self, cameras: dict[str, Convert]) -> None:
        from vlmaxxing_ros.engine.stream.session import StreamSession

        assert self._family is not None
        self.failures.forget()
        self._cameras = {
            name: Camera(name, convert, StreamSession(self._family, self._settings.engine))
            for name, convert in cameras.items()
        }
        self._queue.cameras = self._cameras
        self._chores.begin()

    def _close(self, why: str) -> None:
        self._cameras = self._queue.cameras = {}
        self._queue.cancel_all(why)
        self.watches.forget()
        while self._inspections:
            self._inspections.pop().cancel(why)
        gc.collect()

    def _configure(self, settings: Settings) -> None:
        if settings.engine != self._settings.engine:
            for camera in self._cameras.values():
                camera.session.configure(settings.engine)
        self._settings = settings
        self._queue.limits = self.watches.limits = settings.node

    def _reset(self) -> None:
        self._queue.cancel_all('everything that was seen was forgotten (reset): ask again')
        for camera in self._cameras.values():
            camera.session.reset()
            camera.restart()
        self.watches.forget()

    def _note(self, camera: str, text: str) -> int:
        if camera not in self._cameras:
            raise CancelledError
        return self._cameras[camera].session.note(text)

    def _keyframe(self) -> None:
        for camera in self._cameras.values():
            camera.session.keyframe()
