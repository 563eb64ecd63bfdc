# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What one stream has cost: what was paid since the last image was planned, and what it holds.

Two threads use it: one pays, the other tells the budget of each image.  Counts; decides nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from vlmaxxing_ros.engine.seeing.plan import Plan, Verdict
from vlmaxxing_ros.engine.seeing.sight import Owed
from vlmaxxing_ros.engine.steps import Stopwatch
from vlmaxxing_ros.engine.stream.budget import (
    FrameKind,
    FreshBudget,
    ceiling,
    effective_fresh_frames,
)

_WINDOW = 32  # planned frames over which reuse is averaged


@dataclass(frozen=True)
class Paid:
    """What one change of the cache cost: blocks and rows really computed, windows of the tower.

    `keyframes` is by how many the history grew; `replaced`, how many of the rows stand no more.
    """

    blocks: int = 0
    rows: int = 0
    windows_computed: int = 0
    keyframes: int = 0
    replaced: int = 0

    def __add__(self, other: Paid) -> Paid:
        return Paid(
            self.blocks + other.blocks,
            self.rows + other.rows,
            self.windows_computed + other.windows_computed,
            self.keyframes + other.keyframes,
            self.replaced + other.replaced,
        )


@dataclass(frozen=True)
class Held:
    """What a stream holds.

    Attributes:
        rows: of the current generation.
        token_budget: rows that it may have.
        nbytes: of all caches and of the frames that wait to be keyframes.
        generation: number of the current one.
        progress: share of the next one that is built.
        windows: of the vision tower, for one frame.
        cold_dense: seconds that the window would have cost cold; 0: not known.
        note: for people: what is wrong with the settings; mostly empty.
    """

    rows: int = 0
    token_budget: int = 0
    nbytes: int = 0
    generation: int = 0
    progress: float = 0.0
    windows: int = 0
    cold_dense: float = 0.0
    note: str = ''


@dataclass
class _Since:
    """Since the last image."""

    paid: Paid = field(default_factory=Paid)
    watch: Stopwatch = field(default_factory=Stopwatch)


class Accounting:
    """One stream's, since it began.

    Attributes:
        held: what the stream holds now.
    """

    def __init__(self) -> None:
        self.held = Held()
        self._lock = threading.Lock()
        self._since = _Since()
        self._ratios: deque[float] = deque(maxlen=_WINDOW)

    def paid(self, paid: Paid, watch: Stopwatch) -> None:
        """Something was paid; `watch` says where the time went."""
        with self._lock:
            self._since.paid += paid
            self._since.watch.join(watch)

    def budget(
        self, plan: Plan, owed: Owed, *, oldest_age: float, plan_time: float, text: str
    ) -> FreshBudget:
        """The budget of a planned image.

        Args:
            plan: its plan.
            owed: now.
            oldest_age: of the tail's blocks, seconds.
            plan_time: seconds that planning it took.
            text: for people.
        """
        with self._lock:
            since, self._since = self._since, _Since()
        held = self.held
        blocks = plan.verdicts.size
        ratio = min(1.0, since.paid.blocks / blocks)
        self._ratios.append(ratio)
        counts = np.bincount(plan.verdicts.ravel(), minlength=len(Verdict))
        vision_time, prefill_time = (
            since.watch.seconds.get(stage, 0.0) for stage in ('vision', 'prefill')
        )
        return FreshBudget(
            kind=_kind(since.paid),
            status_text='; '.join(filter(None, (text, plan.reason, held.note))),
            blocks_total=blocks,
            blocks_static=int(counts[Verdict.STATIC]),
            blocks_shifted=int(counts[Verdict.SHIFTED]),
            blocks_novel=int(counts[Verdict.NOVEL]),
            blocks_expired=int(counts[Verdict.EXPIRED]),
            blocks_owed=owed.count,
            blocks_calm=int(np.count_nonzero(owed.calm)),
            blocks_protected=int(np.count_nonzero(plan.protected)),
            blocks_admitted=since.paid.blocks,
            owed_age=owed.age,
            fresh_ratio=ratio,
            effective_fresh_frames=effective_fresh_frames(self._ratios),
            oldest_block_age=oldest_age,
            crop=plan.look.frame.view.corner_and_size,
            windows_computed=since.paid.windows_computed,
            windows_total=held.windows,
            tokens_added=since.paid.rows,
            tokens_cached=held.rows,
            tokens_budget=held.token_budget,
            cache_bytes=held.nbytes,
            generation=held.generation,
            rebuild_progress=held.progress,
            plan_time=plan_time,
            vision_time=vision_time,
            prefill_time=prefill_time,
            cold_dense_time=held.cold_dense,
            ceiling=ceiling(
                fixed=plan_time, dense=held.cold_dense, paid=vision_time + prefill_time
            ),
            plan=plan,
        )


def _kind(paid: Paid) -> FrameKind:
    if paid.keyframes:
        return FrameKind.KEYFRAME
    return FrameKind.TAIL if paid.rows else FrameKind.NONE
