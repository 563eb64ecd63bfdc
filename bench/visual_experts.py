# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What fewer experts for visual rows save, and how far the answers move.

`python -m bench.visual_experts` draws mixture-of-experts models of the real classes at random and
gives visual rows all, half and a quarter of a text row's experts.  Measured are the prefill of one
frame, alternately with the full model's, and the drift of the answers to the same questions about
the same frames.  Two perturbations give the drift a scale: quantised weights, which are known to
be small, and frames of another stream, which are what an answer should depend on.  Writes
docs/results/visual_experts.json and .md.

Random experts know nothing: neither their drift nor its order is a trained model's.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from bench.greedy import divergence, greedy_tokens
from bench.quantization import FRAMES, PERIOD, draw_questions, quantize_language, stream
from bench.timing import Row, alternate, ratio_row, seconds
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import ClipQuestion
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.random_models.families import random_family

RESULT = Path(__file__).parents[1] / 'docs' / 'results' / 'visual_experts.json'
EXPERTS, PER_ROW, WIDTH = 32, 8, 256
GRID = (12, 16)
"""Rows and columns of the frame that is timed."""

MODELS: dict[str, dict[str, Any]] = {
    'qwen3_vl_moe': {
        'num_experts': EXPERTS,
        'num_experts_per_tok': PER_ROW,
        'moe_intermediate_size': WIDTH,
        'tie_word_embeddings': False,
    },
    'gemma4': {
        'enable_moe_block': True,
        'num_experts': EXPERTS,
        'top_k_experts': PER_ROW,
        'moe_intermediate_size': WIDTH,
        'num_kv_shared_layers': 0,
        'hidden_size_per_layer_input': 0,
    },
}
COUNTS = {'half of the experts': PER_ROW // 2, 'a quarter of the experts': PER_ROW // 4}
BITS = {'8 bit weights': 8, '4 bit weights': 4}
OTHER_FRAMES = "another stream's frames"

ATTENTION = {'qwen3_vl_moe': 4.0, 'gemma4': 0.5}
"""Factors on the queries: in a random Qwen3-VL attention is flat and the answer hardly depends on
the frames; in a random Gemma 4, which does not divide by the heads' width, each row looks at one
other."""

EMBEDDING = 0.05
"""Factor on Gemma 4's text embeddings as they enter: it scales them up, and with random weights
would for ever repeat the last token."""

PAGE = """# Fewer experts for visual rows: measurements

Written by `{command}`.

Models of the real classes with random weights: {layers},
512 wide, {experts} experts of {width}, {per_row} per row, float32 on a shared CPU. How it works:
[models.md](../models.md#fewer-experts-for-visual-rows).

**The drift below is no trained model's, and may be more or less than one's.** Random experts share
nothing and a random router hardly prefers any of them, so those left out are missed more than where
training has made a row's last experts nearly superfluous; nor is a random model ever sure of its
answer, so little turns it. A trained model, on the other hand, looks at its frames harder.
(Attention and embeddings are rescaled here so that the answers depend on the frames at all:
`ATTENTION` and `EMBEDDING` in the script.) The figures show what the option saves and that it is
not free; what it costs in answers, `vlmaxxing_evaluate` tells for the model and the recordings that
count.

## The language model's prefill of one frame

{blocks} blocks. Median of the ratios of neighbouring runs, quartiles in brackets; the first line of
each model is the full model against itself. Seconds, on a machine that had other work to do, are
for orientation.

| model | experts per visual row | time, of the full model's | seconds |
|---|---|---|---|
{times}

## Drift against the full model

{questions} questions about {streams} tabletop streams of {frames} frames of 16 blocks, at most
24 tokens per answer. KL: of the first token's distribution from the full model's, mean over the
questions, in nats. The last three lines of each model are the scale: quantised weights of the
language model, and the full model asked the same about another stream's frames.

| model | changed | first tokens that differ | answers that differ | KL |
|---|---|---|---|---|
{drifts}
"""


@dataclass
class Drift:
    """One variant against the full model, over all questions."""

    asked: int = 0
    first: int = 0
    answers: int = 0
    divergence: float = 0.0

    def add(self, full: tuple[np.ndarray, list[int]], ours: tuple[np.ndarray, list[int]]) -> None:
        """Compare one question's first log-probabilities and tokens."""
        (before, expected), (after, got) = full, ours
        self.asked += 1
        self.first += bool(before.argmax() != after.argmax())
        self.answers += expected != got
        self.divergence += divergence(before, after)

    def report(self) -> dict[str, float]:
        """Shares and means."""
        return {
            'questions': self.asked,
            'first_tokens_that_differ': round(self.first / self.asked, 4),
            'answers_that_differ': round(self.answers / self.asked, 4),
            'mean_kl_of_the_first_token': float(f'{self.divergence / self.asked:.3g}'),
        }


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(prog='python -m bench.visual_experts')
    parser.add_argument('--streams', type=int, default=8)
    parser.add_argument('--rounds', type=int, default=7)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for model, shape in MODELS.items():
        full = _family(model, shape)
        spared = {name: _spared(model, shape, count) for name, count in COUNTS.items()}
        times = [_timed(full, full, PER_ROW, options.rounds)]
        for name, family in spared.items():
            times.append(_timed(family, full, COUNTS[name], options.rounds))
        variants = spared | {name: _quantized(model, shape, bits) for name, bits in BITS.items()}
        results[model] = {
            'layers': len(full.model.language_model.model.layers),
            'prefill': [row.asdict() for row in times],
            'drift': _drifts(full, variants, options.streams),
        }
        print(json.dumps(results[model], indent=1), flush=True)
    command = f'python -m bench.visual_experts --streams {options.streams}'
    report = {'command': command, 'streams': options.streams, 'models': results}
    RESULT.write_text(json.dumps(report, indent=1) + '\n')
    RESULT.with_suffix('.md').write_text(_page(report))


def _family(model: str, shape: dict[str, Any]) -> Family:
    family = random_family(model, 'small', **shape)
    language = family.model.language_model.model
    for layer in language.layers:
        layer.self_attn.q_norm.weight = layer.self_attn.q_norm.weight * ATTENTION[model]
    if model == 'gemma4':
        language.embed_scale *= EMBEDDING
    return family


def _page(report: dict[str, Any]) -> str:
    models = report['models']
    times = [
        f'| `{model}` | {row["what"].split()[0]} | {row["ratio"]:.2f} '
        f'[{row["spread"][0]:.2f}, {row["spread"][1]:.2f}] | {row["seconds"][0]:.2f} |'
        for model, result in models.items()
        for row in result['prefill']
    ]
    drifts = [
        f'| `{model}` | {name} | {drift["first_tokens_that_differ"]:.0%} | '
        f'{drift["answers_that_differ"]:.0%} | {drift["mean_kl_of_the_first_token"]:.2g} |'
        for model, result in models.items()
        for name, drift in result['drift'].items()
    ]
    asked = next(iter(models['gemma4']['drift'].values()))['questions']
    return PAGE.format(
        command=report['command'],
        layers=' and '.join(f'`{m}` of {r["layers"]} layers' for m, r in models.items()),
        experts=EXPERTS,
        width=WIDTH,
        per_row=PER_ROW,
        blocks=GRID[0] * GRID[1],
        times='\n'.join(times),
        questions=asked,
        streams=report['streams'],
        frames=FRAMES,
        drifts='\n'.join(drifts),
    )


def _spared(model: str, shape: dict[str, Any], count: int) -> Family:
    family = _family(model, shape)
    family.spare_experts(count)
    return family


def _quantized(model: str, shape: dict[str, Any], bits: int) -> Family:
    family = _family(model, shape)
    quantize_language(family, bits)
    return family


def _timed(family: Family, full: Family, count: int, rounds: int) -> Row:
    grid = Grid(*GRID, full.block)
    pixels = np.random.default_rng(0).integers(0, 256, (grid.height, grid.width, 3), np.uint8)
    features = IncrementalEncoder(full).encode(Frame(pixels, grid, 1)).features
    rows = full.frame_rows(grid, 0)

    def prefill(which: Family) -> Callable[[], float]:
        def work() -> float:
            cache = which.make_cache()
            return seconds(lambda: mx.eval(which.hidden(rows, features, cache)))

        return work

    return ratio_row(
        f'{count} experts per visual row',
        f'{PER_ROW}',
        alternate(prefill(family), prefill(full), rounds),
        sizes=f'{grid.blocks} blocks',
    )


def _drifts(full: Family, variants: dict[str, Family], streams: int) -> dict[str, dict[str, float]]:
    drifts = {name: Drift() for name in (*variants, OTHER_FRAMES)}
    worlds = [
        Tabletop(seed=7000 + seed, size=(112, 112), duration=FRAMES * PERIOD, pause=1.0)
        for seed in range(streams)
    ]
    for seed, world in enumerate(worlds):
        questions = draw_questions(world, seed)
        expected = _answers(full, stream(full, world), questions)
        for name, family in variants.items():
            for pair in zip(
                expected, _answers(family, stream(family, world), questions), strict=True
            ):
                drifts[name].add(*pair)
        elsewhere = stream(full, worlds[seed - 1])
        for pair in zip(expected, _answers(full, elsewhere, questions), strict=True):
            drifts[OTHER_FRAMES].add(*pair)
    return {name: drift.report() for name, drift in drifts.items()}


def _answers(
    family: Family, cache: RollingCache, questions: list[ClipQuestion]
) -> list[tuple[np.ndarray, list[int]]]:
    return [greedy_tokens(family, cache, question.prompt) for question in questions]


if __name__ == '__main__':
    main()
