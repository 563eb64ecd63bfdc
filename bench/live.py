# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A model slower than its camera, and a person who asks now and then.

`python -m bench.live [--quick] [--out DIR]`: the real node, a camera and a questioner as processes,
footage at 30 Hz, a model whose whole frame takes at least ten camera periods (`bench.live_model`).
Everything is a ratio to something measured in the same run: the floor is the same question asked of
the same node once the camera has stopped, a whole frame and four dense frames are timed before.
Only names that earlier versions have as well are used, so that it can be run against them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rclpy.time import Time

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.client import Client
from vlmaxxing_ros.ros.dds import use_profile

HERE = Path(__file__).resolve().parent
FOOTAGE = HERE.parents[1] / 'shared' / 'footage'
RESULTS = HERE.parent / 'docs' / 'results'
CLIPS = {
    'room': 'static_room_mostly_empty.mp4',
    'screen': 'screen_desktop_rerun_2558x1592.mp4',
    'outdoor': 'exposure_step_static_outdoor.mp4',
    'hands': 'static_tabletop_hands_blocks.mp4',
    'street': 'static_pole_traffic_small_objects.mp4',
}
FPS = 30.0
PERIODS = 10
"""Camera periods that a whole frame takes at least."""
PAUSE = 3.0
"""Seconds between two questions."""


@dataclass
class Heard:
    """What the node said while something ran.

    Attributes:
        budgets: one per planned image, with the moment at which it came.
        answers: one per question, with what was asked for.
    """

    budgets: list[tuple[float, FreshBudget]] = field(default_factory=list)
    answers: list[tuple[float, Answer]] = field(default_factory=list)
    seeing: float = 0.0

    def budget(self, message: FreshBudget) -> None:
        """Keep one."""
        self.budgets.append((time.monotonic(), message))

    def ttft(self, wanted: float) -> list[float]:
        """Seconds to the first token of the questions that allowed for evidence this old."""
        return [
            answer.time_to_first_token
            for bound, answer in self.answers
            if bound == wanted and answer.status == Answer.OK
        ]


