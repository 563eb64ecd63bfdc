# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Standing questions against polling: what is missed, what is false, how late, at which price.

`python -m bench.watches` plays tabletop streams and the development recordings of the streaming
corpus at 10 Hz, in simulated time (see `evaluation.standing`): the node's own watch, and the
newest frame asked about cold 1, 2 and 10 times a second.  Rows and windows are counted.  What a
cold frame is answered is found out once, whoever polls it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.watches_page import update
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import PHRASES, Scene
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame, fit_grid
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.evaluation.arms.base import answer_from
from vlmaxxing_ros.evaluation.arms.context import Context
from vlmaxxing_ros.evaluation.metering import metered
from vlmaxxing_ros.evaluation.missed import Judgement, judge, spans
from vlmaxxing_ros.evaluation.standing import Cold, Poll, StandingArm
from vlmaxxing_ros.evaluation.streaming.corpus import SETS, SLOTS, VIDEOS, WORLDS
from vlmaxxing_ros.evaluation.streaming.events import FPS
from vlmaxxing_ros.ros.settings import NodeConfig
from vlmaxxing_ros.ros.watch_settings import WatchConfig

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / 'docs' / 'results' / 'watches.json'
FIRST_SEED = 8_000_000  # no other measurement and no training draws these
RATES = (1.0, 2.0, 10.0)
SLOW, FAST = 200.0, 2000.0
"""Rows per second: a 7B model on a laptop, a small one on a GPU."""

WATCHES: tuple[tuple[float, str, dict[str, Any]], ...] = (
    (SLOW, 'watch', {}),
    (SLOW, 'watch, `watch_duty` 1', {'watch_duty': 1.0}),
    (FAST, 'watch', {}),
)
"""Speed and name of an arm, and what differs from the node's defaults."""

ABOUT = {
    'move': 'where',
    'cross': 'where',
    'appear': 'exists',
    'disappear': 'exists',
    'visit': 'exists',
    'enter': 'exists',
    'leave': 'exists',
    'open': 'gripper',
    'close': 'gripper',
}
"""Kind of an event to the family of the question whose answer it changes."""

MOST_CHOICES = 4
"""The model was trained on no more."""


@dataclass
class StandingQuestion:
    """A standing question about a world, and when its answer was what."""

    config: WatchConfig
    truths: list[tuple[float, str | None]]


@dataclass
class Sum:
    """What an arm did on all streams of a kind, and what it cost."""

    tally: Judgement = field(default_factory=Judgement)
    seconds: float = 0.0
    asked: int = 0
    rows: int = 0
    windows: int = 0


def standing_questions(world: Any, most: int) -> Iterator[StandingQuestion]:
    """Up to `most` questions whose answers change while the world is filmed."""
    clear: Callable[[float], bool] = getattr(world, 'clear', lambda _: True)
    moments = [index / FPS for index in range(round(world.duration * FPS))]
    subjects = dict.fromkeys((ABOUT.get(e.kind, ''), e.color) for e in world.events)
    for family, about in subjects:
        if not family or most == 0:
            continue
        truths = [
            (at, Scene([world.state(at)]).answer(family, about) if clear(at) else None)
            for at in moments
        ]
        choices = list(dict.fromkeys(value for _, value in truths if value is not None))
        if not 2 <= len(choices) <= MOST_CHOICES:
            continue
        most -= 1
        text = PHRASES[family][0].format(about)
        yield StandingQuestion(WatchConfig(question=text, choices=tuple(choices)), truths)


def film(world: Any) -> list[Frame]:
    """Its frames at 10 Hz; stamps are of the world, in ns."""
    grid = fit_grid(*world.size, block=28, max_blocks=EngineConfig().max_blocks)
    return [
        Frame.from_image(shot.image, grid, stamp=round(shot.stamp * 1e9))
        for shot in world.stream(FPS)
    ]


class ColdAnswers:
    """What the model says of single frames, cold; each frame once."""

    def __init__(self, family: Family, question: Question) -> None:
        self._family, self._work = metered(family)
        self._question = question
        self._known: dict[int, tuple[str, tuple[float, ...], int, int, int]] = {}

    def cost(self, frame: Frame) -> tuple[int, int]:
        """Rows and windows of a frame's answer."""
        return self._look(frame)[2:4]

    def at_speed(self, speed: float) -> Callable[[Frame], Cold]:
        """The same for a model of so many rows per second."""

        def answer(frame: Frame) -> Cold:
            text, probabilities, rows, _, blocks = self._look(frame)
            return Cold(text, probabilities, (rows + blocks) / speed)

        return answer

    def _look(self, frame: Frame) -> tuple[str, tuple[float, ...], int, int, int]:
        if frame.stamp not in self._known:
            before, family = self._work.copy(), self._family
            context = Context(family)
            context.append([frame], [IncrementalEncoder(family).encode(frame).features])
            said = answer_from(family, context.fork(), [frame], self._question, EngineConfig())
            done = self._work.since(before)
            rows = done.image_rows + done.text_rows
            self._known[frame.stamp] = (
                said.answer,
                said.choice_probabilities,
                rows,
                done.windows,
                frame.grid.blocks,
            )
        return self._known[frame.stamp]


