# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Long sessions with prompts that vary: whether an arm drifts from cold dense.

`python -m vlmaxxing_ros.evaluation.dialogue RECORDING ... --out DIR` asks fifty questions along
each recording, once as they are and once *anchored*: with cold dense's previous answer in their
text, so that prompts keep changing (after the authors' note of 2026-05-01 on diverse
prompts).  Every turn is asked of the arm and, on the frames that the arm's window holds, of cold
dense, with one and the same prompt.  Needs no truth.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.families.loading import load_family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.evaluation.arms import Reply, make_arm
from vlmaxxing_ros.evaluation.arms.cold import cold_reply
from vlmaxxing_ros.evaluation.first_token import divergence, witnessed
from vlmaxxing_ros.evaluation.grid_frames import grid_frames
from vlmaxxing_ros.evaluation.intervals import wilson
from vlmaxxing_ros.evaluation.markdown import table_lines
from vlmaxxing_ros.evaluation.recordings import read_images
from vlmaxxing_ros.evaluation.report import plain
from vlmaxxing_ros.evaluation.table import Table
from vlmaxxing_ros.evaluation.text import is_degenerate, normalised

ARMS = ('auto', 'exact')
TURNS = 50
HORIZONS = (1, 10, 20, 50)

QUESTIONS = (
    'Describe what you see.',
    'How many blocks are there?',
    'Is anything moving?',
    'What colors are the blocks?',
    'Is the gripper open or closed?',
    'Which block moves?',
    'Where is the red block?',
    'How does each block move?',
    'Where is the blue block now?',
    'Did a block appear or disappear?',
    'Which block appeared?',
)
"""Eleven of the nano model's wordings: fifty turns do not fall into step with anything."""


@dataclass(frozen=True)
class DialogueTurn:
    """One prompt, and what the arm and cold dense made of it.

    Attributes:
        divergence: of the first answer token from cold dense's, in nats.
        exact: whether the arm calls its cache exact.
    """

    number: int
    prompt: str
    answer: str
    dense: str
    divergence: float
    exact: bool
    degenerate: bool

    @property
    def differs(self) -> bool:
        """Whether the answers are different texts."""
        return normalised(self.answer) != normalised(self.dense)


def anchored_prompt(question: str, previous: str) -> str:
    """The question with the previous answer before it."""
    return f'The answer before was: {previous}.\n{question}' if previous else question


def session(
    name: str,
    frames: Sequence[Frame],
    family: Family,
    config: EngineConfig,
    *,
    anchored: bool,
    turns: int = TURNS,
) -> Iterator[DialogueTurn]:
    """A session along the frames: turn k comes after the share (k + 1) / turns of them.

    Args:
        name: an arm that says which frames it held: `auto`, `refresh` or `exact`.
        anchored: whether prompts carry cold dense's previous answer.
    """
    shown, witness = witnessed(family)
    arm = make_arm(name, shown, config, {})
    by_stamp: dict[int, Frame] = {}
    previous, number = '', 0
    for count, frame in enumerate(frames, 1):
        arm.admit(frame)
        by_stamp[frame.stamp] = frame
        while number < turns and count * turns >= (number + 1) * len(frames):
            text = QUESTIONS[number % len(QUESTIONS)]
            question = Question(text=anchored_prompt(text, previous) if anchored else text)
            witness.wait()
            ours: Reply = arm.ask(f'turn{number}', question)
            our_first = witness.packed()
            window = [by_stamp[stamp] for stamp in ours.window]
            witness.wait()
            dense = cold_reply(shown, config, window, question)
            yield DialogueTurn(
                number=number,
                prompt=question.text,
                answer=ours.answer,
                dense=dense.answer,
                divergence=divergence(witness.packed(), our_first),
                exact=ours.exact,
                degenerate=is_degenerate(ours.answer, ours.token_ids, ours.finish_reason),
            )
            previous, number = dense.answer, number + 1


def figures(sessions: Sequence[Sequence[DialogueTurn]]) -> dict[str, Any]:
    """Drift over the first turns of every session, by horizon."""
    report: dict[str, Any] = {}
    for horizon in HORIZONS:
        turns = [turn for one in sessions for turn in one if turn.number < horizon]
        drifted = sum(turn.differs for turn in turns)
        report[str(horizon)] = {
            'turns': len(turns),
            'prompts': len({turn.prompt for turn in turns}),
            'drifted': drifted,
            'interval': wilson(drifted, len(turns)),
            'not_exact': sum(not turn.exact for turn in turns),
            'degenerate': sum(turn.degenerate for turn in turns),
            'divergence_mean': float(np.mean([turn.divergence for turn in turns])),
            'divergence_max': max(turn.divergence for turn in turns),
        }
    return report


def table(report: dict[str, Any]) -> Table:
    """Drift by prompts, arm and horizon."""
    rows = []
    for kind, arms in report.items():
        for arm, horizons in arms.items():
            for horizon, f in horizons.items():
                low, high = f['interval']
                rows.append(
                    (
                        kind,
                        arm,
                        horizon,
                        str(f['turns']),
                        str(f['prompts']),
                        f'{f["drifted"]} ({100 * low:.1f} to {100 * high:.1f} %)',
                        str(f['not_exact']),
                        str(f['degenerate']),
                        f'{f["divergence_mean"]:.2g}',
                        f'{f["divergence_max"]:.2g}',
                    )
                )
    return Table(
        'Drift in long sessions',
        "Answers unlike cold dense's on the same frames with the same prompt, with Wilson's 95 % "
        'interval; divergence of the first answer token in nats.',
        (
            'prompts',
            'arm',
            'turns',
            'asked',
            'different prompts',
            'drifted',
            'not exact',
            'degenerate',
            'KL mean',
            'KL max',
        ),
        rows,
    )


def main(given: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('recordings', nargs='+', type=Path, help='as of vlmaxxing_evaluate')
    parser.add_argument('--out', type=Path, required=True, help='folder to write into')
    parser.add_argument('--fps', type=float, default=0.0, help='images per second at most')
    parser.add_argument('--keyframe-interval', type=float, default=1.0, help='seconds')
    args = parser.parse_args(given)
    config = EngineConfig(keyframe_interval=args.keyframe_interval)
    family = load_family(config.model, config.dtype)
    found: dict[str, dict[str, list[list[DialogueTurn]]]] = {}
    for path in args.recordings:
        frames = list(grid_frames(read_images(path, fps=args.fps), family, config))
        for kind in ('plain', 'anchored'):
            for arm in ARMS:
                print(f'{path.name}: {arm}, {kind}', file=sys.stderr, flush=True)
                turns = list(session(arm, frames, family, config, anchored=kind == 'anchored'))
                found.setdefault(kind, {}).setdefault(arm, []).append(turns)
    report = {
        kind: {arm: figures(sessions) for arm, sessions in arms.items()}
        for kind, arms in found.items()
    }
    args.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain(report), indent=1) + '\n'
    (args.out / 'dialogue.json').write_text(text, encoding='utf-8')
    lines = '\n'.join(table_lines(table(report)))
    (args.out / 'dialogue.md').write_text(lines + '\n', encoding='utf-8')
    print(lines)
    return 0


if __name__ == '__main__':
    sys.exit(main())
