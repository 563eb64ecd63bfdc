# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Scenes in which exactly what is said changes, and what a session makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.question import Answer, Question
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.engine.stream.session import StreamSession

GRID = Grid(4, 6, 28)
PERIOD = 100_000_000  # ns


def scene(stamp: int, *, seed: int = 0, shade: int = 0) -> Frame:
    """A smooth random scene, so that one changed block is one changed block."""
    random = np.random.default_rng(seed)
    coarse = random.integers(60, 180, (GRID.rows, GRID.cols, 3), np.uint8)
    pixels = np.repeat(np.repeat(coarse, GRID.block, 0), GRID.block, 1) + np.uint8(shade)
    return Frame(pixels, GRID, stamp, 'optical')


def change_blocks(frame: Frame, fresh: np.ndarray, *, stamp: int, seed: int = 0) -> Frame:
    """`frame` with new noise in the blocks in `fresh` (bool [rows, cols])."""
    noise = np.random.default_rng(seed).integers(0, 256, frame.pixels.shape, np.uint8)
    return Frame(noise, frame.grid, stamp, frame.frame_id).with_blocks(frame.pixels, fresh)


def moving_scene(count: int, *, seed: int = 0) -> list[Frame]:
    """A still scene in which another block changes in every frame."""
    frames = [scene(PERIOD, seed=seed)]
    for index in range(1, count):
        fresh = np.zeros((GRID.rows, GRID.cols), bool)
        fresh.flat[index % GRID.blocks] = True
        frames.append(change_blocks(frames[-1], fresh, stamp=(index + 1) * PERIOD, seed=index))
    return frames


def session_logits(session: StreamSession, text: str) -> np.ndarray:
    ids = session.family.text.question_ids(text, ())
    return np.array(session.stream.cache.fork().extend(ids))


def answer(session: StreamSession, text: str = 'what is there?', **kwargs: Any) -> Answer:
    asking = session.ask(Question(text=text, **kwargs))
    for _ in asking:
        pass
    assert asking.answer is not None
    return asking.answer


def frames_held(session: StreamSession) -> list[Frame]:
    return session.stream.cache.ledger.frames


def is_as_cold(session: StreamSession) -> bool:
    """Whether it answers, bit by bit, as a cold prefill of the frames that it holds."""
    family, text = session.family, 'what?'
    cache = RollingCache(family)
    for frame in frames_held(session):
        cache.append(Kind.KEYFRAME, frame, IncrementalEncoder(family).encode(frame).features)
    cold = np.array(cache.fork().extend(family.text.question_ids(text, ())))
    return np.array_equal(session_logits(session, text), cold)