def watched(
    family: Family,
    frames: list[Frame],
    asked: StandingQuestion,
    speed: float,
    settings: dict[str, Any],
) -> Sum:
    """The node's watch on one stream."""
    counted, work = metered(family)
    arm = StandingArm(counted, EngineConfig(), NodeConfig(**settings), asked.config, speed)
    arm.play(frames)
    found = judge(spans(asked.truths), arm.told)
    rows = work.image_rows + work.text_rows
    return Sum(found, len(frames) / FPS, arm.asked, rows, work.windows)


def polled(
    cold: ColdAnswers, frames: list[Frame], asked: StandingQuestion, speed: float, rate: float
) -> Sum:
    """A poll of one stream."""
    poll, answer = Poll(asked.config, rate), cold.at_speed(speed)
    rows = windows = 0

    def counted(frame: Frame) -> Cold:
        nonlocal rows, windows
        more, through = cold.cost(frame)
        rows, windows = rows + more, windows + through
        return answer(frame)

    poll.play(frames, counted)
    found = judge(spans(asked.truths), poll.told)
    return Sum(found, len(frames) / FPS, poll.asked, rows, windows)


def worlds(streams: int, videos: int) -> Iterator[tuple[str, Any]]:
    """Kind and world of everything that is filmed, the kinds in turn."""
    for number in range(max(streams, videos)):
        if number < streams:
            pause = (0.9, 2.0)[number % 2]
            yield 'tabletop', Tabletop(seed=FIRST_SEED + number, duration=20.0, pause=pause)
        for place, (name, world) in enumerate(WORLDS.items()):
            if number < videos:
                seed = SETS['development'] + 1000 * place + number
                yield f'events: {name}', world(seed=seed, slots=SLOTS)


class Sums:
    """What every arm did, by kind of stream and speed."""

    def __init__(self) -> None:
        self._sums: dict[tuple[float, str, str], Sum] = {}
        self._asked: dict[str, list[str]] = {}

    def ask(self, kind: str, name: str, question: str) -> None:
        """Note what is asked."""
        self._asked.setdefault(kind, []).append(f'{name}: {question}')

    def add(self, speed: float, kind: str, arm: str, found: Sum) -> None:
        """Add what an arm did on one stream."""
        total = self._sums.setdefault((speed, kind, arm), Sum())
        total.tally.add(found.tally)
        total.seconds += found.seconds
        total.asked += found.asked
        total.rows += found.rows
        total.windows += found.windows

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        rows = [
            {'speed': speed, 'kind': kind, 'arm': arm, **asdict(total)}
            for (speed, kind, arm), total in sorted(self._sums.items(), key=lambda it: it[0][:2])
        ]
        return {'asked': self._asked, 'rows': rows}


def measure(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every arm on every stream; yields the results after each question."""
    family, results = load_family('nano'), Sums()
    for kind, world in worlds(args.streams, args.videos):
        frames = film(world)
        for asked in standing_questions(world, args.questions):
            results.ask(kind, str(world.seed), asked.config.question)
            cold = ColdAnswers(family, Question(**asked.config.asked))
            for speed, arm, settings in WATCHES:
                results.add(speed, kind, arm, watched(family, frames, asked, speed, settings))
            for speed in (SLOW, FAST):
                for rate in RATES:
                    found = polled(cold, frames, asked, speed, rate)
                    results.add(speed, kind, f'dense at {rate:g} Hz', found)
            print(f'{kind}: {asked.config.question} {asked.config.choices}', flush=True)
            yield results.as_json()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--streams', type=int, default=12, help='of the tabletop')
    parser.add_argument('--videos', type=int, default=VIDEOS, help='of each family of events')
    parser.add_argument('--questions', type=int, default=2, help='per stream at most')
    parser.add_argument('--out', type=Path, default=RESULT)
    args = parser.parse_args()
    for results in measure(args):
        args.out.write_text(json.dumps(results, indent=1) + '\n')
        if args.out == RESULT:
            update(results)


if __name__ == '__main__':
    main()
