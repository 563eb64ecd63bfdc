# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A long stream: whether memory is bounded, costs are flat and answers are those of a cold prefill.

`python -m bench.long_stream [--frames 20000]` writes docs/results/long_stream.json and a figure.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from bench.frames import settle
from bench.scale import PERIOD, Scale, cluster_changes
from bench.timing import seconds
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.budget import FreshBudget
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.palette import BAD, REUSED, hexadecimal
from vlmaxxing_ros.random_models.families import random_family

RESULTS = Path(__file__).parents[1] / 'docs' / 'results'
FIGURES = Path(__file__).parents[1] / 'docs' / 'figures'
EVERY = 100


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(prog='python -m bench.long_stream', description=__doc__)
    parser.add_argument('--frames', type=int, default=20_000)
    options = parser.parse_args()
    result = measure(options.frames)
    RESULTS.mkdir(parents=True, exist_ok=True)
    FIGURES.mkdir(parents=True, exist_ok=True)
    (RESULTS / 'long_stream.json').write_text(json.dumps(result, indent=1) + '\n')
    _plot(result).savefig(FIGURES / 'long_stream.svg')
    print({k: v for k, v in result.items() if not isinstance(v, list)})


def measure(frames: int) -> dict[str, object]:
    """One sample per hundred frames: bytes, rows, resident memory, median cost of a frame."""
    family = random_family('qwen2_5_vl', 'tiny')
    config = EngineConfig(keyframe_interval=0.5, keep_keyframes=6, token_budget=1024)
    session = StreamSession(family, config)
    scale = Scale(model='tiny', bits=0, rows=4, cols=5, history=0, rounds=0, stream=frames)
    scenes = cluster_changes(scale, 200, 0.1)
    samples: list[dict[str, float]] = []
    costs: list[float] = []
    budgets: list[FreshBudget] = []
    differing = asked = 0
    one_generation = 0
    for index in range(frames):
        scene = scenes[index % len(scenes)]
        frame = Frame(scene.pixels, scene.grid, (index + 1) * PERIOD)
        costs.append(seconds(partial(_admit, session, frame, budgets)))
        if index % 3 == 0:
            session.idle()
        one_generation = max(one_generation, session.stream.cache.nbytes)
        if (index + 1) % EVERY == 0:
            settle(session)
            asked += 1
            differing += not _as_cold(session)
            samples.append(
                {
                    'frame': index + 1,
                    'cache_bytes': max(b.cache_bytes for b in budgets),
                    'tokens': max(b.tokens_cached for b in budgets),
                    'generation': budgets[-1].generation,
                    'resident_mb': _resident_mb(),
                    'frame_ms': statistics.median(costs) * 1e3,
                }
            )
            costs.clear()
            budgets.clear()
    return {
        'frames': frames,
        'token_budget': config.token_budget,
        'generations': int(samples[-1]['generation']),
        'one_generation_bytes': one_generation,
        'most_bytes': max(int(s['cache_bytes']) for s in samples),
        'answers_compared_with_cold': asked,
        'answers_that_differ': differing,
        'resident_mb_after_10_percent': samples[len(samples) // 10]['resident_mb'],
        'resident_mb_at_the_end': samples[-1]['resident_mb'],
        'peak_resident_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        'samples': samples,
    }


def _admit(session: StreamSession, frame: Frame, budgets: list[FreshBudget]) -> None:
    budgets.append(session.admit(frame))


def _as_cold(session: StreamSession) -> bool:
    """Whether the next-token logits are those of a cold prefill of the ledger, bit for bit."""
    asking = session.ask(Question(text='what do you see?', max_tokens=1))
    list(asking)
    cold = RollingCache(session.family)
    for segment in session.stream.cache.ledger.segments:
        if segment.frame is not None:
            cold.append_copy(segment)
    live = np.array(session.stream.cache.fork().extend(asking.suffix))
    return bool(np.array_equal(live, np.array(cold.fork().extend(asking.suffix))))


def _resident_mb() -> float:
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _plot(result: dict) -> Figure:
    samples = result['samples']
    frames = [s['frame'] for s in samples]
    figure = Figure(figsize=(8, 5), layout='constrained')
    top, middle, bottom = figure.subplots(3, 1, sharex=True)
    top.plot(frames, [s['cache_bytes'] / 2**20 for s in samples], color=hexadecimal(REUSED))
    top.axhline(2 * result['one_generation_bytes'] / 2**20, color=hexadecimal(BAD), ls='--', lw=1)
    top.set(ylabel='cache (MiB)\nred: two generations', ylim=(0, None))
    middle.plot(frames, [s['resident_mb'] for s in samples], color=hexadecimal(REUSED))
    middle.set(ylabel='process (MiB)', ylim=(0, None))
    bottom.plot(frames, [s['frame_ms'] for s in samples], color=hexadecimal(REUSED))
    bottom.set(ylabel='per frame (ms)', xlabel='frames', ylim=(0, None))
    for axis in (top, middle, bottom):
        axis.spines[['top', 'right']].set_visible(False)
    return figure


if __name__ == '__main__':
    main()
