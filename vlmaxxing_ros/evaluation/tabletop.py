# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The tabletop streams behind docs/results/tabletop.md, with their questions.

`python -m vlmaxxing_ros.evaluation.tabletop --out DIR` writes `DIR/NN` (rosbag2) and
`DIR/NN.questions.yaml`, with `--hard` tables that are hard to see, on which the nano model errs and
losses can show.  It has not seen these tables: its training's seeds stay below 2^41.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from vlmaxxing_ros.demo.hard import HardTabletop
from vlmaxxing_ros.demo.recordings import (
    ScriptedQuestion,
    timed_questions,
    write_questions,
    write_recording,
)
from vlmaxxing_ros.demo.tabletop import Tabletop

FIRST_SEED = 2**52
FIRST_HARD_SEED = 2**56
"""How hard was tuned on seeds from 2^53 + 5000 on: none of them is asked about."""

PAUSES = (0.9, 2.0)
"""Seconds between two events: every second stream is calmer."""


def write_streams(
    out: Path, streams: int, *, duration: float = 10.0, fps: float = 5.0, hard: bool = False
) -> int:
    """Write that many streams of 112x112 pixels; returns the number of questions.

    A stream that is there is kept: the same call would write the same.
    """
    out.mkdir(parents=True, exist_ok=True)
    questions, seed = 0, FIRST_HARD_SEED if hard else FIRST_SEED
    kind = HardTabletop if hard else Tabletop
    for number in range(streams):
        asked: list[ScriptedQuestion] = []
        while not asked:  # on some tables nothing happens
            world = kind(
                seed=seed,
                size=(112, 112),
                duration=duration,
                pause=PAUSES[number % len(PAUSES)],
            )
            seed += 1
            asked = timed_questions(world, fps=fps, seed=number)
        folder = out / f'{number:02d}'
        if not (folder / 'metadata.yaml').exists():
            write_recording(folder, world, fps=fps)
        write_questions(out / f'{number:02d}.questions.yaml', asked)
        questions += len(asked)
    return questions


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description='Write tabletop streams to evaluate on.')
    parser.add_argument('--out', type=Path, required=True, help='folder to write into')
    parser.add_argument('--streams', type=int, default=60, help='how many')
    parser.add_argument('--hard', action='store_true', help='tables that are hard to see')
    args = parser.parse_args()
    questions = write_streams(args.out, args.streams, hard=args.hard)
    print(f'{args.streams} streams with {questions} questions in {args.out}')


if __name__ == '__main__':
    main()
