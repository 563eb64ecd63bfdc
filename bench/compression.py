# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What InfiniPot-V costs in answers, beside recency and random eviction at the same cap.

`python -m bench.compression` streams tabletop recordings through the nano model with a history of
keyframes; at the end of each stream the same questions are asked of the uncompressed cache and of
three caches under a cap.  Writes docs/results/compression.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx
import numpy as np

from bench.greedy import divergence, greedy_answer
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import CURRENT_STATE, Scene
from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families import Family, Features, load_family
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder

RESULT = Path(__file__).parents[1] / 'docs' / 'results' / 'compression.json'
GRID = Grid(4, 4, 28)
ROWS = GRID.blocks + 2
FRAMES = 16
PERIOD = 0.5
"""Seconds between keyframes."""

Shown = list[tuple[Frame, Features]]


@dataclass
class Tally:
    """One policy at one cap, over all questions."""

    asked: int = 0
    differ: int = 0
    divergence: float = 0.0


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(prog='python -m bench.compression')
    parser.add_argument('--streams', type=int, default=60)
    options = parser.parse_args()
    family = load_family('nano')
    caps = {'half': FRAMES // 2, 'quarter': FRAMES // 4}
    results: dict[str, dict[str, Tally]] = {cap: {} for cap in caps}
    for seed in range(options.streams):
        world = Tabletop(seed=9000 + seed, size=(112, 112), duration=FRAMES * PERIOD, pause=1.0)
        shown = _shown(family, world)
        full = _stream(family, shown)
        last = world.state((FRAMES - 1) * PERIOD)
        # Change questions look back: half of the window.
        early = world.state((FRAMES // 2) * PERIOD)
        for cap, frames in caps.items():
            for name, policy in POLICIES.items():
                tally = results[cap].setdefault(name, Tally())
                cache = policy(family, shown, frames * ROWS + len(family.text.prefix_ids), seed)
                _compare(family, full, cache, [Scene([last]), Scene([early, last])], tally, seed)
    report = {
        cap: {
            name: {
                'questions': t.asked,
                'answers_that_differ': round(t.differ / t.asked, 4),
                'mean_kl_of_the_first_token': round(t.divergence / t.asked, 5),
            }
            for name, t in tallies.items()
        }
        for cap, tallies in results.items()
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({'frames': FRAMES, 'caps': report}, indent=1) + '\n')
    print(json.dumps(report, indent=1))


def _shown(family: Family, world: Tabletop) -> Shown:
    shown = []
    for index in range(FRAMES):
        stamp = index * PERIOD
        frame = Frame(world.render(stamp), GRID, round(stamp * 1e9) + 1)
        shown.append((frame, IncrementalEncoder(family).encode(frame).features))
    return shown


def _stream(family: Family, shown: Shown) -> RollingCache:
    cache = RollingCache(family)
    for frame, features in shown:
        kind = Kind.TAIL if frame is shown[-1][0] else Kind.KEYFRAME
        cache.append(kind, frame, features)
    return cache


def _infinipot(family: Family, shown: Shown, cap: int, seed: int) -> RollingCache:
    return _capped(family, shown, cap, None)


def _random(family: Family, shown: Shown, cap: int, seed: int) -> RollingCache:
    random = np.random.default_rng(seed)

    def choose(
        keys: mx.array, values: mx.array, places: np.ndarray, recent: np.ndarray, keep: int
    ) -> np.ndarray:
        count = places.shape[1]
        rows = [np.sort(random.permutation(count)[:keep]) for _ in range(keys.shape[0])]
        return np.array(rows, np.int32)

    return _capped(family, shown, cap, choose)


def _capped(family: Family, shown: Shown, cap: int, choose: Callable | None) -> RollingCache:
    """Stream under a cap as the session does: compress to three quarters when it is full."""
    cache = RollingCache(family)
    for frame, features in shown:
        cache.promote_tail()
        cache.append(Kind.TAIL, frame, features)
        if cache.ledger.rows + ROWS > cap:
            limit = min(int(0.75 * cap), cap - ROWS)
            cache.compress(limit, choose) if choose else cache.compress(limit)
    return cache


def _recency(family: Family, shown: Shown, cap: int, seed: int) -> RollingCache:
    """As many of the newest frames, whole, as the cap holds after compression, at best."""
    return _stream(family, shown[-((cap - len(family.text.prefix_ids)) // ROWS) :])


POLICIES: dict[str, Callable[[Family, Shown, int, int], RollingCache]] = {
    'infinipot': _infinipot,
    'recency': _recency,
    'random': _random,
}


def _compare(
    family: Family,
    full: RollingCache,
    capped: RollingCache,
    scenes: list[Scene],
    tally: Tally,
    seed: int,
) -> None:
    """Ask both caches the same questions."""
    random = np.random.default_rng(seed)
    for scene in scenes:
        for name in CURRENT_STATE if len(scene.states) == 1 else ('moved', 'appeared', 'event'):
            question = scene.draw(random, name, closed=False)
            if question is None:
                continue
            first, expected = greedy_answer(family, full, question.prompt)
            other, got = greedy_answer(family, capped, question.prompt)
            tally.asked += 1
            tally.differ += expected != got
            tally.divergence += divergence(first, other)


if __name__ == '__main__':
    main()
