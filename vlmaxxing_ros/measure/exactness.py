# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whether decoding behind a long cache is what prefilling says, and every number finite.

A fault of a GPU's kernels that begins at some number of cached rows (mlx #4022: 1,024) shows in
no short test.  Random models of every architecture go through the same, so that a machine is
judged without downloading each.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.families.base import Family, Rows
from vlmaxxing_ros.engine.seeing.frame import Frame

ROWS = 1100
"""Cached rows before the question, at least."""

_DECODED = 8
_QUESTION = 'What do you see?'
_TOLERANCE, _ROUGH = 1e-3, 0.05  # of the largest logit: float32 on the CPU, anything else


@dataclass(frozen=True)
class Exactness:
    """What one model's test found.

    Attributes:
        model: its name.
        rows: cached rows before the question.
        difference: largest difference of the logits, decoded one by one against prefilled at
            once, over the largest logit.
        against_cpu: the same, on this device against the CPU; None where this is the CPU.
        finite: no logit is NaN or infinite.
        ok: finite, and both within tolerance.
    """

    model: str
    rows: int
    difference: float
    against_cpu: float | None
    finite: bool
    ok: bool

    def asdict(self) -> dict[str, Any]:
        """For a file; what is not finite as text."""
        numbers = asdict(self)
        return {
            k: v if np.isfinite(v or 0.0) else str(v) for k, v in numbers.items() if k != 'model'
        }


def long_cache(family: Family, *, rows: int = ROWS, compare_cpu: bool = False) -> Exactness:
    """Decode behind at least `rows` cached rows, and prefill the same tokens as one chunk.

    Args:
        family: the model.
        rows: how many.
        compare_cpu: run the whole again on the CPU, where this device is another one.
    """
    on_cpu = mx.default_device() == mx.Device(mx.cpu)
    cached, decoded, one_by_one = _decode(family, rows)
    at_once = _prefill(family, rows, decoded)
    difference = _difference(one_by_one, at_once)
    against_cpu = None
    if compare_cpu and not on_cpu:
        device = mx.default_device()
        mx.set_default_device(mx.Device(mx.cpu))
        try:
            against_cpu = _difference(at_once, _prefill(family, rows, decoded))
        finally:
            mx.set_default_device(device)
    finite = bool(np.isfinite(one_by_one).all() and np.isfinite(at_once).all())
    fine = on_cpu and _computes_in(family) == mx.float32
    worst = max(difference, against_cpu or 0.0)
    ok = finite and worst <= (_TOLERANCE if fine else _ROUGH)
    return Exactness(family.name, cached, difference, against_cpu, finite, ok)


def _computes_in(family: Family) -> mx.Dtype:
    chunk = family.text_rows(family.text.prefix_ids[:1], 0)
    return family.hidden(chunk, None, family.make_cache()).dtype


def _fill(family: Family, rows: int, cache: list[Any]) -> tuple[int, int]:
    """Append the system prompt and frames of noise; how many rows, and the next position."""
    grid = family.grid(224, 224, 64)
    random = np.random.default_rng(0)
    every = np.unique(family.windows(grid))
    chunk = family.text_rows(family.text.prefix_ids, 0)
    mx.eval(family.hidden(chunk, None, cache))
    count, end, stamp = len(chunk), chunk.end, 0
    while count < rows:
        stamp += 1
        pixels = random.integers(0, 256, (grid.height, grid.width, 3), np.uint8)
        features, _ = family.encode(Frame(pixels, grid, stamp, 'measure'), None, every)
        chunk = family.frame_rows(grid, end)
        mx.eval(family.hidden(chunk, features, cache))
        count, end = count + len(chunk), chunk.end
    return count, end


def _decode(family: Family, rows: int) -> tuple[int, list[int], np.ndarray]:
    """Rows before the question, tokens decoded greedily, their logits [tokens, vocabulary]."""
    cache = family.make_cache()
    count, end = _fill(family, rows, cache)
    chunk = family.text_rows(family.text.question_ids(_QUESTION, ()), end)
    ids: list[int] = []
    logits = []
    while True:
        newest = family.logits(family.hidden(chunk, None, cache)[:, -1])[0].astype(mx.float32)
        logits.append(np.array(newest))
        if len(logits) == _DECODED:
            return count, ids, np.stack(logits)
        ids.append(int(np.nan_to_num(logits[-1]).argmax()))
        chunk = family.text_rows(ids[-1:], chunk.end)


def _prefill(family: Family, rows: int, decoded: list[int]) -> np.ndarray:
    """The same logits, from the question and the decoded tokens as one chunk."""
    cache = family.make_cache()
    _, end = _fill(family, rows, cache)
    question: Rows = family.text_rows(family.text.question_ids(_QUESTION, ()) + decoded, end)
    hidden = family.hidden(question, None, cache)[0, -_DECODED:]
    return np.array(family.logits(hidden).astype(mx.float32))


def _difference(ours: np.ndarray, reference: np.ndarray) -> float:
    largest = max(float(np.abs(reference).max()), 1e-9)
    return float(np.abs(ours - reference).max()) / largest
