# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The engine as it lives: seeing every frame, paying in the idle time that a model leaves.

Time is simulated: a row through the language model and a block through the vision tower take
1 / speed seconds each, frames come at their stamps, and the background gets what is left between
them.  Nothing depends on the machine, so that two runs do the same.
"""

from __future__ import annotations

import time

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Question, Token
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.steps import Piece
from vlmaxxing_ros.engine.stream.duty import Duty
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.evaluation.arms.base import Admission, Arm, Reply, reply_from


class SimulatedClock:
    """Time that passes by work alone.

    Args:
        speed: rows per second.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self.time = 0.0

    def now(self) -> float:
        """Seconds since the first frame."""
        return self.time

    def worked(self, piece: Piece) -> None:
        """The work takes its time."""
        self.time += piece.rows / self._speed


class LiveArm(Arm):
    """`auto`, `eager`, `lazy`: the live engine with these settings, on a model of some speed.

    Attributes:
        clock: the time that passes.
        session: what lives.
        duty: of its background.
    """

    def __init__(self, family: Family, config: EngineConfig, speed: float) -> None:
        super().__init__(family, config)
        self.clock = SimulatedClock(speed)
        self.session = StreamSession(family, config, self.clock)
        self.duty = Duty(0.0)
        self._origin: int | None = None

    def admit(self, frame: Frame) -> Admission:
        """Let the background work until the frame comes, then see it."""
        self._origin = frame.stamp if self._origin is None else self._origin
        self.work_until((frame.stamp - self._origin) * 1e-9)
        budget = self.session.see(frame)
        return Admission(
            kind=budget.kind.name.lower(),
            blocks=budget.blocks_admitted,
            plan=budget.plan_time,
            cache_bytes=budget.cache_bytes,
            effective_fresh_frames=budget.effective_fresh_frames,
            frame_plan=budget.plan,
        )

    def work_until(self, moment: float) -> None:
        """Leave the time until then, seconds of the clock, to the background."""
        clock, share = self.clock, self.config.max_duty
        while clock.time < moment:
            work = self.session.background()
            if work is None:
                break
            if not self.duty.allows(share, clock.time):
                # A moment more, so that rounding does not keep it from going on.
                clock.time = min(moment, clock.time + self.duty.wait(share) + 1e-6)
                continue
            before = clock.time
            work.step()
            self.duty.spend(clock.time - before)
        clock.time = max(clock.time, moment)

    def ask(self, name: str, question: Question) -> Reply:
        """Pay what is owed, then answer on a fork."""
        start, simulated, first = time.perf_counter(), self.clock.time, 0.0

        def on_token(_: Token) -> None:
            nonlocal first
            first = first or time.perf_counter() - start

        job = self.session.answering(
            question,
            Terms(),
            evidence_age=lambda _: 0.0,
            start=simulated,
            on_token=on_token,
        )
        answer = job.finish()
        latency = time.perf_counter() - start
        stream = self.session.stream
        assert stream is not None
        window = [frame.stamp for frame in job.frames[:-1]]  # the newest look like the last
        return reply_from(
            answer,
            # The newest frame may stand in the history as well.
            dict.fromkeys([*window, stream.sight.newest.stamp]),
            ttft=first or latency,
            latency=latency,
            simulated=answer.time_to_first_token or answer.latency,
        )
