# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What quantised weights and quantised keys and values cost in answers.

`python -m bench.quantization` streams tabletop recordings through the built-in model, once as it is
and once per variant, and asks each the same questions about the same frames.  Writes
docs/results/quantization.json.  Every variant streams exactly; what is measured is how far its
answers are from full precision's.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import mlx.nn as nn
import numpy as np

from bench.greedy import divergence, greedy_answer
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import CURRENT_STATE, ClipQuestion, Scene
from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder

RESULT = Path(__file__).parents[1] / 'docs' / 'results' / 'quantization.json'
FRAMES = 4
PERIOD = 0.5
"""Seconds between frames."""


@dataclass
class BitsTally:
    """One variant, over all questions."""

    asked: int = 0
    differ: int = 0
    right: int = 0
    divergence: float = 0.0
    cache_bytes_per_row: float = 0.0

    def report(self) -> dict[str, float]:
        """Shares and means."""
        return {
            'questions': self.asked,
            'answers_that_differ': round(self.differ / self.asked, 4),
            'right': round(self.right / self.asked, 4),
            'mean_kl_of_the_first_token': round(self.divergence / self.asked, 5),
            'cache_bytes_per_row': round(self.cache_bytes_per_row, 1),
        }


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(prog='python -m bench.quantization')
    parser.add_argument('--streams', type=int, default=60)
    parser.add_argument('--model', default='nano')
    options = parser.parse_args()
    families = {
        f'{weights or "full"} bit weights, {keys or "full"} bit keys and values': _family(
            options.model, weights, keys
        )
        for weights, keys in ((0, 0), (0, 8), (0, 4), (8, 0), (4, 0), (4, 4))
    }
    tallies = {name: BitsTally() for name in families}
    for seed in range(options.streams):
        world = Tabletop(seed=7000 + seed, size=(112, 112), duration=FRAMES * PERIOD, pause=1.0)
        questions = draw_questions(world, seed)
        truth: list[tuple[np.ndarray, str]] = []
        for name, family in families.items():
            cache, tally = stream(family, world), tallies[name]
            tally.cache_bytes_per_row = _bytes_per_row(cache)
            answers = [greedy_answer(family, cache, q.prompt) for q in questions]
            truth = truth or answers
            for question, (full, expected), (ours, got) in zip(
                questions, truth, answers, strict=True
            ):
                tally.asked += 1
                tally.differ += expected != got
                tally.right += got == question.answer
                tally.divergence += divergence(full, ours)
    report = {name: tally.report() for name, tally in tallies.items()}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({'model': options.model, 'variants': report}, indent=1) + '\n')
    print(json.dumps(report, indent=1))


def _family(model: str, weight_bits: int, kv_bits: int) -> Family:
    family = load_family(model, kv_bits=kv_bits)
    if weight_bits:
        quantize_language(family, weight_bits)
    return family


def quantize_language(family: Family, bits: int) -> None:
    """As published checkpoints are: the language model, where its rows divide by the group."""
    nn.quantize(
        family.model.language_model,
        bits=bits,
        class_predicate=lambda _, part: (
            hasattr(part, 'to_quantized') and part.weight.shape[-1] % 64 == 0
        ),
    )


def draw_questions(world: Tabletop, seed: int) -> list[ClipQuestion]:
    """About what the newest frame of `stream` shows."""
    scene = Scene([world.state((FRAMES - 1) * PERIOD)])
    random = np.random.default_rng(seed)
    drawn = (scene.draw(random, name) for name in CURRENT_STATE for _ in range(2))
    return [question for question in drawn if question is not None]


def stream(family: Family, world: Tabletop) -> RollingCache:
    """The first frames of a recording, 16 blocks each, the newest as the tail."""
    grid = Grid(4, 4, family.block)
    cache = RollingCache(family)
    for index in range(FRAMES):
        stamp = index * PERIOD
        frame = Frame.from_image(world.render(stamp), grid, stamp=round(stamp * 1e9) + 1).since(1)
        features = IncrementalEncoder(family).encode(frame).features
        kind = Kind.TAIL if index == FRAMES - 1 else Kind.KEYFRAME
        cache.append(kind, frame, features)
    return cache


def _bytes_per_row(cache: RollingCache) -> float:
    """Bytes of keys and values, over the rows that there is room for."""
    return cache.nbytes / cache.arrays()[0].shape[2]


if __name__ == '__main__':
    main()
