# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A standing question in simulated time: the node's own watch, or a poll, on a model of some speed.

Frames come at their stamps, whatever the model does; a row through the language model and a block
through the vision tower take 1 / speed seconds each.  Nothing depends on the machine.  Knows
nothing of truths.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Token
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.duty import Duty
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.evaluation.arms.live import SimulatedClock
from vlmaxxing_ros.ros.schedule import Facts, Turn, next_turn
from vlmaxxing_ros.ros.settings import NodeConfig
from vlmaxxing_ros.ros.ticket import Outcome, Request, Status, Ticket
from vlmaxxing_ros.ros.watch import Change, Known, Watch
from vlmaxxing_ros.ros.watch_settings import WatchConfig
from vlmaxxing_ros.ros.watches import Watches

REST = 5.0
"""Seconds after the last frame in which what it showed may still be told."""

_MOMENT = 1e-6  # s more than a wait, so that rounding does not keep it from ending


@dataclass(frozen=True)
class ToldChange:
    """A change of an answer, as it was told; seconds since the first frame.

    Attributes:
        answer: what it is.
        evidence: when the image was taken from which it is known to hold.
        at: when it was told.
    """

    answer: str
    evidence: float
    at: float


class StandingArm:
    """One watch on one camera, as the node keeps it, with nobody else asking.

    Args:
        family: the model.
        config: the engine's settings.
        limits: the node's settings.
        watch: what is asked.
        speed: rows per second.

    Attributes:
        told: every change so far.
        asked: how often it was asked.
    """

    def __init__(
        self,
        family: Family,
        config: EngineConfig,
        limits: NodeConfig,
        watch: WatchConfig,
        speed: float,
    ) -> None:
        self.told: list[ToldChange] = []
        self.asked = 0
        self._limits = limits
        self._share = config.max_duty
        self._clock = SimulatedClock(speed)
        self._session = StreamSession(family, config, self._clock)
        self._duty = Duty(0.0)
        self._watches = Watches(
            limits,
            on_change=self._tell,
            on_outcome=lambda _: None,
            wake=lambda: None,
            clock=self._clock.now,
        )
        self._watches.add('watch', watch, lambda: None)
        self._coming: deque[Frame] = deque()
        self._origin = 0

    def play(self, frames: Sequence[Frame]) -> None:
        """Show frames at their stamps (ns, rising), and let the node do what it does meanwhile."""
        self._coming, self._origin = deque(frames), frames[0].stamp
        end = self._seconds(frames[-1].stamp) + REST
        while self._clock.time < end:
            self._see()
            now = self._clock.time
            work = self._session.background()
            turn = next_turn(
                Facts(
                    watch=self._watches.due(now),
                    work=work is not None,
                    credit=self._duty.allows(self._share, now),
                )
            )
            if turn is Turn.WATCH:
                self._watches.ask(self._submit)
            elif turn is Turn.BACKGROUND and work is not None:
                work.step()
                self._duty.spend(self._clock.time - now)
            else:
                self._wait(end, background=work is not None)

    def _see(self) -> None:
        """See the frames that have come by now."""
        while self._coming and self._seconds(self._coming[0].stamp) <= self._clock.time:
            self._session.see(self._coming.popleft())
            sight = self._session.sight
            assert sight is not None
            self._watches.seen(self._limits.cameras[0], sight)

    def _wait(self, end: float, *, background: bool) -> None:
        """Let time pass until something may be due."""
        now = self._clock.time
        moments = [end]
        if self._coming:
            moments.append(self._seconds(self._coming[0].stamp))
        if background:
            moments.append(now + self._duty.wait(self._share) + _MOMENT)
        if (wait := self._watches.wait(now)) is not None:
            moments.append(now + wait + _MOMENT)
        self._clock.time = max(now, min(moments))

    def _submit(
        self,
        request: Request,
        *,
        on_token: Callable[[Token], None],
        on_done: Callable[[Outcome], None],
    ) -> Ticket:
        """Answer now, in simulated time: nobody else asks."""
        self.asked += 1
        start, camera = self._clock.time, request.camera
        deadline = request.deadline or self._limits.deadline
        question = request.check([camera], self._limits.max_question_characters)
        job = self._session.answering(
            question, Terms(time_left=deadline), evidence_age=self._age, start=start
        )
        while not job.step():
            self._see()
        busy = self._clock.time - start
        on_done(
            Outcome(request=request, camera=camera, status=Status.OK, answer=job.answer, busy=busy)
        )
        return Ticket(
            request,
            cameras=(camera,),
            deadline=deadline,
            on_token=on_token,
            on_done=lambda _: None,
            wake=lambda: None,
        )

    def _age(self, stamp: int) -> float:
        return self._clock.time - self._seconds(stamp)

    def _seconds(self, stamp: int) -> float:
        return (stamp - self._origin) * 1e-9

    def _tell(self, change: Change) -> None:
        evidence = self._seconds(change.after.since)
        self.told.append(ToldChange(change.after.text, evidence, self._clock.time))


class Cold(NamedTuple):
    """What a model says of one frame, prefilled from nothing: probabilities, seconds."""

    text: str
    probabilities: tuple[float, ...]
    cost: float


class Poll:
    """The same question asked at a fixed rate, each time about the newest frame.

    Where an answer takes longer than the period, the next one begins when it ends.  What it tells
    is decided as for a watch.

    Attributes:
        told: every change.
        asked: how often it was asked.
    """

    def __init__(self, watch: WatchConfig, rate: float) -> None:
        self.told: list[ToldChange] = []
        self.asked = 0
        self._watch = Watch('poll', watch)
        self._period = 1.0 / rate

    def play(self, frames: Sequence[Frame], answer: Callable[[Frame], Cold]) -> None:
        """Poll from the first frame to the last one; `answer` tells what is said of a frame."""
        origin, shown = frames[0].stamp, deque(frames)
        now, last = 0.0, (frames[-1].stamp - origin) * 1e-9
        polls = 0
        while now <= last + _MOMENT:
            while len(shown) > 1 and (shown[1].stamp - origin) * 1e-9 <= now + _MOMENT:
                shown.popleft()
            frame, said = shown[0], answer(shown[0])
            self.asked += 1
            done = now + said.cost
            known = Known.answered(said.text, said.probabilities, stamp=frame.stamp)
            if (change := self._watch.answered(known, done)) is not None:
                evidence = (change.after.since - origin) * 1e-9
                self.told.append(ToldChange(change.after.text, evidence, done))
            polls += 1
            now = max(polls * self._period, done)
