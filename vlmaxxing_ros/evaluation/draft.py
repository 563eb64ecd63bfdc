# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Where a recording changes, as a questions file to fill in.

The planner decides what a change is, with nothing expiring; knows nothing of what is seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.frame import Frame, fit_grid
from vlmaxxing_ros.engine.seeing.plan import Verdict
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.evaluation.questions_file import TimedQuestion
from vlmaxxing_ros.evaluation.recordings import StampedImage

QUIET = 0.5
"""Seconds without a novel block after which a change is over."""

LONGEST = 2.0
"""Seconds after which a change that goes on gets a moment of its own."""

_BLOCK = 28


def moments(images: Iterable[StampedImage], config: EngineConfig) -> list[float]:
    """When to ask, in seconds after the first frame: at the start and after every change."""
    config = replace(config, max_age=float('inf'))
    planner = Planner(config)
    start = newest = 0.0
    first, began, last_change = 0, None, 0.0
    found: list[float] = []
    for image in images:
        height, width = image.pixels.shape[:2]
        grid = fit_grid(height, width, block=_BLOCK, max_blocks=config.max_blocks)
        frame = Frame.from_image(image.pixels, grid, stamp=image.stamp)
        reference, plan = planner.reference, planner.plan(planner.look(frame))
        if plan.fresh.any():
            planner.admit(plan)
        if reference is None or reference.grid != grid:
            first = first or image.stamp
            found.append(start)
            continue
        now = (image.stamp - first) * 1e-9
        if plan.whole or np.any(plan.verdicts == Verdict.NOVEL):
            began = now if began is None else began
            last_change = now
        if began is not None and (now - last_change >= QUIET or now - began >= LONGEST):
            found.append(now)
            began = None
        newest = now
    if began is not None:
        found.append(newest)
    return found


def draft(
    images: Iterable[StampedImage], texts: list[str], config: EngineConfig, prefix: str = ''
) -> list[TimedQuestion]:
    """One entry per moment and text; answers, and texts where none is given, are left empty."""
    return [
        TimedQuestion(id=f'{prefix}c{number:03d}-{part}', at=round(at, 3), question=text)
        for number, at in enumerate(moments(images, config))
        for part, text in enumerate(texts or [''])
    ]
