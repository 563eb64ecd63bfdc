# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The asked part of `bench.live` in simulated time: what the machine does beside it is left out.

`python -m bench.live_simulated [CLIP ...] [--whole 1.2] [--pause 3]`: the clip at 30 Hz, seen while
the model works as well; a model whose whole frame takes `--whole` seconds; questions `--pause`
seconds after the last answer, in turn for the newest evidence and for the fastest answer.  Says
how long the newest evidence takes beyond the question itself, in whole frames.  With `--idle 60`
nobody asks for so long: how busy the background is then, at `max_duty` 1.  The same on any machine.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator

from bench.live import CLIPS, FOOTAGE, FPS
from bench.live_camera import frames_of
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.evaluation.arms.live import LiveArm

MAX_BLOCKS = 96
QUESTION = 'What do you see, and is anything in the way?'


class Node:
    """What the node does with a camera and a questioner, one after the other.

    Args:
        family: any: its speed is simulated.
        frames: what the camera shows, without an end.
        whole: seconds that a whole frame takes.
        config: settings.
    """

    def __init__(
        self, family: Family, frames: Iterator[Frame], whole: float, config: EngineConfig
    ) -> None:
        self._frames = frames
        self._next = next(self._frames)
        self._arm = LiveArm(family, config, speed=2 * self._next.grid.blocks / whole)
        self._whole = whole
        self._question = Question(text=QUESTION, max_tokens=4)

    @property
    def duty(self) -> float:
        """Share of the time that the background has taken."""
        return self._arm.duty.share(self._arm.clock.time)

    def _see(self) -> None:
        """The images that have come by now."""
        while self._next.stamp * 1e-9 <= self._arm.clock.time:
            self._arm.session.see(self._next)
            self._next = next(self._frames)

    def wait(self, seconds: float) -> None:
        """Let the background work for so long."""
        end = self._arm.clock.time + seconds
        while self._arm.clock.time < end:
            self._see()
            self._arm.work_until(min(end, self._next.stamp * 1e-9))

    def ask(self, max_evidence_age: float) -> float:
        """Seconds to the first token."""
        self._see()
        clock = self._arm.clock
        job = self._arm.session.answering(
            self._question,
            Terms(max_evidence_age=max_evidence_age),
            evidence_age=lambda stamp: clock.time - stamp * 1e-9,
            start=clock.time,
        )
        while not job.step():
            self._see()
        assert job.answer is not None
        return job.answer.time_to_first_token

    def idle(self, seconds: float) -> float:
        """Share of the time that the background takes while nobody asks, once it has begun."""
        self.wait(10.0)
        busy = self._arm.duty.busy
        self.wait(seconds)
        return (self._arm.duty.busy - busy) / seconds

    def asked(self, questions: int, pause: float) -> list[float]:
        """Whole frames that the newest evidence took, sorted: for every second question."""
        self.wait(1.0)
        self.ask(0.0)
        newest, fastest = [], []
        for number in range(questions):
            self.wait(pause * (0.8 + 0.4 * (number * 0.618 % 1.0)))
            if number % 2:
                fastest.append(self.ask(math.inf))
            else:
                newest.append(self.ask(0.0))
        floor = min(fastest)
        return sorted((seconds - floor) / self._whole for seconds in newest)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('clips', nargs='*', default=list(CLIPS), metavar='CLIP')
    parser.add_argument('--whole', type=float, default=1.2, help='s of a whole frame')
    parser.add_argument('--pause', type=float, default=3.0, help='s between two questions')
    parser.add_argument('--questions', type=int, default=20)
    parser.add_argument('--idle', type=float, default=0.0, help='s for which nobody asks')
    options = parser.parse_args()
    family = load_family('nano')
    config = EngineConfig(max_duty=1.0) if options.idle else EngineConfig()
    for clip in options.clips:
        node = Node(
            family, frames_of(FOOTAGE / CLIPS[clip], FPS, MAX_BLOCKS), options.whole, config
        )
        if options.idle:
            print(f'{clip}: {node.idle(options.idle):.2f} of the time, nobody asks', flush=True)
            continue
        found = node.asked(options.questions, options.pause)
        at = {share: found[round(share * (len(found) - 1))] for share in (0.5, 0.9, 1.0)}
        shown = ', '.join(f'p{100 * share:.0f} {value:.2f}' for share, value in at.items())
        print(f'{clip}: {shown} whole frames; background {node.duty:.2f} of the time', flush=True)


if __name__ == '__main__':
    main()
