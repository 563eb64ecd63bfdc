# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The asked part of `bench.live` in simulated time: what the machine does beside it is left out.

`python -m bench.live_simulated [CLIP ...] [--whole 1.2] [--pause 3]`: the clip at 30 Hz, seen while
the model works as well; a model whose whole frame takes `--whole` seconds; questions `--pause`
seconds after the last answer, in turn for the newest evidence and for the fastest answer.  Says
how long the newest evidence takes beyond the question itself, in whole frames.  The same on any
machine.
"""

from __future__ import annotations

import argparse
import math

from bench.live import CLIPS, FOOTAGE, FPS
from bench.live_camera import frames_of
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.stream.duty import Duty
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.evaluation.arms.live import SimulatedClock

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
        self._clock = SimulatedClock(2 * self._next.grid.blocks / whole)
        self._session = StreamSession(family, config, self._clock)
        self._duty, self._share = Duty(0.0), config.max_duty
        self._whole = whole
        self._question = Question(text=QUESTION, max_tokens=4)

    @property
    def duty(self) -> float:
        """Share of the time that the background has taken."""
        return self._duty.share(self._clock.time)

    def _see(self) -> None:
        """The images that have come by now."""
        while self._next.stamp * 1e-9 <= self._clock.time:
            self._session.see(self._next)
            self._next = next(self._frames)

    def wait(self, seconds: float) -> None:
        """Let the background work for so long."""
        clock, end = self._clock, self._clock.time + seconds
        while clock.time < end:
            self._see()
            work, now = self._session.background(), clock.time
            if work is not None and self._duty.allows(self._share, now):
                work.step()
                self._duty.spend(clock.time - now)
                continue
            rest = self._duty.wait(self._share) if work is not None else math.inf
            # A moment more, so that rounding does not keep it from going on.
            clock.time = min(end, self._next.stamp * 1e-9, now + rest) + 1e-9

    def ask(self, max_evidence_age: float) -> float:
        """Seconds to the first token."""
        self._see()
        job = self._session.answering(
            self._question,
            Terms(max_evidence_age=max_evidence_age),
            evidence_age=lambda stamp: self._clock.time - stamp * 1e-9,
            start=self._clock.time,
        )
        while not job.step():
            self._see()
        assert job.answer is not None
        return job.answer.time_to_first_token

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
    options = parser.parse_args()
    family, config = load_family('nano'), EngineConfig()
    for clip in options.clips:
        node = Node(family, frames_of(FOOTAGE / CLIPS[clip], FPS, MAX_BLOCKS), options.whole, config)
        found = node.asked(options.questions, options.pause)
        at = {share: found[round(share * (len(found) - 1))] for share in (0.5, 0.9, 1.0)}
        shown = ', '.join(f'p{100 * share:.0f} {value:.2f}' for share, value in at.items())
        print(f'{clip}: {shown} whole frames; background {node.duty:.2f} of the time', flush=True)


if __name__ == '__main__':
    main()
