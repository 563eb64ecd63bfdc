# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""`deltas`: the first frame whole, then changed blocks appended, no whole newest frame.

What a stream would be shown if deltas were enough.  One delta frame per keyframe interval stays;
the newest frame stands behind them as a delta, too.  A generation ends where the session's
history would have to be rebuilt, and the next begins with the newest frame whole.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.steps import Stopwatch
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.evaluation.arms.base import (
    Admission,
    Arm,
    Reply,
    all_blocks,
    answer_from,
    reply_from,
)
from vlmaxxing_ros.evaluation.errors import ArmUnavailable


class Deltas(Arm):
    """One whole frame and what changed since."""

    def __init__(self, family: Family, config: EngineConfig) -> None:
        if not family.capabilities.delta_frames:
            raise ArmUnavailable(f'{family.name} cannot be shown part of a frame')
        # Nothing expires: deltas buy change and nothing else, as much of it as there is.
        config = replace(
            config,
            max_age=float('inf'),
            keyframe_fraction=1.0,
        )
        super().__init__(family, config)
        self._settings = config
        self._planner = Planner(config)
        self._encoder = IncrementalEncoder(family)
        self._cache: RollingCache | None = None
        self._newest: Frame | None = None
        self._shown = np.zeros((1, 1), bool)
        self._sampled = 0

    def admit(self, frame: Frame) -> Admission:
        """Append the blocks that changed since the last one that stays."""
        watch = Stopwatch()
        if self._newest is not None and frame.stamp < self._newest.stamp:
            self._planner = Planner(self._settings)
        with watch.stage('plan'):
            plan = self._planner.plan(self._planner.look(frame))
        due = (frame.stamp - self._sampled) * 1e-9 >= self.config.keyframe_interval
        if plan.whole or (due and self._is_full()):
            blocks = self._start(plan, watch)
        else:
            blocks = self._append(plan, due, watch)
        self._newest = frame
        assert self._cache is not None
        return Admission(
            kind='keyframe' if blocks == frame.grid.blocks else 'delta',
            blocks=blocks,
            plan=watch.seconds['plan'],
            vision=watch.seconds.get('vision', 0.0),
            prefill=watch.seconds.get('prefill', 0.0),
            cache_bytes=self._cache.nbytes,
            frame_plan=plan,
        )

    def _is_full(self) -> bool:
        assert self._cache is not None
        ledger = self._cache.ledger
        return (
            len(ledger.history) >= 2 * max(1, self.config.keep_keyframes)
            or ledger.rows > 0.75 * self.config.token_budget
        )

    def _start(self, plan: Plan, watch: Stopwatch) -> int:
        frame = plan.look.frame
        self._cache = RollingCache(self.family)
        with watch.stage('vision'):
            encoding = self._encoder.encode(frame)
        with watch.stage('prefill'):
            self._cache.append(Kind.KEYFRAME, frame, encoding.features)
        self._planner.admit(plan, all_blocks(frame))
        self._sampled, self._shown = frame.stamp, ~all_blocks(frame)
        return frame.grid.blocks

    def _append(self, plan: Plan, due: bool, watch: Stopwatch) -> int:
        assert self._cache is not None
        frame, fresh = plan.look.frame, plan.fresh
        # What the last delta showed may have changed back: the tower must not remember it.
        with watch.stage('vision'):
            encoding = self._encoder.encode(frame, fresh | self._shown)
        blocks = np.flatnonzero(fresh)
        with watch.stage('prefill'):
            self._cache.drop_tail()
            if len(blocks):
                kind = Kind.DELTA if due else Kind.TAIL
                self._cache.append(kind, frame, encoding.features.take(blocks), blocks)
        self._shown = fresh
        if due:
            self._planner.admit(plan)
            self._sampled, self._shown = frame.stamp, np.zeros_like(fresh)
        return len(blocks)

    def ask(self, name: str, question: Question) -> Reply:
        """Answer on a fork."""
        assert self._cache is not None
        fork = self._cache.fork()
        answer = answer_from(self.family, fork, fork.frames, question, self.config)
        return reply_from(answer, [frame.stamp for frame in fork.frames])
