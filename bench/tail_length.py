# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whether a tail of several frames is worth its rows: keyframes against newest frames.

An exact tail of K frames is, by definition, a cold prefill of the history's keyframes and the K
newest frames.  So `python -m bench.tail_length --model nano --model FOLDER ...` prefills just that
for n keyframes, one per second, and K frames at camera rate, and scores the same questions on each.
Writes docs/results/tail_length.json; `python -m bench.tail_length_page` puts its tables beside it.
Says nothing about refreshing such a tail in place.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from bench.scoring import score
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import (
    CHANGE_FAMILIES,
    CURRENT_STATE,
    PHRASES,
    ClipQuestion,
    Scene,
)
from vlmaxxing_ros.demo.tabletop_state import COLORS
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.families.base import Features
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.evaluation.arms.context import Context
from vlmaxxing_ros.evaluation.intervals import clustered, paired_difference
from vlmaxxing_ros.evaluation.tabletop import FIRST_SEED, PAUSES
from vlmaxxing_ros.training.packing import is_dull

RESULT = Path(__file__).parents[1] / 'docs' / 'results' / 'tail_length.json'
GRID = Grid(4, 4, 28)
RATES = (10, 5)
"""Frames per second: the demo's camera and the evaluation's."""

LENGTHS = (1, 2, 4)
CELLS = (*((n, 1) for n in range(8)), *((n, k) for n in range(5) for k in LENGTHS[1:]))
"""(keyframes, newest frames): at most 8 together, as the models were trained.  Every tail of
several frames has a partner of as many rows with a tail of one: (n + K - 1, 1)."""

DURATION = 16.0
FIRST = 8.0
"""Seconds of a stream, and from when on it is asked: seven keyframes are there by then."""

MOMENTS = 4
LEFT_OUT = {'present': 0.5, 'nothing': 0.75, 'over': 0.5}
"""Share of the plentiful questions that are not asked; kinds as of `AskedClip`."""

LATELY = tuple(2.0 + 0.5 * half for half in range(11))
"""Seconds back.  What changed lately is clear where all these windows agree: three to seven
keyframes then show it."""

KNOWN = {'nano': (*CURRENT_STATE, *CHANGE_FAMILIES)}
STAND_IN = ('where', 'colors', 'count', 'exists', 'direction')
"""What prototypes that learnt other wordings understand; asked at the first rate only."""

Truths = tuple[tuple[str, str], ...]
"""Of one question: kinds and true answers."""


@dataclass(frozen=True)
class AskedClip:
    """A question with the truth it is scored by.

    `kind` says what the truth is about. 'present': the newest frame. The others are changes, now
    (over the longest tail, which serves that tail best) and lately: 'nothing' (the same answer for
    both: no change), 'going on' (the same answer for both: a change), 'lately', 'now' (where they
    differ or only one is clear) and 'over' (nothing changes now; something did lately).
    """

    kind: str
    family: str
    text: str
    truth: str
    stream: int


def main() -> None:
    """Ask every model."""
    parser = argparse.ArgumentParser(prog='python -m bench.tail_length')
    parser.add_argument('--model', action='append', help='nano or a folder; repeat')
    parser.add_argument('--streams', type=int, default=240)
    parser.add_argument('--out', type=Path, default=RESULT)
    options = parser.parse_args()
    mx.set_default_device(mx.cpu)
    results: list[dict[str, Any]] = []
    for model in options.model or ['nano']:
        family = load_family(model)
        for fps in RATES if model in KNOWN else RATES[:1]:
            start = time.perf_counter()
            found = measure(family, fps, options.streams, KNOWN.get(model, STAND_IN))
            results.append({'model': Path(model).name, 'fps': fps, **found})
            print(model, fps, found['questions'], f'{time.perf_counter() - start:.0f} s')
            save(options.out, results, options.streams)


def save(path: Path, results: list[dict[str, Any]], streams: int) -> None:
    """Write what there is so far."""
    about = {
        'command': 'python -m bench.tail_length',
        'streams': streams,
        'moments_per_stream_at_most': MOMENTS,
        'seconds_between_keyframes': 1.0,
        'lately': LATELY,
        'results': results,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(about) + '\n')


