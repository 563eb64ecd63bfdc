# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A frame's budget says what was done; a dropped frame counts for nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vlmaxxing_ros.engine.cache.ledger import Ledger
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.steps import Stopwatch
from vlmaxxing_ros.engine.stream.accounting import Accounting, Held
from vlmaxxing_ros.engine.stream.budget import FrameKind, FreshBudget
from vlmaxxing_ros.engine.stream.tail import Paid

HELD = Held(ledger=Ledger(), token_budget=100, nbytes=7, generation=3, progress=0.5)
GRID = Grid(2, 4, 28)


def planned(books: Accounting, *, blocks: int, kind: FrameKind = FrameKind.TAIL) -> FreshBudget:
    frame = Frame(np.zeros((GRID.height, GRID.width, 3), np.uint8), GRID, 1)
    planner = Planner(EngineConfig())
    about: dict[str, Any] = {'windows': 2, 'oldest_age': 0.5, 'cold_dense': 0.0, 'text': 'why'}
    return books.planned(
        planner.plan(planner.look(frame)),
        Paid(blocks=blocks, rows=blocks + 1, windows_computed=1),
        kind,
        Stopwatch(),
        HELD,
        **about,
    )


def test_a_budget_says_what_was_planned_what_was_done_and_what_is_held() -> None:
    budget = planned(Accounting(), blocks=2)
    assert (budget.blocks_total, budget.blocks_novel, budget.blocks_admitted) == (8, 8, 2)
    assert (budget.tokens_added, budget.windows_computed, budget.windows_total) == (3, 1, 2)
    assert (budget.cache_bytes, budget.generation, budget.rebuild_progress) == (7, 3, 0.5)
    assert (budget.fresh_ratio, budget.oldest_block_age, budget.status_text) == (0.25, 0.5, 'why')


def test_the_reuse_of_frames_is_averaged() -> None:
    books = Accounting()
    planned(books, blocks=8)
    planned(books, blocks=0, kind=FrameKind.NONE)
    budget = planned(books, blocks=4)
    assert budget.effective_fresh_frames == pytest.approx(1 + 2 * 0.5)
