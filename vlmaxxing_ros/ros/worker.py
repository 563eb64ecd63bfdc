# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the one MLX thread does next: a running answer, a question, a frame, idle work.

Owns the model and every session.  Knows nothing of rclpy: messages are opaque, the clock and
everything that wants to be told are functions.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vlmaxxing_ros.engine.errors import InvalidFrame, Unsupported
from vlmaxxing_ros.ros.camera import Arrival, Camera, Perceived
from vlmaxxing_ros.ros.inspection import Inspection, Reports
from vlmaxxing_ros.ros.question_queue import QuestionQueue
from vlmaxxing_ros.ros.settings import Settings
from vlmaxxing_ros.ros.ticket import Outcome, Request, Ticket
from vlmaxxing_ros.ros.work_thread import WorkThread

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.families import Family
    from vlmaxxing_ros.engine.seeing.frame import Frame

_RETRY = 0.02  # s until idle work that did not fit between two images is tried again

Convert = Callable[[Any], np.ndarray]


class Log(Protocol):
    """What the worker needs of a logger."""

    def error(self, message: str) -> Any:
        """Say that something failed."""


class Worker:
    """The model, its thread, and the order in which cameras and questions are served.

    Args:
        settings: to begin with; `configure` changes them.
        clock: the node's time in ns, the clock of the image stamps.
        camera_velocity: asked, on the worker's thread, how fast a camera's image content moves in
            a frame: (right, down) in pixels of the grid per second; None: not known.
        on_perceived: told, on the worker's thread, what became of each image.
        log: a logger.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], int],
        camera_velocity: Callable[[str, Frame], tuple[float, float] | None],
        on_perceived: Callable[[Perceived], None],
        log: Log,
    ) -> None:
        self._settings = settings
        self._camera_velocity = camera_velocity
        self._on_perceived = on_perceived
        self._log = log
        self._family: Family | None = None
        self._cameras: dict[str, Camera] = {}
        self._queue = QuestionQueue(settings.node, clock=clock, on_failure=self._model_failed)
        self._frame_ended = 0.0  # s of time.monotonic
        self._frame_took = 0.0  # s
        self._may_idle = False
        self._frame_is_next = False  # no frame has passed since the last question was taken up
        self._inspections: list[Inspection] = []  # audits on request
        self._inspected = 0.0  # s of time.monotonic, when their last slice ended
        self.last_error = ''  # of the model or of the worker itself, for diagnostics
        self._thread = WorkThread(self._work, self._defect, name='mlx')

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
        family = self._family
        if family is None:
            return ''
        from vlmaxxing_ros.engine.stream.session import check_support

        try:
            check_support(family, settings.engine)
        except Unsupported as error:
            return str(error)
        return ''

    def reset(self) -> Future[None]:
        """Forget everything that was seen; questions end as CANCELLED."""
        return self._thread.call(self._reset)

    def keyframe(self) -> Future[None]:
        """Take each camera's next frame whole."""
        return self._thread.call(self._keyframe)

    def audit(self) -> Future[Reports]:
        """Audit every session now, slice by slice: (camera, whether all is well, text) of each."""
        done: Future[Reports] = Future()
        self._thread.call(
            lambda: self._inspections.append(Inspection(self._cameras.values(), done))
        )
        return done

    def stop(self, timeout: float) -> bool:
        """End the thread; False if it is still busy after `timeout` s."""
        return self._thread.stop(timeout)

    def offer(self, camera: str, arrival: Arrival) -> None:
        """A new image; it replaces one that still waits."""
        if slot := self._cameras.get(camera):
            slot.offer(arrival)
            self._thread.wake()

    def submit(
        self,
        request: Request,
        *,
        on_token: Callable[[Ticket, str], None],
        on_done: Callable[[Outcome], None],
    ) -> Ticket:
        """Queue a question.  `on_done` is called once, from whatever thread ends it."""
        return self._queue.submit(
            request, on_token=on_token, on_done=on_done, wake=self._thread.wake
        )

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

    # On the worker's thread

    def _work(self) -> float | None:
        """One piece of work, the most urgent first; see WorkThread for the return value."""
        queue = self._queue
        queue.sort_out()
        if queue.answering and not self._frame_is_due():
            queue.step()
        elif self._start_answering():
            self._frame_is_next = True
        elif self._inspections and self._inspection_is_due():
            self._inspect()
        elif camera := self._next_camera():
            self._perceive(camera)
        elif not self._may_idle or (pause := self._idle()) is None:
            due = queue.next_due()
            return None if due is None else max(0.0, due - time.monotonic())
        else:
            return pause
        return 0.0

    def _start_answering(self) -> bool:
        """Begin a question, unless a frame waits that is to pass between two answers."""
        if self._queue.answering or (self._frame_is_next and self._next_camera() is not None):
            return False
        return self._queue.start()

    def _frame_is_due(self) -> bool:
        """Whether a running answer lets a frame pass: now and then, for half of the time at most.

        A question is answered on a fork, so that frames do not disturb it.
        """
        since = time.monotonic() - self._frame_ended
        period = max(self._settings.node.answering_frame_period, self._frame_took)
        return since >= period and self._next_camera() is not None

    def _inspection_is_due(self) -> bool:
        """Whether a slice of an audit on request comes next: in turn with frames."""
        return self._frame_ended >= self._inspected or self._next_camera() is None

    def _inspect(self) -> None:
        inspection = self._inspections[0]
        try:
            more = inspection.step()
        except Exception as error:
            self._defect(error)
            inspection.cancel(self.last_error)
            more = False
        if not more:
            del self._inspections[0]
        self._inspected = time.monotonic()

    def _next_camera(self) -> Camera | None:
        """Of the cameras with a waiting image, the one that was served longest ago."""
        waiting = [camera for camera in self._cameras.values() if camera.has_image]
        return min(waiting, key=lambda camera: camera.last_turn, default=None)

    def _perceive(self, camera: Camera) -> None:
        """Convert and admit a camera's waiting image."""
        from vlmaxxing_ros.engine.stream.budget import FrameKind, FreshBudget

        arrival = camera.take()
        if arrival is None:
            return
        start = time.monotonic()
        frame, converted = None, start
        try:
            image = camera.convert(arrival.message)
            frame = camera.session.frame(image, stamp=arrival.stamp, frame_id=arrival.frame_id)
            converted = time.monotonic()
            velocity = self._camera_velocity(camera.name, frame)
            budget = camera.session.admit(frame, camera_velocity=velocity)
        except InvalidFrame as error:
            budget = FreshBudget(kind=FrameKind.DROPPED, status_text=str(error))
        except Exception as error:
            self._model_failed(camera, error)
            budget = FreshBudget(kind=FrameKind.DROPPED, status_text=self.last_error)
        self._frame_ended = time.monotonic()
        self._frame_took = self._frame_ended - start
        self._frame_is_next = False
        self._may_idle = True
        usable = budget.kind is not FrameKind.DROPPED
        counts = camera.count(planned=usable, admitted=usable and budget.kind != FrameKind.NONE)
        self._on_perceived(
            Perceived(
                camera=camera.name,
                arrival=arrival,
                budget=budget,
                counts=counts,
                convert_time=converted - start,
            )
        )

    def _idle(self) -> float | None:
        """One slice of each session's background work, where it ends before the next image comes.

        Returns:
            Seconds until there may be more of it; None: there is none until an image comes.
        """
        expected = [camera.next_expected() for camera in self._cameras.values()]
        next_image = min((e for e in expected if e is not None), default=float('inf'))
        more = later = False
        for camera in self._cameras.values():
            if time.monotonic() + camera.session.idle_cost > next_image:
                later = True
                continue
            try:
                more = camera.session.idle() or more
            except Exception as error:
                self._model_failed(camera, error)
        self._may_idle = more or later
        if more:
            return 0.0
        return _RETRY if later else None

    def _model_failed(self, camera: Camera, error: Exception) -> None:
        """The model failed on this camera's stream: begin the stream anew and go on."""
        self.last_error = f'{camera.name}: {type(error).__name__}: {error}'
        self._log.error(f'the model failed, the session is reset: {self.last_error}')
        camera.session.reset()

    def _defect(self, error: Exception) -> None:
        self.last_error = f'{type(error).__name__}: {error}'
        self._log.error(f'the worker failed and goes on: {self.last_error}')

    def _load(self) -> None:
        # Not at the top: the node is up before the engine's libraries are loaded.
        from vlmaxxing_ros.engine.families import load_family
        from vlmaxxing_ros.engine.stream.session import StreamSession

        engine = self._settings.engine
        family = load_family(engine.model, engine.dtype, engine.kv_bits, engine.visual_experts)
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
        self._cameras = {
            name: Camera(name, convert, StreamSession(self._family, self._settings.engine))
            for name, convert in cameras.items()
        }
        self._queue.cameras = self._cameras

    def _close(self, why: str) -> None:
        self._cameras = self._queue.cameras = {}
        self._queue.cancel_all(why)
        while self._inspections:
            self._inspections.pop().cancel(why)
        gc.collect()

    def _configure(self, settings: Settings) -> None:
        if settings.engine != self._settings.engine:
            for camera in self._cameras.values():
                camera.session.configure(settings.engine)
        self._settings = settings
        self._queue.limits = settings.node

    def _reset(self) -> None:
        self._queue.cancel_all('everything that was seen was forgotten (reset): ask again')
        for camera in self._cameras.values():
            camera.session.reset()
            camera.restart()

    def _keyframe(self) -> None:
        for camera in self._cameras.values():
            camera.session.keyframe()
