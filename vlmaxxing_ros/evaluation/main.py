# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""`vlmaxxing_evaluate`: recordings and questions in, report.json, report.md and report.html out.

    vlmaxxing_evaluate RECORDING --questions Q.yaml --out DIR
    vlmaxxing_evaluate RECORDING --questions Q.yaml --draft ['What do you see?' ...]
    vlmaxxing_evaluate --ovo-bench ovo_bench_new.json --out DIR

Exit status: 0 done, 1 a gate is broken, 2 something is wrong with what was given.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import EngineError
from vlmaxxing_ros.engine.families import load_family
from vlmaxxing_ros.engine.families.loading import NANO
from vlmaxxing_ros.evaluation import evaluate
from vlmaxxing_ros.evaluation.arms import DEFAULT_ARMS, ORACLE, REFERENCE
from vlmaxxing_ros.evaluation.arms.registry import SPEED, check_name
from vlmaxxing_ros.evaluation.draft import draft
from vlmaxxing_ros.evaluation.errors import EvaluationError, QuestionsError
from vlmaxxing_ros.evaluation.gate import parse_gates
from vlmaxxing_ros.evaluation.markdown import gate_line, left_out, to_markdown
from vlmaxxing_ros.evaluation.ovo_bench import convert
from vlmaxxing_ros.evaluation.page import to_page
from vlmaxxing_ros.evaluation.pictures import OverlayRecorder
from vlmaxxing_ros.evaluation.questions_file import save_questions
from vlmaxxing_ros.evaluation.recordings import read_images
from vlmaxxing_ros.evaluation.report import build_report
from vlmaxxing_ros.evaluation.store import Store, fingerprint
from vlmaxxing_ros.evaluation.summary import METRICS
from vlmaxxing_ros.evaluation.verdict import verdict
from vlmaxxing_ros.ros.images import Scaling, check_range

_RANGES = ('depth_range', 'mono16_range')


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    args = _parser().parse_args(arguments)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        if args.ovo_bench:
            return _convert(args, console)
        if args.draft is not None:
            return _draft(args, console)
        return _evaluate(args, console, arguments)
    except (EvaluationError, EngineError, ValueError, OSError) as error:
        console.print(f'vlmaxxing_evaluate: {error}', style='red', markup=False)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='vlmaxxing_evaluate',
        description='Replay recordings through the engine and its baselines; write a report.',
    )
    parser.add_argument(
        'recordings',
        nargs='*',
        type=Path,
        metavar='RECORDING',
        help='rosbag2 folder, .mcap, .db3, ROS 1 .bag or video file',
    )
    parser.add_argument(
        '--questions', nargs='+', type=Path, metavar='Q.yaml', help='one file per recording'
    )
    parser.add_argument('--out', type=Path, metavar='DIR', help='folder for results and reports')
    parser.add_argument('--model', default='nano', help='nano, a folder or a hub id')
    parser.add_argument(
        '--arms',
        default=','.join(DEFAULT_ARMS),
        help=f'comma-separated; {REFERENCE} and {ORACLE} are always run (default: %(default)s)',
    )
    parser.add_argument('--camera', default='', help='ask only questions about this camera')
    parser.add_argument('--topic', default='', help='image topic, where a bag has several')
    parser.add_argument(
        '--fps', type=float, default=0.0, help='images per second at most (default: all)'
    )
    parser.add_argument(
        '--set',
        nargs='+',
        default=[],
        metavar='NAME=VALUE',
        help='settings of the engine, such as keyframe_interval=0.5; depth_range=NEAR,FAR (m) and '
        'mono16_range=BLACK,WHITE for images without 8-bit colour',
    )
    parser.add_argument(
        '--speed',
        type=float,
        default=SPEED,
        metavar='ROWS_PER_SECOND',
        help='of the simulated model behind auto, eager and lazy (default: %(default)s)',
    )
    parser.add_argument(
        '--gate',
        default='',
        metavar='[ARM:]max_METRIC=LIMIT,...',
        help='exit with 1 unless every limit is kept, such as max_choice_drift=0.01',
    )
    parser.add_argument(
        '--draft',
        nargs='*',
        metavar='QUESTION',
        help='write a questions file with the moments of change, to fill in, and stop',
    )
    parser.add_argument(
        '--ovo-bench', type=Path, metavar='JSON', help="convert OVO-Bench's annotations, and stop"
    )
    return parser


def _convert(args: argparse.Namespace, console: Console) -> int:
    if args.out is None:
        raise QuestionsError('--ovo-bench needs --out: the folder to write questions files into')
    written = convert(args.ovo_bench, args.out)
    console.print(f'{len(written)} questions files in {args.out}', markup=False)
    return 0


def _draft(args: argparse.Namespace, console: Console) -> int:
    if len(args.recordings) != 1 or len(args.questions or ()) != 1:
        raise QuestionsError('--draft needs one RECORDING and one --questions file to write')
    recording, file = args.recordings[0], args.questions[0]
    if file.exists():
        raise QuestionsError(f'{file} exists: a draft would overwrite it')
    images = read_images(recording, topic=args.topic, fps=args.fps, scaling=_scaling(args))
    questions = draft(images, args.draft, _config(args))
    if args.camera:
        questions = [replace(question, camera=args.camera) for question in questions]
    save_questions(file, questions)
    moments = len({question.at for question in questions})
    console.print(f'{len(questions)} questions at {moments} moments in {file}', markup=False)
    return 0


