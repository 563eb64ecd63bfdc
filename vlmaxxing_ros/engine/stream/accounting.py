# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What one stream has cost so far: each frame's budget, from what was planned and what was done.

Counts; decides nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Ledger
from vlmaxxing_ros.engine.seeing.plan import Plan, Verdict
from vlmaxxing_ros.engine.steps import Stopwatch
from vlmaxxing_ros.engine.stream.budget import (
    FrameKind,
    FreshBudget,
    ceiling,
    effective_fresh_frames,
)
from vlmaxxing_ros.engine.stream.tail import Paid

_WINDOW = 32  # planned frames over which reuse is averaged


@dataclass(frozen=True)
class Held:
    """What a stream holds once a frame has been dealt with.

    Attributes:
        ledger: of the current generation.
        token_budget: rows that it may have.
        nbytes: of all caches.
        generation: number of the current one.
        progress: share of the next one that is built.
    """

    ledger: Ledger
    token_budget: int
    nbytes: int
    generation: int
    progress: float


class Accounting:
    """One stream's, since it began."""

    def __init__(self) -> None:
        self._ratios: deque[float] = deque(maxlen=_WINDOW)

    def planned(
        self,
        plan: Plan,
        paid: Paid,
        kind: FrameKind,
        watch: Stopwatch,
        held: Held,
        *,
        windows: int,
        oldest_age: float,
        cold_dense: float,
        text: str,
    ) -> FreshBudget:
        """The budget of a planned frame.

        Args:
            plan, paid, kind: what was to be done, what it took, what became of the frame.
            watch: seconds per stage.
            held: afterwards.
            windows: of the vision tower, for one frame.
            oldest_age: of the tail's blocks, seconds.
            cold_dense: seconds that the window would have cost cold; 0: not known.
            text: for people.
        """
        blocks = plan.verdicts.size
        ratio = paid.blocks / blocks
        self._ratios.append(ratio)
        counts = np.bincount(plan.verdicts.ravel(), minlength=len(Verdict))
        plan_time, vision_time, prefill_time = (
            watch.seconds.get(stage, 0.0) for stage in ('plan', 'vision', 'prefill')
        )
        return FreshBudget(
            kind=kind,
            status_text=text,
            blocks_total=blocks,
            blocks_static=int(counts[Verdict.STATIC]),
            blocks_shifted=int(counts[Verdict.SHIFTED]),
            blocks_novel=int(counts[Verdict.NOVEL]),
            blocks_expired=int(counts[Verdict.EXPIRED]),
            blocks_admitted=paid.blocks,
            fresh_ratio=ratio,
            effective_fresh_frames=effective_fresh_frames(self._ratios),
            oldest_block_age=oldest_age,
            windows_computed=paid.windows_computed,
            windows_total=windows,
            tokens_added=paid.rows,
            tokens_cached=held.ledger.rows,
            tokens_budget=held.token_budget,
            cache_bytes=held.nbytes,
            generation=held.generation,
            rebuild_progress=held.progress,
            plan_time=plan_time,
            vision_time=vision_time,
            prefill_time=prefill_time,
            cold_dense_time=cold_dense,
            ceiling=ceiling(fixed=plan_time, dense=cold_dense, paid=vision_time + prefill_time),
            plan=plan,
        )