def measure(family: Family, fps: int, streams: int, families: Sequence[str]) -> dict[str, Any]:
    """Score every question in every cell, at `fps` frames per second."""
    asked: list[AskedClip] = []
    right: dict[tuple[int, int], list[bool]] = {cell: [] for cell in CELLS}
    nats: dict[tuple[int, int], list[float]] = {cell: [] for cell in CELLS}
    rows: dict[tuple[int, int], int] = {}
    for stream in range(streams):
        world = Tabletop(
            seed=FIRST_SEED + stream,
            size=(GRID.height, GRID.width),
            duration=DURATION,
            pause=PAUSES[stream % len(PAUSES)],
        )
        shots = Shots(family, world, fps)
        rng = np.random.default_rng((stream, 0x7A11))
        for index in moments(rng, world, fps):
            questions = list(draw(rng, world, index, fps, families, stream))
            if not questions:
                continue
            asked += questions
            pairs = [tokens(family, question) for question in questions]
            for cell in CELLS:
                context = Context(family)
                context.append(*shots.take(frames_of(index, *cell, fps)))
                rows[cell] = context.fork().rows
                marks = list(judge(family, pairs, score(family, context.fork(), pairs)))
                right[cell] += [mark for mark, _ in marks]
                nats[cell] += [spent for _, spent in marks]
    return {
        'questions': len(asked),
        'cells': [
            {
                'keyframes': n,
                'tail': k,
                'rows': rows[n, k],
                'kinds': {
                    kind: compare(asked, kind, right, nats, (n, k))
                    for kind in dict.fromkeys(question.kind for question in asked)
                },
            }
            for n, k in CELLS
        ],
    }


class Shots:
    """A stream's frames and their features, each rendered and encoded once."""

    def __init__(self, family: Family, world: Tabletop, fps: int) -> None:
        self._family, self._world, self._fps = family, world, fps
        self._taken: dict[int, tuple[Frame, Features]] = {}

    def take(self, indices: list[int]) -> tuple[list[Frame], list[Features]]:
        """The frames with these numbers."""
        for index in indices:
            if index not in self._taken:
                stamp = index / self._fps
                frame = Frame(self._world.render(stamp), GRID, round((1 + stamp) * 1e9))
                self._taken[index] = frame, IncrementalEncoder(self._family).encode(frame).features
        frames, features = zip(*(self._taken[index] for index in indices), strict=True)
        return list(frames), list(features)


def frames_of(index: int, keyframes: int, tail: int, fps: int) -> list[int]:
    """Numbers of the frames in the window at frame `index`, oldest first.

    As a session has them: every full second's frame is a keyframe, and is history once it has
    left the tail.
    """
    oldest = index - tail + 1
    history = [frame for frame in range(oldest) if frame % fps == 0]
    return [*history[len(history) - keyframes :], *range(oldest, index + 1)]


def moments(rng: np.random.Generator, world: Tabletop, fps: int) -> list[int]:
    """Frames to ask about: one anywhere, others during an event or until 0.3 or 2.5 s after it."""
    last = round(DURATION * fps) - 1
    events = [event for event in world.events if event.start >= FIRST]
    chosen = {int(rng.integers(round(FIRST * fps), last + 1))}
    for place in rng.permutation(len(events))[: MOMENTS - 1]:
        event = events[place]
        stamp = rng.uniform(event.start, event.end + rng.choice((0.3, 2.5), p=(0.7, 0.3)))
        chosen.add(min(last, int(np.ceil(stamp * fps))))
    return sorted(chosen)


def draw(
    rng: np.random.Generator,
    world: Tabletop,
    index: int,
    fps: int,
    families: Sequence[str],
    stream: int,
) -> Iterator[AskedClip]:
    """One question per family about a frame, once per truth; none that is unclear."""
    now = world.state(index / fps)
    windows = ((LENGTHS[-1] - 1) / fps, *LATELY)
    over = [Scene([world.state(now.stamp - back), now]) for back in windows]
    for family in families:
        truths: dict[Truths, list[str]] = {}
        subjects = COLORS if family in ('moved', 'direction') else over[0].subjects(family)
        for about in subjects:
            answers = [scene.answer(family, about) for scene in over]
            found = kinds(family, answers[0], answers[1:])
            if found:
                truths.setdefault(found, []).append(about)
        if not truths:
            continue
        # Rarer answers are asked for more often.
        found = list(truths)[int(rng.integers(len(truths)))]
        if rng.random() < LEFT_OUT.get(found[0][0], 0.0):
            continue
        about = truths[found][int(rng.integers(len(truths[found])))]
        for kind, truth in found:
            yield AskedClip(kind, family, PHRASES[family][0].format(about), truth, stream)


