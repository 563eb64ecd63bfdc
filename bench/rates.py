# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What looking costs by how often somebody asks, against four dense frames per question.

`python -m bench.rates` replays tabletop streams and the clips of ../shared/footage at 10 Hz with
questions at fixed rates, in simulated time (see `evaluation.arms.live`), and counts rows through
the language model and windows of the vision tower.  Accuracy on the tabletop comes with it, less
that of the dense frames, with an interval over whole streams.
`--only` takes names of clips without their suffix, and `tabletop`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from bench.live_camera import frames_of
from vlmaxxing_ros.demo.recordings import truth
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import (
    CHANGE_FAMILIES,
    CURRENT_STATE,
    PHRASES,
    Scene,
)
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame, fit_grid
from vlmaxxing_ros.evaluation.arms.base import Arm
from vlmaxxing_ros.evaluation.arms.registry import make_arm
from vlmaxxing_ros.evaluation.intervals import clustered
from vlmaxxing_ros.evaluation.metering import Work, metered

ROOT = Path(__file__).resolve().parents[1]
FOOTAGE = ROOT.parent / 'shared' / 'footage'
RESULT = ROOT / 'docs' / 'results' / 'rates.json'
RATES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
ARMS = ('auto', 'eager', 'lazy', 'dense_last4')
FPS = 10.0
# Change is asked about only where every moment so long ago (s) gives one answer: four dense frames
# show the last three seconds, a history reaches back four to eight.
AGO = (2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0)
SECONDS = 30.0  # of a tabletop stream
QUESTIONS = 10  # about a clip at least
FIRST_SEED = 7_000_000  # no other measurement and no training draws these


@dataclass
class Cost:
    """What one arm did; `simulated` is the seconds to all its first tokens together."""

    seconds: float = 0.0
    questions: int = 0
    rows: int = 0
    windows: int = 0
    right: int = 0
    judged: int = 0
    simulated: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        """Both together."""
        sums = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return Cost(**sums)


def run(
    family: Family,
    arm_name: str,
    frames: list[Frame],
    rate: float,
    speed: float,
    world: Tabletop | None,
) -> Cost:
    """Replay frames; ask at a rate, a little after a frame has come."""
    counted, work = metered(family)
    arm: Arm = make_arm(arm_name, counted, EngineConfig(), {}, speed)
    rng = np.random.default_rng(world.seed if world else 0)
    period, due, right, judged, asked, simulated = 1.0 / rate, 1.0 / rate, 0, 0, 0, 0.0
    first = frames[0].stamp
    before: Work = work.copy()
    for frame in frames:
        arm.admit(frame)
        elapsed = (frame.stamp - first) * 1e-9
        while due <= elapsed + 1e-6:
            due += period
            asked += 1
            text, answer = _question(world, elapsed, rng)
            reply = arm.ask(str(asked), Question(text=text, max_tokens=16))
            simulated += reply.simulated
            judged += answer is not None
            right += answer is not None and reply.answer == answer
    done = work.since(before)
    rows = done.image_rows + done.text_rows
    seconds = len(frames) / FPS
    return Cost(seconds, asked, rows, done.windows, right, judged, simulated)


def _question(
    world: Tabletop | None, elapsed: float, rng: np.random.Generator
) -> tuple[str, str | None]:
    """A question about the table with its answer; on other footage there is none."""
    if world is None:
        return 'describe what you see', None
    asked = CHANGE_FAMILIES if rng.random() < 0.5 else CURRENT_STATE
    for family in (*rng.permutation(asked), *CURRENT_STATE):
        subjects = Scene([world.state(elapsed)]).subjects(family)
        about = str(rng.choice(subjects)) if subjects else ''
        answer = truth(world, elapsed, family, about, AGO)
        if answer is not None:
            return str(rng.choice(PHRASES[family])).format(about), answer
    raise AssertionError('how many blocks there are is always clear')


def main() -> None:
    """Command line."""
    clips = {path.stem: path for path in sorted([*FOOTAGE.glob('*.mp4'), *FOOTAGE.glob('*.avi')])}
    streams = (*clips, 'tabletop')
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--speed', type=float, default=200.0, help='rows per second')
    parser.add_argument('--seconds', type=float, default=40.0, help='of each clip at least')
    parser.add_argument('--streams', type=int, default=12, help='of the tabletop')
    parser.add_argument('--blocks', type=int, default=96, help='per frame of footage at most')
    parser.add_argument('--rates', type=float, nargs='+', default=RATES)
    parser.add_argument('--arms', nargs='+', default=ARMS)
    parser.add_argument('--only', nargs='+', choices=streams, default=streams, metavar='STREAM')
    parser.add_argument('--out', type=Path, default=RESULT)
    args = parser.parse_args()
    family = load_family('nano')
    rows = []
    for name, path in clips.items():
        if name not in args.only:
            continue
        for rate in args.rates:
            frames = list(frames_of(path, FPS, args.blocks, max(args.seconds, QUESTIONS / rate)))
            costs = {a: run(family, a, frames, rate, args.speed, None) for a in args.arms}
            rows.append(_row(name, rate, costs))
    if 'tabletop' in args.only:
        rows += _tabletop(family, args)
    args.out.write_text(json.dumps({'speed': args.speed, 'rows': rows}, indent=1) + '\n')


def _tabletop(family: Family, args: argparse.Namespace) -> list[dict[str, object]]:
    worlds = [
        Tabletop(seed=FIRST_SEED + n, size=(112, 112), duration=SECONDS, pause=(0.9, 2.0)[n % 2])
        for n in range(args.streams)
    ]
    filmed = [(world, _film(world)) for world in worlds]
    rows = []
    for rate in args.rates:
        per_stream = {
            arm: [run(family, arm, frames, rate, args.speed, world) for world, frames in filmed]
            for arm in args.arms
        }
        costs = {arm: sum(c, Cost()) for arm, c in per_stream.items()}
        less = {arm: _less(found, per_stream['dense_last4']) for arm, found in per_stream.items()}
        rows.append(_row('tabletop', rate, costs) | {'right_less_dense': less})
    return rows


def _film(world: Tabletop) -> list[Frame]:
    grid = fit_grid(112, 112, block=28, max_blocks=16)
    return [
        Frame(world.render(i / FPS), grid, round((i + 1) / FPS * 1e9))
        for i in range(round(world.duration * FPS))
    ]


def _less(ours: list[Cost], dense: list[Cost]) -> tuple[float, float] | None:
    """95 % interval of the share that is right, less dense's; None: too few streams for one."""
    more = [a.right - b.right for a, b in zip(ours, dense, strict=True)]
    return clustered(more, [cost.judged for cost in dense])


def _row(name: str, rate: float, costs: dict[str, Cost]) -> dict[str, object]:
    row: dict[str, object] = {'stream': name, 'rate': rate}
    row |= {arm: vars(cost) for arm, cost in costs.items()}
    if not any(cost.questions for cost in costs.values()):
        print(f'{name} at {rate:g} per s: too short for a question', flush=True)
        return row
    dense = costs.get('dense_last4')
    shown = [
        f'{arm}: rows {c.rows / dense.rows:.2f} windows {c.windows / dense.windows:.2f}'
        + (f' right {c.right}/{c.judged}' if c.judged else '')
        for arm, c in costs.items()
        if dense
    ]
    print(f'{name} at {rate:g} per s: {"; ".join(shown)}', flush=True)
    return row


if __name__ == '__main__':
    main()
