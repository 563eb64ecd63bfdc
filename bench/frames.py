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
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.payment import Payment, Why
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.random_models.families import random_family

SHARE = 0.1
"""Of the blocks change in a frame."""

CYCLE = 200
"""Frames after which a small stream repeats, its keyframes and generations included."""


def rows(family: Family, scale: Scale) -> list[Row]:
    """Admission and growth."""
    large = replace(scale, rows=16, cols=24)
    return [
        _admission(family, large),
        _catching_up(family, large),
        _vision(family, large),
        _growth(scale),
    ]


def _session(family: Family, scale: Scale, **settings: object) -> StreamSession:
    """A session that has seen two frames, and goes on with its second one as tail."""
    config = EngineConfig(
        keyframe_interval=float('inf'), token_budget=1_000_000, audit_interval=0.0, **settings
    )
    session = StreamSession(family, config)
    for frame in cluster_changes(scale, 2, SHARE):
        session.admit(frame)
    return session


def settle(session: StreamSession) -> None:
    """Make the tail exact, as the background does once all is calm."""
    stream = session.stream
    assert stream is not None
    job = stream.paying(Payment.settling(stream.sight.plan))
    stream.account(job.finish(), job.watch)


def _whole(family: Family, scale: Scale) -> Callable[[], float]:
    """Admits frame after frame whole; seconds."""
    session = _session(family, scale, tail_mode='exact')

    def admit() -> float:
        assert session.stream is not None
        frame = session.stream.sight.newest
        pixels = np.ascontiguousarray(frame.pixels[:, ::-1])
        changed = Frame(pixels, frame.grid, frame.stamp + PERIOD)
        return seconds(lambda: session.admit(changed))

    return admit


def _admission(family: Family, scale: Scale) -> Row:
    """With the default settings."""
    rounds = 3 * scale.rounds
    coming = iter(cluster_changes(scale, rounds + 3, SHARE)[2:])
    session = _session(family, scale)
    admitted: list[float] = []

    def ours() -> float:
        settle(session)
        frame = next(coming)
        return seconds(lambda: admitted.append(session.admit(frame).fresh_ratio))

    measured = alternate(ours, _whole(family, scale), rounds)
    return ratio_row(
        'paying a frame, a tenth of its blocks changed in one cluster: planner, vision, language; '
        f'settled before; {statistics.median(admitted):.0%} of the rows recomputed',
        'paying it whole',
        measured,
        at_most=0.2,
        sizes=scale.describe(),
    )


def _catching_up(family: Family, scale: Scale) -> Row:
    """What the first question about such a frame pays, if it comes before the tail has settled."""
    rounds = 3 * scale.rounds
    coming = iter(cluster_changes(scale, rounds + 3, SHARE)[2:])
    session = _session(family, scale)
    recomputed: list[int] = []

    def ours() -> float:
        settle(session)
        session.admit(next(coming))
        stream = session.stream
        assert stream is not None
        plan = stream.sight.plan
        nothing = Payment(Why.ASKED, plan, np.zeros_like(plan.fresh))
        return seconds(lambda: recomputed.append(stream.paying(nothing).finish().rows))

    measured = alternate(ours, _whole(family, scale), rounds)
    share = statistics.median(recomputed) / (scale.rows * scale.cols)
    return ratio_row(
        f'the first question about such a frame before it has settled: catching up, {share:.0%} of '
        'the rows',
        'admitting it whole',
        measured,
        sizes=scale.describe(),
    )


def _vision(family: Family, scale: Scale) -> Row:
    """The vision tower alone, with a tenth of the windows active."""
    frame = cluster_changes(scale, 1, SHARE)[0]
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
    scenes = cluster_changes(small, CYCLE, SHARE)

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
