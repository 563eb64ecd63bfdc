# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A model slower than its camera: random weights in the real classes, its depth by calibration.

`python -m bench.live_model --out DIR` writes the folder and `prices.json`: seconds of a whole frame
and of four dense frames with a question, cold, on this machine in this hour.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.seeing.frame import Frame, fit_grid
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.random_models.families import random_family
from vlmaxxing_ros.random_models.folder import save

BLOCKS = 96
LEAST_LAYERS = 4


def frame(seed: int) -> Frame:
    """Noise, on the grid of a 640x480 camera."""
    grid = fit_grid(480, 640, block=28, max_blocks=BLOCKS)
    shape = (grid.height, grid.width, 3)
    return Frame(np.random.default_rng(seed).integers(0, 256, shape, np.uint8), grid, seed + 1)


def price(family: Family, frames: int, rounds: int, question: str = '') -> float:
    """Seconds to encode and prefill that many frames from nothing, and a question's first token."""
    ids = family.text.question_ids(question, ()) if question else []
    taken = []
    for number in range(rounds):
        start = time.monotonic()
        cache = RollingCache(family)
        for index in range(frames):
            shown = frame(frames * number + index)
            features = IncrementalEncoder(family).encode(shown).features
            cache.append(Kind.KEYFRAME, shown, features)
        if ids:
            mx.eval(cache.fork().extend(ids))
        taken.append(time.monotonic() - start)
    return statistics.median(taken)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--target', type=float, default=1.0, help='s of a whole frame')
    parser.add_argument('--question', default='What do you see, and is anything in the way?')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    layers = LEAST_LAYERS
    shallow, deeper = (
        price(random_family('qwen2_5_vl', 'deep', num_hidden_layers=n), 1, 3)
        for n in (layers, 2 * layers)
    )
    each = max(1e-4, (deeper - shallow) / layers)
    layers = max(layers, layers + round((args.target - shallow) / each))
    overrides = {'num_hidden_layers': layers}
    family = random_family('qwen2_5_vl', 'deep', **overrides)
    save(family, 'qwen2_5_vl', args.out, 'deep', overrides)
    prices = {
        'layers': layers,
        'blocks': frame(0).grid.blocks,
        'whole': price(family, 1, 5),
        'dense_last4': price(family, 4, 2, args.question),
        'question': args.question,
    }
    (args.out / 'prices.json').write_text(json.dumps(prices, indent=1) + '\n')
    print(json.dumps(prices))


if __name__ == '__main__':
    main()