def _config(args: argparse.Namespace) -> EngineConfig:
    """The engine's settings from `--model` and `--set`.

    Raises:
        ValueError: no such setting, or a value that it cannot take.
    """
    values: dict[str, Any] = {'model': args.model}
    kinds: dict[str, Any] = {spec.name: type(spec.default) for spec in fields(EngineConfig)}
    for pair in args.set:
        name, _, text = pair.partition('=')
        if name in _RANGES:
            continue
        if name not in kinds:
            raise ValueError(f'no setting {name!r}; there are: {", ".join((*kinds, *_RANGES))}')
        try:
            values[name] = kinds[name](text)
        except ValueError:
            raise ValueError(f'{name} must be of type {kinds[name].__name__}: {text!r}') from None
    return EngineConfig(**values)


def _scaling(args: argparse.Namespace) -> Scaling:
    """The camera's ranges from `--set`.

    Raises:
        ValueError: not two increasing numbers.
    """
    ranges = {}
    for pair in args.set:
        name, _, text = pair.partition('=')
        if name in _RANGES:
            try:
                bounds = [float(bound) for bound in text.strip('[]').split(',')]
            except ValueError:
                raise ValueError(f'{name} must be LOW,HIGH, not {text!r}') from None
            ranges[name] = check_range(bounds, name)
    return Scaling(**ranges)


def _evaluate(args: argparse.Namespace, console: Console, given: Sequence[str] | None) -> int:
    if not args.recordings or not args.questions or args.out is None:
        raise QuestionsError('give RECORDING, --questions and --out; see --help')
    arms = [name.strip() for name in args.arms.split(',') if name.strip()]
    for name in arms:
        check_name(name)
    if not args.speed > 0.0:
        raise QuestionsError(f'--speed must be above 0 rows per second, not {args.speed}')
    arms = list(dict.fromkeys([REFERENCE, ORACLE, *arms]))
    gates = parse_gates(args.gate, arms=arms, metrics=METRICS)
    config = _config(args)
    streams = evaluate.load_streams(
        args.recordings,
        args.questions,
        camera=args.camera,
        topic=args.topic,
        fps=args.fps,
        scaling=_scaling(args),
    )
    surveys = [evaluate.survey(stream) for stream in streams]
    family = load_family(
        config.model, config.dtype, config.kv_bits, config.visual_experts, config.model_revision
    )
    pictures = args.out / 'pictures'
    recorder = OverlayRecorder()
    wanted = not (pictures / 'overlay.webp').exists()

    evaluate.warm_up(streams[0], family, config)
    with _bar(console) as bar:
        outcome = evaluate.run_arms(
            streams,
            arms,
            family,
            config,
            Store(args.out / 'arms'),
            _identity(config.model),
            speed=args.speed,
            watch=lambda stream: recorder if wanted and stream is streams[0] else None,
            progress=_Told(bar, total=len(streams) * len(arms)),
        )
    recorder.save(pictures)
    command = shlex.join(['vlmaxxing_evaluate', *(sys.argv[1:] if given is None else given)])
    report = build_report(outcome, streams, config, command=command, surveys=surveys, gates=gates)
    _write(args.out / 'report.json', json.dumps(report, indent=1, ensure_ascii=False) + '\n')
    _write(args.out / 'report.md', to_markdown(report))
    _write(args.out / 'report.html', to_page(report, streams, pictures))
    for sentence in (*left_out(report), *verdict(report)):
        console.print(sentence, markup=False)
    for gate in report['gates']:
        console.print(gate_line(gate), style=None if gate['kept'] else 'red', markup=False)
    console.print(f'{args.out / "report.html"}', markup=False)
    return 0 if all(gate['kept'] for gate in report['gates']) else 1


def _identity(model: str) -> Any:
    """What tells a model's weights from others of the same name."""
    folder = NANO if model == 'nano' else Path(model).expanduser()
    return [model, fingerprint(folder) if folder.is_dir() else []]


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding='utf-8')


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.completed} of {task.total}'),
        TimeElapsedColumn(),
        console=console,
    )


class _Told(evaluate.Progress):
    """Progress as a bar: one step per arm and recording, the frames beside it."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._task: TaskID = bar.add_task('', total=total)
        self._name, self._frames = '', 0

    def start(self, arm: str, stream: str) -> None:
        """Show what begins."""
        self._name, self._frames = f'{arm} on {stream}', 0
        self._bar.update(self._task, description=self._name)

    def frame(self) -> None:
        """Count a frame."""
        self._frames += 1
        if self._frames % 25 == 0:
            self._bar.update(self._task, description=f'{self._name}, frame {self._frames}')

    def done(self, *, cached: bool) -> None:
        """Step on."""
        self._bar.advance(self._task)


if __name__ == '__main__':
    sys.exit(main())
