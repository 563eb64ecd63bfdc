# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What is owed and how a cache stands, as far as a payment is decided from that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.bursts import Brief
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.sight import Owed, Past, Sight
from vlmaxxing_ros.engine.stream.standing import Standing

GRID = Grid(2, 4, 28)
SECOND = 10**9
CONFIG = EngineConfig(keyframe_interval=1.0, keep_keyframes=4)
NOTHING = np.zeros((GRID.rows, GRID.cols), bool)
SOME = NOTHING.copy()
SOME[0, 1] = True
OTHER = NOTHING.copy()
OTHER[1, 3] = True
ALL = ~NOTHING
HELD = Standing(
    tail=99 * SECOND,
    exact=True,
    refreshed=0.0,
    caught_up=True,
    keyframe=98 * SECOND + SECOND // 2,
    outdated=False,
    expired=False,
    late=False,
    put_off=False,
    attended=False,
    remembers=True,
    recalls=True,
    reaches=True,
    wanted=False,
    whole_only=False,
    settles=False,
    behind=False,
)


def frame(stamp: int) -> Frame:
    return Frame(np.zeros((GRID.height, GRID.width, 3), np.uint8), GRID, stamp)


def owed(
    blocks: np.ndarray = NOTHING,
    *,
    calm: np.ndarray = NOTHING,
    due: np.ndarray = NOTHING,
    still: float = 0.0,
    accounted: int = 99,
    briefs: tuple[Brief, ...] = (),
    protected: np.ndarray = NOTHING,
) -> Owed:
    """At 100 s (but for `SOME`'s keyframes: at 99.4 s)."""
    sight = Sight(CONFIG, frame(99 * SECOND + 4 * SECOND // 10))
    sight.paid(sight.plan, ALL)
    return Owed(
        plan=replace(sight.plan, fresh=blocks, look=replace(sight.plan.look, protected=protected)),
        blocks=blocks,
        riders=NOTHING,
        calm=calm,
        due=due,
        still=still,
        accounted=accounted * SECOND,
        briefs=briefs,
        past=Past(frame(95 * SECOND), NOTHING),
    )