class Bench:
    """One run: a model, and the programs of the environment that this runs in."""

    def __init__(self, model: Path, prices: dict[str, Any], scratch: Path) -> None:
        self.model = model
        self.prices = prices
        self.scratch = scratch
        self.fastest = 'blocks_owed' in Answer.get_fields_and_field_types()

    @contextlib.contextmanager
    def node(self, **parameters: Any) -> Iterator[tuple[Client, Heard, int]]:
        """The node with a client that listens; its process id."""
        values = {'model': self.model, 'autostart': 'true', 'max_blocks': 96} | parameters
        given = [part for name, value in values.items() for part in ('-p', f'{name}:={value}')]
        program = Path(sys.executable).parent / 'vlmaxxing_node'
        heard = Heard()
        with (
            (self.scratch / 'node.log').open('a') as log,
            _process([program, '--ros-args', *given], log) as process,
            Client() as client,
        ):
            client.on_budget(heard.budget)
            if not client.wait(90.0):
                raise RuntimeError(f'the node did not come up: see {log.name}')
            yield client, heard, process.pid

    @contextlib.contextmanager
    def camera(self, clip: str, *arguments: str) -> Iterator[None]:
        """A camera that shows a clip."""
        command = [sys.executable, HERE / 'live_camera.py', FOOTAGE / CLIPS[clip], *arguments]
        with (self.scratch / 'camera.log').open('a') as log, _process(command, log):
            yield

    def asked(self, clip: str, questions: int) -> dict[str, Any]:
        """Questions about a clip, in turn for the newest evidence and for the fastest answer."""
        with self.node() as (client, heard, pid):
            with self.camera(clip):
                _wait(lambda: heard.budgets, 60.0)
                self._ask(client, heard, 0.0)  # whatever the first one builds
                heard.answers.clear()
                began, first = time.monotonic(), len(heard.budgets)
                before = _thread_seconds(pid, 'seeing')
                for number in range(questions):
                    time.sleep(PAUSE * (0.8 + 0.4 * (number * 0.618 % 1.0)))
                    fast = self.fastest and number % 2
                    self._ask(client, heard, math.inf if fast else 0.0)
                elapsed = time.monotonic() - began
                seeing = (_thread_seconds(pid, 'seeing') - before) / elapsed
                last = heard.budgets[-1][1]
                counted = [b for _, b in heard.budgets[first:]]
            time.sleep(1.0)
            self._ask(client, heard, 0.0)  # pays what the camera left
            floor = [self._ask(client, heard, -1.0) for _ in range(5)]
        received = last.frames_received - counted[0].frames_received
        planned = last.frames_planned - counted[0].frames_planned
        whole, bottom = self.prices['whole'], statistics.median(floor)
        newest, fastest = heard.ttft(0.0)[:-1], heard.ttft(math.inf)
        found: dict[str, Any] = {
            'clip': clip,
            'questions': questions,
            'floor': bottom,
            'planned_of_received': planned / max(1, received),
            'images_per_second': planned / elapsed,
            'seeing_cores': seeing,
            'newest': _spread(newest),
            'newest_in_frames': _spread([(t - bottom) / whole for t in newest]),
            'newest_over_dense_last4': statistics.median(newest) / self.prices['dense_last4'],
            'not_ok': sum(a.status != Answer.OK for _, a in heard.answers),
        }
        if fastest:
            found['fastest'] = _spread(fastest)
            found['fastest_over_floor'] = _spread([t / bottom for t in fastest])
        return found

    def _ask(self, client: Client, heard: Heard, bound: float) -> float:
        """One question; `bound` -1 marks those that measure the floor."""
        fields = {'max_evidence_age': bound} if bound > 0.0 else {}
        answer = client.query(
            self.prices['question'], timeout=120.0, max_tokens=4, deadline=100.0, **fields
        )
        heard.answers.append((bound, answer))
        return answer.time_to_first_token

    def idle(self, clip: str, duty: float, seconds: float) -> dict[str, Any]:
        """How busy the model is while nobody asks."""
        with (
            self.node(max_duty=duty) as (_client, heard, pid),
            self.camera(clip),
        ):
            _wait(lambda: heard.budgets, 60.0)
            time.sleep(10.0)  # the first frame
            before, start = _thread_seconds(pid, 'mlx'), time.monotonic()
            time.sleep(seconds)
            busy = (_thread_seconds(pid, 'mlx') - before) / (time.monotonic() - start)
        rows = sum(b.tokens_added for _, b in heard.budgets)
        return {'clip': clip, 'max_duty': duty, 'busy': busy, 'rows': rows, 'seconds': seconds}

    def flashes(self, count: int) -> dict[str, Any]:
        """A light that is on for 0.2 s, and whether the next question finds it in the history."""
        every, seen = 6.0, 0
        with (
            self.node() as (client, heard, _pid),
            self.camera('room', '--still', '--flash', '0.2', '--every', str(every)),
        ):
            _wait(lambda: heard.budgets, 60.0)
            self._ask(client, heard, 0.0)
            for _ in range(count):
                # Just before the light goes on the model is given something to do.
                dark = len(heard.budgets)
                _wait(lambda dark=dark: _lit(heard, dark), 3 * every)
                _wait(lambda dark=dark: not _lit(heard, len(heard.budgets) - 2), 3.0)
                light = [_stamp(b) for _, b in heard.budgets[dark:] if b.blocks_novel > 0]
                self._ask(client, heard, 0.0)
                # Asked about that moment, the newest frame of the history is one with the light.
                then = client.query(
                    self.prices['question'], timeout=60.0, max_tokens=1, as_of=_time(light[-1])
                )
                seen += light[0] <= Time.from_msg(then.newest_evidence_stamp).nanoseconds
        return {'flashes': count, 'seen': seen}


