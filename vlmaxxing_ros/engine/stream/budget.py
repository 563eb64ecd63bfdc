# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a frame cost: counts of work really done, seconds per stage, and what they can be worth.

The fields of `FreshBudget` have the names of the ROS message's; knows nothing of ROS.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import IntEnum

from vlmaxxing_ros.engine.seeing.plan import Plan


class FrameKind(IntEnum):
    """What became of a frame; values as in FreshBudget.msg."""

    NONE = 0
    KEYFRAME = 1
    TAIL = 3
    DROPPED = 4


@dataclass
class FreshBudget:
    """What one planned frame cost; see FreshBudget.msg for every field's meaning and unit.

    Attributes:
        plan: the frame's; None where it was not planned.
    """

    kind: FrameKind = FrameKind.NONE
    status_text: str = ''
    blocks_total: int = 0
    blocks_static: int = 0
    blocks_shifted: int = 0
    blocks_novel: int = 0
    blocks_expired: int = 0
    blocks_owed: int = 0
    blocks_calm: int = 0
    blocks_protected: int = 0
    blocks_admitted: int = 0
    owed_age: float = 0.0
    fresh_ratio: float = 0.0
    effective_fresh_frames: float = 0.0
    oldest_block_age: float = 0.0
    windows_computed: int = 0
    windows_total: int = 0
    tokens_added: int = 0
    tokens_cached: int = 0
    tokens_budget: int = 0
    cache_bytes: int = 0
    generation: int = 0
    rebuild_progress: float = 0.0
    plan_time: float = 0.0
    vision_time: float = 0.0
    prefill_time: float = 0.0
    cold_dense_time: float = 0.0
    cold_dense_is_estimate: bool = True
    ceiling: float = 0.0
    plan: Plan | None = None


def effective_fresh_frames(fresh_ratios: deque[float]) -> float:
    """`f_eff = 1 + (N - 1)(1 - r_reuse)` over a window of N planned frames (arXiv 2605.03351)."""
    count = len(fresh_ratios)
    reuse = 1.0 - sum(fresh_ratios) / count
    return 1.0 + (count - 1) * (1.0 - reuse)


def ceiling(*, fixed: float, dense: float, paid: float) -> float:
    """Amdahl's bound `1 / (f_fixed + (1 - f_fixed) / s)` on the end-to-end speed-up.

    Args:
        fixed: seconds that reuse cannot save (conversion, planning).
        dense: seconds that the reusable stages cost cold dense; 0: not known.
        paid: seconds that they cost now.
    """
    if dense <= 0.0:
        return 0.0
    f_fixed = fixed / (fixed + dense)
    speed_up = max(1.0, dense / max(paid, 1e-9))
    return 1.0 / (f_fixed + (1.0 - f_fixed) / speed_up)