def kinds(family: str, now: str | None, windows: list[str | None]) -> Truths:
    """Kinds and truths of a question, from its answers now and over LATELY."""
    lately = windows[0] if len(set(windows)) == 1 else None
    found: tuple[tuple[str, str | None], ...]
    if family in CURRENT_STATE:
        found = (('present', now),)
    elif now == lately:
        found = (('nothing' if nothing(family, now) else 'going on', now),)
    else:
        found = (('over' if nothing(family, now) else 'now', now), ('lately', lately))
    return tuple((kind, truth) for kind, truth in found if truth is not None)


def nothing(family: str, answer: str | None) -> bool:
    """Whether the answer to a question about change is that there was none."""
    return answer is not None and is_dull(ClipQuestion(family, '', answer))


def tokens(family: Family, question: AskedClip) -> tuple[list[int], list[int]]:
    """Ids of the question, and of its true answer with an end."""
    text = family.text
    answer = [*text.plain_ids(question.truth), min(text.end_ids)]
    return text.question_ids(question.text, ()), answer


def judge(
    family: Family, pairs: list[tuple[list[int], list[int]]], scores: list[np.ndarray]
) -> Iterator[tuple[bool, float]]:
    """Whether greedy decoding gives exactly the true answer, and its surprise in nats."""
    ends = sorted(family.text.end_ids)
    for (_, truth), logits in zip(pairs, scores, strict=True):
        best = logits.argmax(axis=-1)
        whole = bool((best[:-1] == truth[:-1]).all()) and int(best[-1]) in ends
        spent = logits[np.arange(len(truth) - 1), truth[:-1]].sum()
        yield whole, -float(spent + np.logaddexp.reduce(logits[-1, ends]))


def compare(
    asked: list[AskedClip],
    kind: str,
    right: dict[tuple[int, int], list[bool]],
    nats: dict[tuple[int, int], list[float]],
    cell: tuple[int, int],
) -> dict[str, Any]:
    """One cell on one kind: accuracy, by family, and against tails of one frame."""
    n, k = cell
    chosen = [place for place, question in enumerate(asked) if question.kind == kind]
    streams = [asked[place].stream for place in chosen]

    def of(values: dict[tuple[int, int], list[Any]], cell: tuple[int, int]) -> np.ndarray:
        return np.array(values[cell])[chosen]

    families: dict[str, dict[str, int]] = {}
    for place in chosen:
        tally = families.setdefault(asked[place].family, {'questions': 0, 'right': 0})
        tally['questions'] += 1
        tally['right'] += right[cell][place]
    found: dict[str, Any] = {
        'questions': len(chosen),
        'right': int(of(right, cell).sum()),
        'nats': round(float(of(nats, cell).mean()), 4),
        'families': dict(sorted(families.items())),
    }
    if k > 1:
        for name, other in (('same_keyframes', (n, 1)), ('same_rows', (n + k - 1, 1))):
            found[name] = asdict(paired(of(right, cell), of(right, other), streams))
    return found


@dataclass(frozen=True)
class Paired:
    """A difference in accuracy, with Newcombe's interval and one by bootstrap over streams.

    The latter is empty where there are too few streams.
    """

    gained: int
    lost: int
    difference: float
    interval: tuple[float, ...]
    interval_by_stream: tuple[float, ...]


def paired(ours: np.ndarray, other: np.ndarray, streams: list[int]) -> Paired:
    """Compare marks (bool [questions]) on the same questions."""
    gained, lost = int((ours & ~other).sum()), int((other & ~ours).sum())
    both = int((ours & other).sum())
    step = ours.astype(int) - other
    count = np.bincount(streams)
    spread = paired_difference(both, gained, lost, len(ours) - both - gained - lost)
    by_stream = clustered(np.bincount(streams, weights=step).tolist(), count.tolist())
    return Paired(
        gained, lost, rounded(step.mean())[0], rounded(*spread), rounded(*by_stream or ())
    )


def rounded(*shares: float) -> tuple[float, ...]:
    """To a hundredth of a percentage point."""
    return tuple(round(float(share), 4) for share in shares)


if __name__ == '__main__':
    main()
