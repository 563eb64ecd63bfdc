# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What every family's tests need: streams, snapshots, and stock mlx-vlm as a reference."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
from mlx_vlm import stream_generate
from PIL import Image

from vlmaxxing_ros.engine.cache.branches import Branch
from vlmaxxing_ros.engine.cache.fork import Fork
from vlmaxxing_ros.engine.cache.ledger import Kind, Segment
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families import Family, Features, Rows
from vlmaxxing_ros.engine.families.text import render
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder

QUESTION = 'where is the red block?'


def noise(
    family: Family, count: int, *, rows: int = 3, cols: int = 4, seed: int = 0
) -> list[Frame]:
    """Frames of noise on the family's own grid, 100 ms apart, from 9.7 s into a stream.

    Captions that tell the time then change their digits with each frame, and their length once.
    """
    random = np.random.default_rng(seed)
    grid = Grid(rows, cols, family.block)
    shape = (grid.height, grid.width, 3)
    return [
        Frame(random.integers(0, 256, shape, np.uint8), grid, (i + 98) * 100_000_000).since(10**8)
        for i in range(count)
    ]


def features(family: Family, frame: Frame) -> Features:
    """A frame's features, from a tower that has seen nothing before."""
    return IncrementalEncoder(family).encode(frame).features


def stream(family: Family, frames: list[Frame], *, tail: bool = True) -> RollingCache:
    """A cache with every frame on it, the newest as the tail."""
    cache = RollingCache(family)
    for frame in frames:
        kind = Kind.TAIL if tail and frame is frames[-1] else Kind.KEYFRAME
        cache.append(kind, frame, features(family, frame))
    return cache


def live(family: Family, frames: list[Frame]) -> RollingCache:
    """The same, as a stream makes it: each frame is the tail, is asked about, is promoted.

    Every other tail is first a frame of its own that is then replaced.
    """
    cache = RollingCache(family)
    for number, frame in enumerate(frames):
        cache.promote_tail()
        if number % 2:
            passing = frames[number - 1]
            cache.append(Kind.TAIL, passing, features(family, passing))
            greedy(family, cache.fork(), 3)
        cache.append(Kind.TAIL, frame, features(family, frame))
        greedy(family, cache.fork(), 3)
    return cache


def snapshot(cache: RollingCache) -> list[np.ndarray]:
    """The cache's arrays, copied."""
    return [np.array(a) for a in cache.contents()]


def same(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    """Whether two snapshots are equal bit for bit."""
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def next_logits(family: Family, fork: Fork, text: str = QUESTION) -> np.ndarray:
    """Logits of an answer's first token."""
    return np.array(fork.extend(family.text.question_ids(text, ())))


def greedy(family: Family, fork: Fork, count: int, text: str = QUESTION) -> list[int]:
    """The first tokens of an answer, whether or not one of them would end it."""
    ids: list[int] = []
    logits = fork.extend(family.text.question_ids(text, ()))
    while len(ids) < count:
        ids.append(int(mx.argmax(logits).item()))
        logits = fork.extend(ids[-1:])
    return ids


def one_chunk(family: Family, cache: RollingCache) -> Fork:
    """The cache's ledger, prefilled as a single chunk."""
    return in_one_chunk(family, cache.ledger.segments)


def in_one_chunk(family: Family, segments: list[Segment]) -> Fork:
    """Segments, prefilled as a single chunk."""
    shown = [s.features for s in segments if s.features is not None]
    deep = zip(*(f.deep for f in shown), strict=True)
    whole = Features(
        mx.concatenate([f.embeds for f in shown]), tuple(mx.concatenate(list(d)) for d in deep)
    )
    layers = family.make_cache()
    family.hidden(Rows.join([s.rows for s in segments]), whole, layers)
    return Fork(family, Branch(layers), list(segments))


def stock(
    family: Family, frames: list[Frame], count: int, labels: list[str] | None = None
) -> list[int]:
    """Greedy tokens of mlx-vlm's own generation; `labels` stand before the frames' captions."""
    labels = labels or [''] * len(frames)
    captions = [label + family.caption(f) for label, f in zip(labels, frames, strict=True)]
    prompt = render(family.processor, QUESTION, captions=captions)
    images = [Image.fromarray(f.pixels) for f in frames]
    if hasattr(family.processor.image_processor, 'max_soft_tokens'):
        # Gemma 4 scales every image to fill its budget: let the frames fill it as they are.
        family.processor.image_processor.max_soft_tokens = frames[0].grid.blocks
    results = stream_generate(
        family.model, family.processor, prompt, images, max_tokens=count, temperature=0.0
    )
    return [r.token for r in results][:count]
