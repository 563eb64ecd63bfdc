# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Sessions with work in the background that has not begun, and how it is begun."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from engine.scenes import GRID, PERIOD, change_blocks, moving_scene, scene

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.steps import Job
from vlmaxxing_ros.engine.stream.answer_job import AnswerJob
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.session import StreamSession

FASTEST = Terms(max_evidence_age=math.inf)
SLICES: dict[str, Any] = {'max_slice': 0.001, 'audit_interval': 0.0}


def ask(session: StreamSession, terms: Terms = FASTEST, text: str = 'what?') -> AnswerJob:
    return session.answering(
        Question(text=text, max_tokens=8), terms, evidence_age=lambda _: 0.0, start=0.0
    )


def background(session: StreamSession) -> Job:
    work = session.background()
    assert work is not None
    return work.job


@contextmanager
def without_carry(family: Family) -> Iterator[Family]:
    """A family as if it could not carry."""
    able = family.capabilities
    family.capabilities = replace(able, carry=False)
    try:
        yield family
    finally:
        family.capabilities = able


def paying(family: Family) -> StreamSession:
    """Something calm is owed."""
    session = StreamSession(family, EngineConfig(calm=0.0, keep_keyframes=0, **SLICES))
    first = scene(PERIOD)
    session.admit(first)
    fresh = np.zeros((GRID.rows, GRID.cols), bool)
    fresh[1, 2] = True
    session.see(change_blocks(first, fresh, stamp=2 * PERIOD))
    return session


def settling(family: Family) -> StreamSession:
    """A refreshed tail, and nothing has changed for a while."""
    session = paying(family)
    session.pay()
    assert session.stream is not None
    newest = session.stream.sight.newest
    for index in range(3, 15):
        session.see(replace(newest, stamp=index * PERIOD))
    return session


def building(family: Family) -> StreamSession:
    """Twice the keyframes that are kept."""
    config = EngineConfig(keyframe_interval=0.0, keep_keyframes=3, tail_mode='exact', **SLICES)
    session = StreamSession(family, config)
    for frame in moving_scene(7):
        session.admit(frame)
    return session
