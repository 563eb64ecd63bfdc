# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""`repair:K`: re-prefill of the newest K frames over a static history (arXiv 2605.03351).

The window's slots keep the rows that they were first given, whatever stands in them by now; only
the newest K frames of each question's window are encoded and prefilled.  `repair` chooses K:
the oldest slot whose frame changed, by the planner's verdict, and everything behind it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.plan import Verdict
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.steps import Stopwatch
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.evaluation.arms.base import Reply, WindowArm, Windows, answer_from, reply_from
from vlmaxxing_ros.evaluation.arms.context import Context
from vlmaxxing_ros.evaluation.errors import ArmUnavailable

CHANGED = 0.05
"""Share of novel blocks from which the adaptive rule takes a slot's frame for another one."""


class Repair(WindowArm):
    """A static history with a repaired end."""

    def __init__(
        self, family: Family, config: EngineConfig, windows: Windows, newest: int | None
    ) -> None:
        """`newest`: frames to re-prefill per question; None: choose."""
        if not family.capabilities.rewind:
            raise ArmUnavailable(f'{family.name} cannot drop the newest rows of its cache')
        super().__init__(family, config, windows)
        self._newest = newest
        self._thresholds = replace(config, max_age=float('inf'))
        self._context = Context(family)
        self._asked: tuple[int, ...] = ()

    def ask(self, name: str, question: Question) -> Reply:
        """Repair the cache for this window, then answer on a fork."""
        frames, watch = self.window(name), Stopwatch()
        stamps = tuple(frame.stamp for frame in frames)
        vision = prefill = 0.0
        if stamps != self._asked:  # a follow-up on the same window repairs nothing
            with watch.stage('vision'):
                keep = self._static_slots(frames)
                features = [
                    IncrementalEncoder(self.family).encode(frame).features
                    for frame in frames[keep:]
                ]
            with watch.stage('prefill'):
                self._context.keep(keep)
                self._context.append(frames[keep:], features)
            self._asked = stamps
            vision, prefill = watch.seconds['vision'], watch.seconds['prefill']
        fork, slots = self._context.fork(), self._context.frames
        answer = answer_from(self.family, fork, slots, question, self.config)
        held = tuple(frame.stamp for frame in slots)
        reply = reply_from(answer, held, vision=vision, prefill=prefill)
        return replace(reply, exact=held == stamps)

    def _static_slots(self, frames: list[Frame]) -> int:
        """How many leading slots keep their rows."""
        slots = self._context.frames
        held = min(len(slots), len(frames))
        if self._newest is not None:
            return min(held, max(0, len(frames) - self._newest))
        # The newest frame is never taken on trust.
        for slot in range(min(held, len(frames) - 1)):
            if self._changed(slots[slot], frames[slot]):
                return slot
        return min(held, len(frames) - 1)

    def _changed(self, cached: Frame, wanted: Frame) -> bool:
        if cached.stamp == wanted.stamp:
            return False
        planner = Planner(self._thresholds)
        planner.admit(planner.plan(planner.look(cached)))
        plan = planner.plan(planner.look(wanted))
        share = np.count_nonzero(plan.verdicts == Verdict.NOVEL) / plan.verdicts.size
        return plan.whole or share > CHANGED
