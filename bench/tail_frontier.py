# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Rows recomputed against drift: which rows a refreshed tail must recompute besides the fresh.

`python -m bench.tail_frontier --model nano --model FOLDER ...` streams rendered clips through
planner, tail and cache, rule by rule, asks about the last frame (or more of them: `--every`), and
compares every answer with the one on the same frame prefilled whole: answers that differ, and the
Kullback-Leibler divergence along the dense answer, which tells rules apart on far fewer clips.
Writes docs/results/tail_frontier.json; `python -m bench.tail_frontier_page` draws the figure and
writes the table from it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from bench.greedy import divergence
from bench.scoring import answer, margins, score
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_camera import QUIET
from vlmaxxing_ros.demo.tabletop_questions import PHRASES, Scene
from vlmaxxing_ros.demo.tabletop_state import COLORS, State
from vlmaxxing_ros.engine.cache.fork import Fork
from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.plan import Verdict
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.steps import finish
from vlmaxxing_ros.engine.stream.staleness import LIMIT, WHOLE_FROM, RefreshRule
from vlmaxxing_ros.engine.stream.tail import Tail

RESULTS = Path(__file__).parents[1] / 'docs' / 'results'
NEVER = 100_000
FRAMES = 8
SURE = 1.0
"""Nats between an answer's token and the runner-up from which dense counts as sure of it."""

MOMENT = 1e-6
"""Seconds: the scene is the same, the noise another."""


@dataclass(frozen=True)
class FrontierStream:
    """How clips are rendered: seconds between frames and between events, pixels of shake."""

    name: str
    period: float
    pause: float
    jitter: float = 0.0


STREAMS = (
    FrontierStream('5 %', 0.2, 1.0),
    FrontierStream('10 %', 0.4, 1.0),
    FrontierStream('20 %', 0.6, 0.4),
    FrontierStream('40 %', 1.5, 0.05),
    FrontierStream('shaken', 0.2, 2.0, jitter=1.0),
)


@dataclass(frozen=True)
class Rule:
    """Which rows are recomputed.

    Attributes:
        name: for people.
        turns: frames in which every block is recomputed once, in turn.
        limit: staleness beyond which a row is recomputed; inf: fresh blocks only.
        exact: prefill all rows from the features in use, so that only old pixels differ.
        whole_from: share of active windows from which all are encoded.
        resampled: show another sample of the camera's noise at the same instant, whole: what the
            comparison itself cannot resolve.
    """

    name: str
    turns: int = NEVER
    limit: float = math.inf
    exact: bool = False
    whole_from: float = math.inf
    resampled: bool = False


RULES = (
    Rule('another sample of the noise, dense', resampled=True),
    Rule('fresh and closing row'),
    Rule('fresh, exact K/V over old pixels', exact=True),
    Rule('1/4 in turn', 4),
    Rule('1/2 in turn', 2),
    Rule(f'stale above {LIMIT:g}', NEVER, LIMIT),
    Rule(f'stale above {LIMIT:g}, 1/16 in turn', 16, LIMIT),
    Rule('stale above 0.1, 1/16 in turn, whole from half', 16, 0.1, whole_from=WHOLE_FROM),
    Rule(f'stale above {LIMIT:g}, 1/16 in turn, whole from half', 16, LIMIT, whole_from=WHOLE_FROM),
    Rule(f'stale above {LIMIT:g}, 1/8 in turn, whole from half', 8, LIMIT, whole_from=WHOLE_FROM),
)


@dataclass(frozen=True)
class AskedStream:
    """A question about one frame and what the model answers on that frame dense.

    Attributes:
        ids: the question, as it stands behind the frame.
        answer: token ids, the end included.
        logits: float32 [answer, vocabulary], log-probabilities.
    """

    ids: list[int]
    answer: list[int]
    logits: np.ndarray


def main() -> None:
    """Run every rule on every stream and model."""
    parser = argparse.ArgumentParser(prog='python -m bench.tail_frontier')
    parser.add_argument('--model', action='append', help='nano or a folder; repeat')
    parser.add_argument('--clips', type=int, default=60)
    parser.add_argument(
        '--every', type=int, default=FRAMES - 1, help='frames from one question to the next'
    )
    parser.add_argument('--rows', type=int, default=4, help='blocks from top to bottom')
    parser.add_argument('--cols', type=int, default=4, help='blocks from left to right')
    parser.add_argument('--rule', action='append', help='only the rules with this name; repeat')
    parser.add_argument('--out', type=Path, default=RESULTS / 'tail_frontier.json')
    options = parser.parse_args()
    mx.set_default_device(mx.cpu)
    grid = Grid(options.rows, options.cols, 28)
    rules = [r for r in RULES if not options.rule or r.name in options.rule]
    results: list[dict[str, Any]] = []
    models = options.model or ['nano']
    for model in models:
        family = load_family(model)
        for stream in STREAMS:
            clips = list(render(stream, grid, options.clips))
            again = [frames for _, frames in render(stream, grid, options.clips, MOMENT)]
            asked = [ask_dense(family, *clip, every=options.every) for clip in clips]
            for rule in rules:
                start = time.perf_counter()
                shown = again if rule.resampled else [frames for _, frames in clips]
                row = measure(family, rule, shown, asked)
                row |= {'model': Path(model).name, 'stream': stream.name, 'rule': rule.name}
                results.append(row)
                print(json.dumps(row), f'{time.perf_counter() - start:.0f} s', flush=True)
                save(options.out, results, options, grid)


