# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a frame costs: 10 % changed against whole, and whether it stays flat over a long stream."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import mlx.core as mx
import numpy as np

from bench.scale import PERIOD, Scale, cluster_changes
from bench.timing import Row, alternate, ratio_row, seconds
from vlmaxxing_ros.demo.random_models import random_family
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.frame import Frame
from vlmaxxing_ros.engine.refresh_rule import RefreshRule
from vlmaxxing_ros.engine.session import StreamSession

CYCLE = 200
"""Frames after which a small stream repeats, its keyframes and generations included."""

NO_EXPIRY = {
    'max_age_frames': 100_000,
    'max_age': 1e9,
    'max_refreshed': 1e9,
    'max_refresh_age': 1e9,
}


def rows(family: Family, scale: Scale) -> list[Row]:
    """Admission and growth."""
    large = replace(scale, rows=16, cols=24)
    return [
        _admission(family, large),
        _admission(family, large, stale_rows=False),
        _vision(family, large),
        _growth(scale),
    ]


def _session(family: Family, **settings: object) -> StreamSession:
    config = EngineConfig(
        keyframe_interval=float('inf'), token_budget=1_000_000, audit_interval=0.0, **settings
    )
    return StreamSession(family, config)


def _admission(family: Family, scale: Scale, *, stale_rows: bool = True) -> Row:
    """By the shipped rule, or with the fresh blocks' rows and the closing row alone."""
    rounds = 3 * scale.rounds
    frames = cluster_changes(scale, 2 * rounds + 8, 0.1)
    live = _session(family, tail_mode='refresh', **NO_EXPIRY)
    whole = _session(family, tail_mode='exact')
    coming = iter(frames)
    for session in (live, whole):
        frame = next(coming)
        session.admit(frame)
        session.admit(next(coming))
    if not stale_rows:
        live.tail.rule = RefreshRule(scale.rows * scale.cols, limit=float('inf'))
    admitted: list[float] = []

    def ours() -> float:
        frame = next(coming)
        spent = seconds(lambda: admitted.append(live.admit(frame).fresh_ratio))
        return spent

    def theirs() -> float:
        frame = whole.newest_frame
        assert frame is not None
        changed = Frame(
            np.ascontiguousarray(frame.pixels[:, ::-1]), frame.grid, frame.stamp + PERIOD
        )
        return seconds(lambda: whole.admit(changed))

    measured = alternate(ours, theirs, rounds)
    share = statistics.median(admitted)
    return ratio_row(
        'admitting a frame, a tenth of its blocks changed in one cluster: planner, vision, '
        f'language; {"shipped rule" if stale_rows else "fresh blocks only"}, {share:.0%} of the '
        'rows recomputed',
        'admitting it whole',
        measured,
        at_most=0.2,
        sizes=f'{scale.describe()}, without turns',
    )


def _vision(family: Family, scale: Scale) -> Row:
    """The vision tower alone, with a tenth of the windows active."""
    frame = cluster_changes(scale, 1, 0.1)[0]
    windows = int(family.windows(frame.grid).max()) + 1
    everything = np.arange(windows)
    _, state = family.encode(frame, None, everything)
    active = everything[: max(1, round(windows / 10))]

    def encode(which: np.ndarray) -> float:
        return seconds(lambda: mx.eval(family.encode(frame, state, which)[0].arrays()))

    return ratio_row(
        f'vision tower, {len(active)} of {windows} windows active',
        'all windows active',
        alternate(lambda: encode(active), lambda: encode(everything), 3 * scale.rounds),
        at_most=0.15 * (len(active) / windows) / 0.1,
        sizes=scale.describe(),
    )


def _growth(scale: Scale) -> Row:
    """Frames of a session that has seen `scale.stream` against those of a young one."""
    family = random_family('qwen2_5_vl', 'tiny')
    config = EngineConfig(keyframe_interval=1.0, keep_keyframes=4, tail_mode='auto')
    small = Scale(model='tiny', bits=0, rows=4, cols=4, history=0, rounds=0, stream=0)
    scenes = cluster_changes(small, CYCLE, 0.1)

    def frames(seen: int) -> Callable[[], float]:
        """A session that has seen so many; the seconds that its next cycle takes."""
        session, indices = StreamSession(family, config), count()

        def admit() -> None:
            index = next(indices)
            base = scenes[index % CYCLE]
            session.admit(Frame(base.pixels, base.grid, (index + 1) * PERIOD))

        def cycle() -> float:
            return seconds(lambda: [admit() for _ in range(CYCLE)])

        for _ in range(seen // CYCLE):
            cycle()
        return cycle

    return ratio_row(
        f'cost per frame after {scale.stream} frames',
        f'after {CYCLE}',
        alternate(frames(scale.stream), frames(CYCLE), scale.rounds),
        at_most=1.1,
        sizes='random tiny Qwen2.5-VL, 16 blocks, one keyframe per second',
    )