def _stamp(budget: FreshBudget) -> int:
    return Time.from_msg(budget.header.stamp).nanoseconds


def _time(stamp: int) -> Any:
    return Time(nanoseconds=stamp).to_msg()


def _lit(heard: Heard, since: int) -> bool:
    return any(b.blocks_novel > 0 for _, b in heard.budgets[max(0, since) :])


@contextlib.contextmanager
def _process(command: list[Any], log: Any) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, 'PYTHONPATH': str(HERE.parent)}
    with subprocess.Popen(
        [str(part) for part in command], stdout=log, stderr=log, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _wait(condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError('the node did not say what was waited for')
        time.sleep(0.02)


def _thread_seconds(pid: int, name: str) -> float:
    """Processor seconds of a process's threads of this name; 0: it has none."""
    ticks = 0
    for task in Path(f'/proc/{pid}/task').iterdir():
        with contextlib.suppress(OSError):
            if (task / 'comm').read_text().strip() == name:
                fields = (task / 'stat').read_text().rpartition(')')[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf('SC_CLK_TCK')


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = lambda share: ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]  # noqa: E731
    return {'p50': at(0.5), 'p90': at(0.9), 'p95': at(0.95), 'max': ordered[-1]}


def model(folder: Path, target: float) -> dict[str, Any]:
    """A model for this machine, and its prices."""
    command = [sys.executable, '-m', 'bench.live_model', '--out', folder, '--target', target]
    subprocess.run([str(part) for part in command], check=True, cwd=HERE.parent)
    prices: dict[str, Any] = json.loads((folder / 'prices.json').read_text())
    if prices['whole'] < PERIODS / FPS:
        raise RuntimeError(f'a whole frame takes {prices["whole"]:.2f} s only: raise --target')
    return prices


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help='two clips, a few questions')
    parser.add_argument('--out', type=Path, default=RESULTS)
    parser.add_argument('--name', default='live', help='of the result')
    parser.add_argument('--clips', nargs='+', default=list(CLIPS), choices=list(CLIPS))
    parser.add_argument('--target', type=float, default=1.0, help='s of a whole frame')
    parser.add_argument('--model', type=Path, help='folder that bench.live_model has written')
    parser.add_argument('--parts', nargs='+', default=['asked', 'idle', 'flashes'])
    parser.add_argument('--questions', type=int, default=20, help='per clip')
    args = parser.parse_args()
    if args.quick:
        args.clips, args.questions = ['room', 'hands'], 8
    os.environ['ROS_DOMAIN_ID'] = str(1 + os.getpid() % 100)
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    use_profile()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.model or Path(scratch) / 'model'
        if args.model:
            prices = json.loads((folder / 'prices.json').read_text())
        else:
            prices = model(folder, args.target)
        bench = Bench(folder, prices, Path(scratch))
        results: dict[str, Any] = {'prices': prices, 'fps': FPS, 'asked': [], 'idle': []}
        if 'asked' in args.parts:
            for clip in args.clips:
                results['asked'].append(bench.asked(clip, args.questions))
                print(json.dumps(results['asked'][-1]), flush=True)
        if 'idle' in args.parts:
            duties = [('room', 1.0), ('hands', 0.2)]
            duties += [] if args.quick else [('hands', 0.05), ('hands', 0.5), ('street', 0.2)]
            for clip, duty in duties:
                results['idle'].append(bench.idle(clip, duty, 20.0 if args.quick else 60.0))
                print(json.dumps(results['idle'][-1]), flush=True)
        if 'flashes' in args.parts and bench.fastest:
            results['flashes'] = bench.flashes(3 if args.quick else 20)
            print(json.dumps(results['flashes']), flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f'{args.name}.json').write_text(json.dumps(results, indent=1) + '\n')
    if args.out == RESULTS and args.name == 'live':
        subprocess.run([sys.executable, '-m', 'bench.live_page'], check=True, cwd=HERE.parent)


if __name__ == '__main__':
    main()