def save(
    path: Path, results: list[dict[str, Any]], options: argparse.Namespace, grid: Grid
) -> None:
    """Write what there is so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        'command': 'python -m bench.tail_frontier',
        'clips': options.clips,
        'frames': FRAMES,
        'every': options.every,
        'blocks': [grid.rows, grid.cols],
        'cores': os.cpu_count(),
        'results': results,
    }
    path.write_text(json.dumps(about, indent=1) + '\n')


def render(
    stream: FrontierStream, grid: Grid, clips: int, later: float = 0.0
) -> Iterator[tuple[list[State], list[Frame]]]:
    """Clips of 8 frames with their truth; noise of sigma 0 to 8, no two cameras alike.

    `later`, in seconds, is added to every stamp.
    """
    for clip in range(clips):
        world = Tabletop(
            seed=70_000 + clip,
            size=(grid.height, grid.width),
            pause=stream.pause,
            duration=FRAMES * stream.period + later,
            camera=replace(QUIET, noise=float(clip % 9), jitter=stream.jitter),
        )
        stamps = [index * stream.period + later for index in range(FRAMES)]
        frames = [Frame(world.render(stamp), grid, round((1 + stamp) * 1e9)) for stamp in stamps]
        yield [world.state(stamp) for stamp in stamps], frames


def ask_dense(
    family: Family, states: list[State], frames: list[Frame], *, every: int
) -> list[list[AskedStream]]:
    """For every frame but the first, questions about it and the answers on it, whole.

    None about frames in between two of those that are asked about.
    """
    tail, cache = Tail(family), RollingCache(family)
    asked: list[list[AskedStream]] = []
    for index, (state, frame) in enumerate(zip(states[1:], frames[1:], strict=True), start=1):
        if index % every:
            asked.append([])
            continue
        finish(tail.replacing(cache, frame))
        questions = [family.text.question_ids(text, ()) for text in texts(state)]
        answers = [answer(family, cache.fork(), ids) for ids in questions]
        pairs = list(zip(questions, answers, strict=True))
        scores = score(family, cache.fork(), pairs)
        asked.append([AskedStream(q, a, s) for (q, a), s in zip(pairs, scores, strict=True)])
    return asked


def texts(state: State) -> list[str]:
    """Questions about the present that all checkpoints understand and that have one true answer."""
    scene = Scene([state])
    clear = [color for color in sorted(state.blocks) if scene.answer('where', color) is not None]
    there = [color for color in COLORS if color in state.blocks]
    gone = [color for color in COLORS if color not in state.blocks]
    rng = np.random.default_rng(round(state.stamp * 1e3))
    where = PHRASES['where'][0]
    exists = PHRASES['exists'][0]
    return [
        *(where.format(color) for color in rng.permutation(clear)[:3]),
        *(exists.format(rng.choice(colors)) for colors in (there, gone) if colors),
    ]


def measure(
    family: Family, rule: Rule, clips: list[list[Frame]], asked: list[list[list[AskedStream]]]
) -> dict[str, Any]:
    """Stream the clips under a rule: what it costs, as shares of dense, and the drift."""
    costs: list[tuple[float, float, float]] = []
    differ: list[bool] = []
    sure: list[bool] = []
    diverged: list[float] = []
    for frames, questions in zip(clips, asked, strict=True):
        replayed = replay(family, rule, frames, [bool(about) for about in questions])
        for (fork, cost), about in zip(replayed, questions, strict=True):
            costs.append(cost)
            if fork is None:
                continue
            found = score(family, fork, [(ask.ids, ask.answer) for ask in about])
            for ask, ours in zip(about, found, strict=True):
                dense = ask.logits
                other = ours.argmax(axis=-1) != ask.answer
                differ.append(bool(other.any()))
                sure.append(bool((other & (margins(dense) >= SURE)).any()))
                diverged.append(divergence(dense, ours))
    novel, rows, windows = np.mean(costs, axis=0).tolist()
    return {
        'novel': novel,
        'rows': rows,
        'windows': windows,
        'answers': len(differ),
        'differ': int(np.sum(differ)),
        'differ_though_sure': int(np.sum(sure)),
        'divergence': float(np.mean(diverged)),
    }


def replay(
    family: Family, rule: Rule, frames: list[Frame], asked: list[bool]
) -> Iterator[tuple[Fork | None, tuple[float, float, float]]]:
    """For every frame but the first, the shares (novel, rows, windows) and, if asked, a fork."""
    planner = Planner(EngineConfig(max_age=1e9))
    tail = Tail(family, RefreshRule(limit=rule.limit, whole_from=rule.whole_from))
    cache = RollingCache(family)
    planner.admit(planner.plan(planner.look(frames[0])))
    whole = finish(tail.replacing(cache, frames[0]))
    for frame, about in zip(frames[1:], asked, strict=True):
        plan = planner.plan(planner.look(frame))
        if plan.whole or rule.resampled:
            work = finish(tail.replacing(cache, frame))
        else:
            work = finish(tail.refreshing(cache, frame, plan.fresh, catch_up=about))
        planner.admit(plan, np.ones_like(plan.fresh) if rule.resampled else plan.fresh)
        rows = work.rows
        if about and not plan.fresh.any():
            rows += finish(tail.catching_up(cache)).rows
        shown = cache
        if rule.exact and about:
            assert cache.ledger.tail is not None
            assert cache.ledger.tail.shown is not None
            shown = RollingCache(family)
            shown.append(Kind.TAIL, frame, cache.ledger.tail.shown)
        novel = float((plan.verdicts == Verdict.NOVEL).mean())
        windows = work.windows_computed / whole.windows_computed
        yield shown.fork() if about else None, (novel, rows / whole.rows, windows)


if __name__ == '__main__':
    main()
