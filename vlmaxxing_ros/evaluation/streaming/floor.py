# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The least that a native arm can pay for the present: what changed since the last question.

The planner looks at every frame and nothing is bought until somebody asks.  What remains of half
of low-fps dense's windows is all that a history may cost.  Runs no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.evaluation.grid_frames import grid_frames
from vlmaxxing_ros.evaluation.recordings import read_images
from vlmaxxing_ros.evaluation.streaming.corpus import EventVideo
from vlmaxxing_ros.evaluation.streaming.events import FPS

_NEVER = 100_000


def floor(videos: Sequence[EventVideo], family: Family, config: EngineConfig) -> dict[str, Any]:
    """Windows of the newest frame that differ from the last question's, by family.

    Returns:
        Per family `mean` and `max` over the events, and `whole`: the windows of a frame.
    """
    counted: dict[str, list[int]] = {}
    whole: dict[str, int] = {}
    for video in videos:
        windows, whole[video.family] = _owed(video, family, config)
        counted.setdefault(video.family, []).extend(windows)
    return {
        name: {'mean': float(np.mean(windows)), 'max': max(windows), 'whole': whole[name]}
        for name, windows in counted.items()
    }


def _owed(video: EventVideo, family: Family, config: EngineConfig) -> tuple[list[int], int]:
    """Windows owed at every scored question of one recording, and those of a frame."""
    # Nothing falls due by age, and everything that changed may be bought at once.
    planner = Planner(replace(config, max_age=float(_NEVER), keyframe_fraction=1.0))
    moments = [question.at for question in video.questions]
    owed: list[int] = []
    total = 0
    for number, frame in enumerate(grid_frames(read_images(video.folder), family, config), 1):
        windows = family.windows(frame.grid)
        total = int(windows.max()) + 1
        first = planner.reference is None
        plan = planner.plan(planner.look(frame))
        if first:
            planner.admit(plan)
        fresh = plan.fresh
        if moments and number / FPS > moments[0]:
            moments.pop(0)
            owed.append(len(np.unique(windows[fresh])))
            planner.admit(plan)
    return owed[1:], total
