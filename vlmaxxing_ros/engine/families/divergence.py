# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How far answers move where a frame's rows are copied to another place instead of computed there.

A few drawn tables with blocks tell: a frame stands once more behind itself, prefilled and copied,
and an answer's words are as likely or not.  What that means for answers was measured on
models whose answers are known (docs/models.md).  Knows no family's inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.families.base import Family, Rows
from vlmaxxing_ros.engine.families.excerpt import Excerpt
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid

LIMIT = 0.05
"""Nats: the built-in model's are 0.006 to 0.022, and 1 % of its answers change; where 0.12 to 0.23
are found, 10 % do."""

_SCENES = 7
_QUESTION, _ANSWER = 'What do you see?', 'a red block'
_TABLE = (186, 176, 160)
_COLORS = ((200, 40, 40), (40, 160, 60), (50, 70, 200))


@dataclass(frozen=True)
class Divergence:
    """What the test found.

    Attributes:
        ok: rows may be carried.
        nats: divergence of an answer's words, the middle one of the scenes; inf where rows cannot
            be carried at all.
        text: for people.
    """

    ok: bool
    nats: float
    text: str


def divergence(family: Family) -> Divergence:
    """Compare, in a few hundred rows.

    Raises:
        Unsupported: the family cannot turn keys.
    """
    layers = family.make_cache()
    prefix = family.text_rows(family.text.prefix_ids, 0)
    family.hidden(prefix, None, layers)
    scenes = [_of_scene(family, layers, prefix, seed) for seed in range(_SCENES)]
    nats = float(np.median(scenes))
    text = f"a frame's rows at another place move an answer's words by {nats:.2g} nats"
    if nats <= LIMIT:
        return Divergence(True, nats, f'{text} (at most {LIMIT:g}): frames can be carried')
    return Divergence(False, nats, f'{text}, more than {LIMIT:g}: carry is off for this model')


def _of_scene(family: Family, layers: list[Any], prefix: Rows, seed: int) -> float:
    """Mean Kullback-Leibler divergence of an answer's words; the cache is as before."""
    rows, count = prefix, len(prefix)
    for frame in _frames(family, seed):
        shown = family.encode(frame, None, np.unique(family.windows(frame.grid)))[0]
        rows = family.captioned_rows(frame, rows.end)
        family.hidden(rows, shown, layers)
        count += len(rows)
    again = family.captioned_rows(frame, rows.end)
    by = again.positions - rows.positions
    if (by != by[0, 0]).any():
        return float('inf')
    copied = Excerpt.of(layers, slice(count - len(rows), count))
    family.hidden(again, shown, layers)
    exact = _answered(family, layers, again)
    copied.append_to(layers, family, int(by[0, 0]))
    carried = _answered(family, layers, again)
    family.rewind(layers, count - len(prefix))
    return float((np.exp(exact) * (exact - carried)).sum(axis=1).mean())


def _answered(family: Family, layers: list[Any], newest: Rows) -> np.ndarray:
    """Log-likelihoods of what follows a question and each word: float32 [words + 1, vocabulary].

    The newest frame is taken from the cache again.
    """
    words = family.text.plain_ids(_ANSWER)
    ids = [*family.text.question_ids(_QUESTION, ()), *words]
    hidden = family.hidden(family.text_rows(ids, newest.end), None, layers)
    logits = family.logits(hidden[0, -len(words) - 1 :]).astype(mx.float32)
    likelihoods = np.array(logits - mx.logsumexp(logits, axis=-1, keepdims=True))
    family.rewind(layers, len(newest) + len(ids))
    return likelihoods


def _frames(family: Family, seed: int) -> list[Frame]:
    """A table with three blocks, and the same once one of them has moved."""
    random = np.random.default_rng(seed)
    grid = family.grid(96, 128, 16384)
    *places, free = random.permutation(9)[:4]
    return [
        Frame(_draw(grid, shown, random), grid, stamp * 10**9).since(10**9)
        for stamp, shown in enumerate((places, [free, *places[1:]]), start=1)
    ]


def _draw(grid: Grid, places: list[int], random: np.random.Generator) -> np.ndarray:
    """A table in a little noise, its blocks at `places` of 3 x 3: uint8 [height, width, 3]."""
    image = random.normal(_TABLE, 1.5, (grid.height, grid.width, 3))
    side = min(grid.height, grid.width) // 5
    for place, color in zip(places, _COLORS, strict=True):
        y, x = (
            ((2 * cell + 1) * size - 3 * side) // 6
            for cell, size in zip(divmod(place, 3), (grid.height, grid.width), strict=True)
        )
        image[y : y + side, x : x + side] = color
    return np.clip(image, 0, 255).astype(np.uint8)
