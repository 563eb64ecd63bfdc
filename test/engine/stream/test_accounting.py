# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What was paid since the last image, and what is held, image by image."""

from __future__ import annotations

import numpy as np
import pytest

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.sight import Sight
from vlmaxxing_ros.engine.steps import Piece, Stopwatch
from vlmaxxing_ros.engine.stream.accounting import Accounting, Held, Paid
from vlmaxxing_ros.engine.stream.budget import FrameKind, FreshBudget

HELD = Held(
    rows=40, token_budget=100, nbytes=7, generation=3, progress=0.5, windows=2, note='too small'
)
GRID = Grid(2, 4, 28)


def told(books: Accounting) -> FreshBudget:
    """The budget of an image of which everything is owed."""
    sight = Sight(EngineConfig(), Frame(np.zeros((GRID.height, GRID.width, 3), np.uint8), GRID, 1))
    return books.budget(sight.plan, sight.owed(), oldest_age=0.5, plan_time=0.01, text='why')


def test_a_budget_says_what_is_owed_what_was_paid_and_what_is_held() -> None:
    books, watch = Accounting(), Stopwatch()
    books.held = HELD
    watch.add(Piece('vision', 2.0, []), 0.25)
    books.paid(Paid(blocks=2, rows=3, windows_computed=1), watch)
    budget = told(books)
    assert (budget.blocks_total, budget.blocks_novel, budget.blocks_owed) == (8, 8, 8)
    assert (budget.blocks_admitted, budget.tokens_added, budget.windows_computed) == (2, 3, 1)
    assert (budget.tokens_cached, budget.windows_total) == (40, 2)
    assert (budget.cache_bytes, budget.generation, budget.rebuild_progress) == (7, 3, 0.5)
    assert (budget.fresh_ratio, budget.oldest_block_age, budget.vision_time) == (0.25, 0.5, 0.25)
    assert budget.status_text == 'why; first frame; too small'
    assert budget.kind is FrameKind.TAIL


def test_what_was_paid_is_told_once_whatever_number_of_payments_it_was() -> None:
    books = Accounting()
    for _ in range(2):
        books.paid(Paid(blocks=2, rows=3), Stopwatch())
    assert told(books).tokens_added == 6
    budget = told(books)
    assert (budget.tokens_added, budget.kind) == (0, FrameKind.NONE)


def test_a_keyframe_among_the_payments_names_the_kind() -> None:
    books = Accounting()
    books.paid(Paid(blocks=8, rows=10, keyframes=1), Stopwatch())
    books.paid(Paid(blocks=2, rows=3), Stopwatch())
    assert told(books).kind is FrameKind.KEYFRAME


def test_the_reuse_of_images_is_averaged() -> None:
    books = Accounting()
    for blocks in (8, 0, 4):
        books.paid(Paid(blocks=blocks), Stopwatch())
        budget = told(books)
    assert budget.effective_fresh_frames == pytest.approx(1 + 2 * 0.5)
