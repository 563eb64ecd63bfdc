# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Stock mlx-vlm as an independent reference, and what goes wrong in it.

The second half holds the project's claims about mlx-vlm to account: if one of these tests fails
after an update, the README must change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_vlm import stream_generate
from mlx_vlm.generate import PromptCacheState
from PIL import Image

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.text import render
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder

MakeFrames = Callable[..., list[Frame]]
QUESTION = 'where is the red block?'


def stock(
    family: Family, frames: list[Frame], count: int, question: str = QUESTION, **kwargs: Any
) -> tuple[list[int], list[np.ndarray]]:
    """Greedy tokens of mlx-vlm's own generation, and the log-probabilities behind each."""
    prompt = render(family.processor, question, images=len(frames))
    images = [Image.fromarray(f.pixels) for f in frames]
    results = list(
        stream_generate(
            family.model, family.processor, prompt, images, max_tokens=count, temperature=0.0,
            **kwargs,
        )
    )  # fmt: skip
    return [r.token for r in results][:count], [np.array(r.logprobs) for r in results]


def ours(family: Family, frames: list[Frame], count: int) -> list[int]:
    cache = RollingCache(family)
    for frame in frames:
        cache.append(Kind.KEYFRAME, frame, IncrementalEncoder(family).encode(frame).features)
    fork, ids = cache.fork(), []
    logits = fork.extend(family.text.question_ids(QUESTION, ()))
    for _ in range(count):
        ids.append(int(mx.argmax(logits).item()))
        logits = fork.extend(ids[-1:])
    return ids


def test_streaming_decodes_the_tokens_that_stock_generation_decodes(
    family: Family, make_frames: MakeFrames
) -> None:
    for seed, (rows, cols) in enumerate([(2, 2), (3, 4), (5, 3), (4, 6)]):
        frames = make_frames(4, rows=rows, cols=cols, seed=seed)
        expected, _ = stock(family, frames, 10)
        assert ours(family, frames, 10)[: len(expected)] == expected


def test_stock_prompt_cache_answers_about_the_wrong_image(
    family: Family, make_frames: MakeFrames
) -> None:
    a, b = make_frames(2)
    second = 'is there a blue one?'
    state = PromptCacheState()
    stock(family, [a], 4, prompt_cache_state=state)
    # Frame B has frame A's token ids, so the next question is answered from A's keys and values.
    _, reused = stock(family, [b], 1, second, prompt_cache_state=state)
    _, about_a = stock(family, [a], 1, second)
    _, about_b = stock(family, [b], 1, second)
    assert np.abs(reused[0] - about_a[0]).max() < 1e-4
    assert np.abs(reused[0] - about_b[0]).max() > 1e-2
