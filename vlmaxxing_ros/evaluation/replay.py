# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Drive one arm from one recording: frames in the order of recording, questions at their moments.

Deterministic but for the seconds measured: no threads, no clock, no idle time.  Knows nothing of
other arms and of what is right.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.evaluation.arms.base import Admission, Arm, Reply
from vlmaxxing_ros.evaluation.errors import QuestionsError, RecordingError
from vlmaxxing_ros.evaluation.first_token import Witness, witnessed
from vlmaxxing_ros.evaluation.grid_frames import grid_frames
from vlmaxxing_ros.evaluation.metering import Work, metered
from vlmaxxing_ros.evaluation.questions_file import TimedQuestion
from vlmaxxing_ros.evaluation.recordings import StampedImage

FIRST, LIVE, FOLLOW_UP = 'first', 'live', 'follow_up'
"""The three denominators: the stream's first question; one with a frame since the last question;
one on unchanged frames."""


@dataclass
class AskedQuestion:
    """One question, its answer and what it cost; seconds.

    Attributes:
        kind: `first`, `live` or `follow_up`.
        admission: what admitting the newest frame had cost; 0 on a follow-up.
        rows, windows, calls: work done after the question was asked.
        owed: blocks that had changed and were not accounted for; None: the arm does not say.
        first_token: its distribution, see `first_token.pack`; '' where the arm does not show it.
    """

    id: str
    task: str
    at: float
    text: str
    closed: bool
    truth: str
    kind: str
    answer: str
    choice_index: int
    token_ids: list[int]
    finish_reason: str
    parsed: bool
    exact: bool
    window: list[int]
    ttft: float
    latency: float
    vision: float
    prefill: float
    admission: float
    rows: int
    windows: int
    simulated: float = 0.0
    calls: int = 0
    owed: int | None = None
    first_token: str = ''


@dataclass
class AdmittedFrame:
    """One frame and what it cost; seconds.

    Attributes:
        fresh: the blocks bought by the planner, as hexadecimal bits in row-major order; '' where
            the arm does not plan.
    """

    stamp: int
    kind: str
    total: int
    blocks: int
    rows: int
    windows: int
    seconds: float
    plan: float
    vision: float
    prefill: float
    fresh: str
    calls: int = 0


@dataclass
class ArmRun:
    """Everything that one arm did on one recording."""

    arm: str
    recording: str
    frames: list[AdmittedFrame] = field(default_factory=list)
    questions: list[AskedQuestion] = field(default_factory=list)
    processor_time: float = 0.0  # seconds of CPU, all threads: steadier than the clock under load
    peak_memory: int = 0  # bytes, of MLX's allocator, the model included
    cache_bytes: int = 0  # keys and values, at most

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ArmRun:
        """From what `to_json` gave."""
        frames = [AdmittedFrame(**frame) for frame in values['frames']]
        questions = [AskedQuestion(**question) for question in values['questions']]
        return cls(**(values | {'frames': frames, 'questions': questions}))


Watcher = Callable[[Frame, Admission], None]


def replay(
    make: Callable[[Family], Arm],
    name: str,
    recording: str,
    images: Iterable[StampedImage],
    questions: list[TimedQuestion],
    family: Family,
    config: EngineConfig,
    *,
    watch: Watcher | None = None,
    progress: Callable[[], None] | None = None,
) -> ArmRun:
    """Run one arm.

    Args:
        make: sets up the arm around a metered family.
        name, recording: kept in the result.
        images: of the recording.
        questions: sorted by `at`.
        family: the model.
        config: its `max_blocks` decides the grid.
        watch: is shown every frame after it was admitted.
        progress: is called once per frame.

    Raises:
        RecordingError: there is no image.
        QuestionsError: a question is asked after the recording's end.
    """
    counted, work = metered(family)
    counted, witness = witnessed(counted)
    arm = make(counted)
    run = ArmRun(name, recording)
    mx.reset_peak_memory()
    processor_start = time.process_time()
    pending = list(questions)
    clock = _Elapsed()
    new_frames = 0
    for frame in grid_frames(images, family, config):
        elapsed = clock.at(frame.stamp)
        while pending and pending[0].at < elapsed - 1e-9:
            run.questions.append(_ask(arm, pending.pop(0), run, new_frames, work, witness))
            new_frames = 0
        before, start = work.copy(), time.perf_counter()
        admission = arm.admit(frame)
        seconds = time.perf_counter() - start
        done = work.since(before)
        plan = admission.frame_plan
        run.frames.append(
            AdmittedFrame(
                stamp=frame.stamp,
                kind=admission.kind,
                total=frame.grid.blocks,
                blocks=admission.blocks,
                rows=done.image_rows + done.text_rows,
                windows=done.windows,
                seconds=seconds,
                plan=admission.plan,
                vision=admission.vision,
                prefill=admission.prefill,
                fresh='' if plan is None else np.packbits(plan.fresh).tobytes().hex(),
                calls=done.calls,
            )
        )
        run.cache_bytes = max(run.cache_bytes, admission.cache_bytes)
        new_frames += 1
        if watch:
            watch(frame, admission)
        if progress:
            progress()
    if not run.frames:
        raise RecordingError(f'{recording} holds no image')
    for question in pending:
        # Between the last frame and the time at which the next one would have come.
        if question.at > clock.elapsed + max(1.0, clock.longest):
            raise QuestionsError(
                f'question {question.id!r} is asked at {question.at} s, but {recording} ends at '
                f'{clock.elapsed:.2f} s'
            )
        run.questions.append(_ask(arm, question, run, new_frames, work, witness))
        new_frames = 0
    run.processor_time = time.process_time() - processor_start
    run.peak_memory = mx.get_peak_memory()
    return run


class _Elapsed:
    """Seconds since the first frame."""

    def __init__(self) -> None:
        self._first: int | None = None
        self.elapsed = self.longest = 0.0

    def at(self, stamp: int) -> float:
        """Seconds at this stamp; time never runs backwards, whatever a looped bag says."""
        if self._first is None:
            self._first = stamp
        elapsed = max(self.elapsed, (stamp - self._first) * 1e-9)
        self.longest = max(self.longest, elapsed - self.elapsed)
        self.elapsed = elapsed
        return elapsed


def _ask(
    arm: Arm,
    timed: TimedQuestion,
    run: ArmRun,
    new_frames: int,
    work: Work,
    witness: Witness,
) -> AskedQuestion:
    kind = FIRST if not run.questions else LIVE if new_frames else FOLLOW_UP
    before = work.copy()
    witness.wait()
    reply: Reply = arm.ask(timed.id, Question(text=timed.question, choices=timed.choices))
    done = work.since(before)
    return AskedQuestion(
        id=timed.id,
        task=timed.task,
        at=timed.at,
        text=timed.question,
        closed=bool(timed.choices),
        truth=timed.answer,
        kind=kind,
        answer=reply.answer,
        choice_index=reply.choice_index,
        token_ids=list(reply.token_ids),
        finish_reason=reply.finish_reason,
        parsed=reply.parsed,
        exact=reply.exact,
        window=list(reply.window),
        ttft=reply.ttft,
        latency=reply.latency,
        vision=reply.vision,
        prefill=reply.prefill,
        admission=run.frames[-1].seconds if new_frames else 0.0,
        rows=done.image_rows + done.text_rows,
        windows=done.windows,
        simulated=reply.simulated,
        calls=done.calls,
        owed=reply.owed,
        first_token=witness.packed(),
    )
