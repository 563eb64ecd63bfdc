# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What is answered from views of a table that are restored, against the same frames taken whole.

Their rows are carried to where the tail stands, behind another history than the one that they were
computed behind, and a model is asked about them.  `python -m bench.moving_views` measures it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bench.greedy import divergence, greedy_tokens
from bench.moving_head import Head, PresetTable
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.seeing.region import WHOLE as WHOLE_VIEW
from vlmaxxing_ros.engine.steps import finish
from vlmaxxing_ros.engine.stream.decision import IN_PLACE
from vlmaxxing_ros.engine.stream.tail import Tail

HISTORY = 3  # keyframes, a second apart
STOPS = 10
SOON = 0.3  # s from the arrival at a preset to the question
CHANGE = ('Is anything moving?', 'Did a block appear or disappear?', 'Which block moves?')


def against(view: Frame, frame: Frame, config: EngineConfig) -> Plan:
    """A frame's plan if a view were what is in use; no camera has moved between the two."""
    planner = Planner(config)
    planner.admit(planner.plan(planner.look(replace(view, anchor=0))))
    look = planner.look(replace(frame, anchor=0))
    return planner.plan(replace(look, motion=(0.0, 0.0)))


def answers(family: Family, keyframes: int, tables: int) -> dict[str, Any]:
    """Views of a table restored behind so many keyframes, against the same frame whole."""
    found, head = Restored(), Head(3.0, 1.0)
    for seed in range(91_000, 91_000 + tables):
        table = PresetTable(seed=seed, head=head)
        kept: dict[int, tuple[RollingCache, Tail]] = {}
        for stop in range(STOPS):
            # Late in a stop its view is kept; soon after the next one at this preset it is asked.
            arrived = stop * (head.dwell + head.transit)
            preset = head.order[stop % len(head.order)]
            if preset in kept:
                _restore(family, table, kept[preset], arrived + SOON, keyframes, found)
            late = arrived + head.dwell - 0.1
            cache, tail = _behind(family, table, late, keyframes), Tail(family)
            finish(tail.replacing(cache, _shot(family, table, late)))
            kept[preset] = cache, tail
    row = {'keyframes': keyframes, **found.figures()}
    print(json.dumps(row), flush=True)
    return row


@dataclass
class Restored:
    """Sums over all returns."""

    returns: int = 0
    found: int = 0
    rows: int = 0
    dense_rows: int = 0
    asked: int = 0
    differ: int = 0
    noise_differs: int = 0
    judged: int = 0
    right: int = 0
    dense_right: int = 0
    diverged: list[float] = field(default_factory=list)
    noise_diverged: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """As they are written down."""
        counts = {name: value for name, value in vars(self).items() if isinstance(value, int)}
        return {
            **counts,
            'divergence': round(float(np.mean(self.diverged)), 5),
            'noise_divergence': round(float(np.mean(self.noise_diverged)), 5),
        }


def _restore(
    family: Family,
    table: PresetTable,
    kept: tuple[RollingCache, Tail],
    seconds: float,
    keyframes: int,
    found: Restored,
) -> None:
    """Restore a view for the image of a moment, and ask about it."""
    source, tail = kept
    segment, frame = source.ledger.tail, _shot(family, table, seconds)
    assert segment is not None
    assert segment.frame is not None
    found.returns += 1
    plan = against(segment.frame, frame, EngineConfig())
    if plan.whole or plan.fresh.mean() >= IN_PLACE:
        return
    found.found += 1
    ours = _behind(family, table, seconds, keyframes)
    finish(ours.carrying(segment, source.excerpt(segment)))
    if plan.fresh.any():
        found.rows += finish(tail.refreshing(ours, frame, plan.fresh, catch_up=True)).rows
    else:
        found.rows += finish(tail.catching_up(ours)).rows
    dense, noise = (_behind(family, table, seconds, keyframes) for _ in range(2))
    found.dense_rows += finish(Tail(family).replacing(dense, frame)).rows
    finish(Tail(family).replacing(noise, _shot(family, table, seconds + 1e-6)))
    true = dict(table.questions(seconds, WHOLE_VIEW))
    for text in (*true, *CHANGE):
        told = [greedy_tokens(family, cache, text) for cache in (ours, dense, noise)]
        (first, ids), (dense_first, dense_ids), (noise_first, noise_ids) = told
        found.asked += 1
        found.differ += ids != dense_ids
        found.noise_differs += noise_ids != dense_ids
        found.diverged.append(divergence(dense_first, first))
        found.noise_diverged.append(divergence(dense_first, noise_first))
        if text in true:
            found.judged += 1
            found.right += family.text.decode(ids).strip() == true[text]
            found.dense_right += family.text.decode(dense_ids).strip() == true[text]


def _behind(family: Family, table: PresetTable, seconds: float, keyframes: int) -> RollingCache:
    """A cache with the last seconds as its history."""
    cache, tail = RollingCache(family), Tail(family)
    for number in range(keyframes, 0, -1):
        if seconds - number >= 0:
            finish(tail.replacing(cache, _shot(family, table, seconds - number)))
            cache.promote_tail()
    return cache


def _shot(family: Family, table: PresetTable, seconds: float) -> Frame:
    image = table.render(seconds)
    height, width = image.shape[:2]
    grid = family.grid(height, width, EngineConfig().max_blocks)
    return Frame.from_image(image, grid, stamp=round((1 + seconds) * 1e9))
