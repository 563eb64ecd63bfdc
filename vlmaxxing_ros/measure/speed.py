# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How fast this machine is with a model, and what that means at a camera's rate.

Seconds are medians of a few rounds on frames of noise; `outlook` only multiplies them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family, Features, Rows
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.planner import Planner

CAMERAS = (5.0, 10.0, 30.0)
"""Camera rates, Hz."""

CHANGED = (0.05, 0.2, 0.5)
"""Shares of the blocks that a frame buys."""

SLICE = 0.05
"""Seconds of work between which a question can be taken up."""

_ROUNDS = 3
_IMAGE = (480, 640)
_QUESTION = 'Is the gripper open or closed?'


@dataclass(frozen=True)
class Speed:
    """Seconds and counts for 640x480 images on the default grid.

    Attributes:
        frame_rows, frame_windows: of one whole frame.
        plan: s, image onto the grid and the planner, on the CPU beside the model.
        encode, prefill: s, a whole frame through the vision tower and the language model.
        question: s, a question's rows and its first token on a warm cache: the floor.
        token: s, one further token.
        peak_memory: bytes, model included.
    """

    frame_rows: int
    frame_windows: int
    plan: float
    encode: float
    prefill: float
    question: float
    token: float
    peak_memory: int

    @property
    def frame(self) -> float:
        """Seconds for a whole frame."""
        return self.encode + self.prefill

    @property
    def rows_per_second(self) -> float:
        """Rows per second through the language model."""
        return self.frame_rows / self.prefill

    @property
    def windows_per_second(self) -> float:
        """Windows per second through the vision tower."""
        return self.frame_windows / self.encode

    @property
    def slice_rows(self) -> int:
        """Rows that fit into one slice."""
        return int(SLICE * self.rows_per_second)


@dataclass(frozen=True)
class Outlook:
    """What to expect at one camera rate; duties are shares of the model's time, 1 = all of it.

    Attributes:
        rate: Hz.
        planned: share of the images that can be planned beside the model.
        whole: share of the images that could be taken whole.
        duty: for each of `CHANGED`, work in proportion to what changed; 1 = it does not keep up.
    """

    rate: float
    planned: float
    whole: float
    duty: tuple[float, ...]


def measure_speed(family: Family, *, rounds: int = _ROUNDS) -> Speed:
    """Measure a model on this machine."""
    config = EngineConfig()
    grid = family.grid(*_IMAGE, config.max_blocks)
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (*_IMAGE, 3), np.uint8) for _ in range(rounds + 1)]
    every = np.unique(family.windows(grid))
    cache = family.make_cache()
    chunk = family.text_rows(family.text.prefix_ids, 0)
    mx.eval(family.hidden(chunk, None, cache))
    end, count = chunk.end, 0
    seconds: dict[str, list[float]] = {n: [] for n in ('plan', 'encode', 'prefill', 'ask', 'token')}
    planner = Planner(config)
    mx.reset_peak_memory()
    for number, image in enumerate(images, 1):
        start = time.perf_counter()
        frame = Frame.from_image(image, grid, stamp=number * 10**8, frame_id='measure')
        plan = planner.plan(planner.look(frame))
        seconds['plan'].append(time.perf_counter() - start)
        planner.admit(plan)

        start = time.perf_counter()
        features, _ = family.encode(frame, None, every)
        mx.eval(features.arrays())
        seconds['encode'].append(time.perf_counter() - start)

        rows = family.frame_rows(grid, end)
        seconds['prefill'].append(_prefill(family, rows, features, cache))
        asked = family.text_rows(family.text.question_ids(_QUESTION, ()), rows.end)
        seconds['ask'].append(_prefill(family, asked, None, cache))
        token = family.text_rows(asked.ids[-1:].tolist(), asked.end)
        seconds['token'].append(_prefill(family, token, None, cache))
        count, end = len(rows), token.end
    once = {name: median(values[1:]) for name, values in seconds.items()}  # the first one compiles
    return Speed(
        frame_rows=count,
        frame_windows=len(every),
        plan=once['plan'],
        encode=once['encode'],
        prefill=once['prefill'],
        question=once['ask'],
        token=once['token'],
        peak_memory=mx.get_peak_memory(),
    )


def _prefill(family: Family, rows: Rows, features: Features | None, cache: list[Any]) -> float:
    """Seconds to run rows through the language model, next-token logits included."""
    start = time.perf_counter()
    mx.eval(family.logits(family.hidden(rows, features, cache)[:, -1]))
    return time.perf_counter() - start


def outlook(speed: Speed, rate: float) -> Outlook:
    """What the figures mean at a camera rate in Hz."""
    return Outlook(
        rate=rate,
        planned=min(1.0, 1.0 / (rate * speed.plan)),
        whole=min(1.0, 1.0 / (rate * speed.frame)),
        duty=tuple(min(1.0, rate * share * speed.frame) for share in CHANGED),
    )
