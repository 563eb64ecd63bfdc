# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""`make demo`: two cameras, the node and a questioner, as separate processes on real ROS 2.

Renders two tabletop recordings, plays each with `bag_player` into the node as a camera of its
own, asks the questions of their questions files when their time has come, and leaves a report.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rich.console import Console
from sensor_msgs.msg import Image

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.client import Client
from vlmaxxing_ros.demo.recordings import (
    START,
    ScriptedQuestion,
    demo_recordings,
    read_questions,
)
from vlmaxxing_ros.demo.report import Asked, write_report
from vlmaxxing_ros.ros.dds import use_profile

TRANSPORTS = {'calm': 'raw', 'eventful': 'compressed'}
TOPICS = {'calm': '/camera/image', 'eventful': '/camera/image/compressed'}
PACE = 0.7
"""Seconds between two questions at least: a person should be able to read along."""

PATIENCE = 60.0
"""Seconds without a planned frame after which the demo is given up."""

LEAD = 0.06
"""A question's moment lies half a frame period (0.05 s) behind the frame that it is about."""


@dataclass
class Watched:
    """What the node published while the demo ran, per camera."""

    budgets: dict[str, list[FreshBudget]] = field(default_factory=dict)
    overlays: dict[str, list[Image]] = field(default_factory=dict)
    state: str = ''
    trouble: str = ''

    def diagnostics(self, message: DiagnosticArray) -> None:
        """Keep the node's lifecycle state, and why it cannot be active."""
        for status in message.status:
            if status.name == 'vlmaxxing: model':
                self.state = next(pair.value for pair in status.values if pair.key == 'state')
                failed = status.level == DiagnosticStatus.ERROR
                self.trouble = status.message if failed else ''

    def budget(self, message: FreshBudget) -> None:
        """Keep every budget."""
        self.budgets.setdefault(message.camera, []).append(message)

    def overlay(self, message: Image) -> None:
        """Keep every overlay; the recordings' frame_id tells the camera."""
        camera = message.header.frame_id.removesuffix('_optical_frame')
        self.overlays.setdefault(camera, []).append(message)

    def time(self, camera: str) -> float:
        """Stamp of the camera's newest planned frame, seconds into the recording; -1: none."""
        budgets = self.budgets.get(camera)
        if not budgets:
            return -1.0
        stamp = budgets[-1].header.stamp
        return float(stamp.sec - START // 10**9 + stamp.nanosec * 1e-9)

    def dense_time(self, camera: str) -> float:
        """What cold dense would have cost for the newest frame, seconds; 0: not known."""
        budgets = self.budgets.get(camera)
        return budgets[-1].cold_dense_time if budgets else 0.0


def main() -> int:
    """Run the demo; the exit status is 0 when every question was answered."""
    parser = argparse.ArgumentParser(prog='vlmaxxing_demo', description=(__doc__ or '')[:80])
    parser.add_argument('--out', type=Path, default=Path('out/demo'), help='report and recordings')
    parser.add_argument('--model', default='nano', help='nano, a folder or a hub id')
    parser.add_argument('--duration', type=float, default=24.0, help='seconds per recording')
    options = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    # Undisturbed by, and not disturbing, whatever else runs on this network.
    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    use_profile()

    console.print('[bold]1/4[/] rendering two tabletop recordings')
    made = demo_recordings(options.out / 'recordings', duration=options.duration)
    everything = [q for name in made for q in _questions(name, made[name][1])]
    questions = _choose(everything, until=options.duration - 0.5)
    if not questions:
        parser.error('nothing to ask about in so short a recording: --duration 6')

    console.print(f'[bold]2/4[/] starting the node with model [bold]{options.model}[/]')
    seen, asked = Watched(), []
    log = options.out / 'node.log'
    node_arguments = ('--ros-args', *_node_arguments(options.model))
    with (
        _process(log, 'vlmaxxing_node', *node_arguments) as node,
        Client() as client,
    ):
        client.on_budget(seen.budget)
        client.on_overlay(seen.overlay)
        if not client.wait(90.0) or node.poll() is not None:
            console.print(f'[red]the node did not come up:[/] see {log}')
            return 1
        client.on_diagnostics(seen.diagnostics)
        # A large model takes minutes, one that has to be downloaded longer.
        while seen.state != 'active' and not seen.trouble and node.poll() is None:
            time.sleep(0.05)
        if seen.state != 'active':
            console.print(f'[red]the node did not become active:[/] {seen.trouble} (log: {log})')
            return 1
        console.print('[bold]3/4[/] playing both, asking as they play')
        with contextlib.ExitStack() as players:
            for name, (bag, _) in made.items():
                arguments = _player_arguments(name, bag, clock=name == 'calm')
                log = options.out / f'{name}.log'
                players.enter_context(_process(log, 'bag_player', *arguments))
            try:
                for question in _as_due(questions, seen):
                    asked.append(_ask(client, question, seen))
                    _show(console, asked[-1])
            except TimeoutError as error:
                console.print(f'[red]{error}[/] (logs: {options.out}/*.log)')
                return 1

    console.print('[bold]4/4[/] writing the report')
    page = write_report(options.out, options.model, asked, seen.budgets, seen.overlays)
    _conclude(console, asked, seen, page)
    return 0 if all(a.answer.status == Answer.OK for a in asked) else 1


def _questions(camera: str, path: Path) -> list[ScriptedQuestion]:
    return [
        ScriptedQuestion(q.id, q.task, q.at, camera, q.question, q.choices, q.answer)
        for q in read_questions(path)
    ]


def _choose(questions: list[ScriptedQuestion], *, until: float) -> list[ScriptedQuestion]:
    """Questions far enough apart to be read, once the first frames have been seen."""
    chosen: list[ScriptedQuestion] = []
    last = 1.0
    for question in sorted(questions, key=lambda q: q.at):
        if last + PACE <= question.at <= until:
            chosen.append(question)
            last = question.at
    return chosen


def _node_arguments(model: str) -> list[str]:
    parameters = {
        'model': model,
        'autostart': 'true',
        'use_sim_time': 'true',
        'cameras': f'[{", ".join(TRANSPORTS)}]',
        **{f'{name}.transport': kind for name, kind in TRANSPORTS.items()},
    }
    return [part for name, value in parameters.items() for part in ('-p', f'{name}:={value}')]


def _player_arguments(camera: str, bag: Path, *, clock: bool) -> list[str]:
    arguments = [str(bag), '--qos', 'sensor', '--wait-for-subscribers', '1']
    remap = ['--ros-args', '-r', f'{TOPICS[camera]}:=/{camera}/image']
    return [*arguments, *(['--clock'] if clock else []), *remap]


@contextlib.contextmanager
def _process(log: Path, program: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of our executables, its output in `log`, ended with the block."""
    command = [str(Path(sys.executable).parent / program), *arguments]
    with log.open('wb') as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=dict(os.environ)
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _as_due(questions: list[ScriptedQuestion], seen: Watched) -> Iterator[ScriptedQuestion]:
    """Each question once its own camera has shown its moment: the two players are not in step."""
    waiting, frames, since = list(questions), 0, time.monotonic()
    while waiting:
        due = next((q for q in waiting if seen.time(q.camera) >= q.at - LEAD), None)
        if due is not None:
            waiting.remove(due)
            yield due
        planned = sum(map(len, seen.budgets.values()))
        if due is not None or planned != frames:
            frames, since = planned, time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            raise TimeoutError('no frame is planned any more: did a player or the node end?')
        else:
            time.sleep(0.005)


def _ask(client: Client, question: ScriptedQuestion, seen: Watched) -> Asked:
    """Closed sets through ~/query, open questions through ~/ask with their tokens."""
    tokens: list[str] = []
    if question.choices:
        answer = client.query(question.question, camera=question.camera, choices=question.choices)
    else:
        answer = client.ask(
            question.question,
            camera=question.camera,
            on_token=lambda feedback: tokens.append(feedback.token_text),
        )
    return Asked(question, answer, tuple(tokens), seen.dense_time(question.camera))


def _show(console: Console, asked: Asked) -> None:
    question, answer = asked.question, asked.answer
    mark = '[green]✓[/]' if asked.right else '[red]✗[/]'
    through = 'query' if question.choices else f'ask, {len(asked.tokens)} tokens'
    text = answer.answer or f'[red]{answer.status_text}[/]'
    console.print(
        f'{question.at:5.1f} s  [cyan]{question.camera}[/]  {question.question}  '
        f'[dim]({through})[/]\n         {mark} [bold]{text}[/]'
        + ('' if asked.right else f' [dim](truth: {question.answer})[/]')
        + f'\n         [dim]evidence {asked.oldest:.2f}-{asked.newest:.2f} s'
        f' · first token {answer.time_to_first_token * 1e3:.0f} ms'
        f' · {answer.reused_tokens}/{answer.prompt_tokens} tokens reused'
        f' · cold dense: {answer.prompt_tokens} tokens, about {asked.dense_time * 1e3:.0f} ms'
        f' · {"exact" if answer.exact else "refreshed"}[/]'
    )


def _conclude(console: Console, asked: list[Asked], seen: Watched, page: Path) -> None:
    right = sum(a.right for a in asked)
    reused = sum(a.answer.reused_tokens for a in asked)
    prompt = sum(a.answer.prompt_tokens for a in asked)
    budgets = [b for camera in seen.budgets.values() for b in camera]
    fresh = sum(b.blocks_admitted for b in budgets) / max(1, sum(b.blocks_total for b in budgets))
    console.print(
        f'\n[bold]{right} of {len(asked)} answers right[/] with the built-in nano model'
        f' · {reused}/{prompt} prompt tokens reused'
        f' · {fresh:.0%} of the blocks of {len(budgets)} frames paid for'
        f'\nreport: [bold]{page}[/]'
    )


if __name__ == '__main__':
    sys.exit(main())
