# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Dense arms: some frames, every block, prefilled from nothing for every question.

`dense` is the oracle: the frames that the session's window holds at that moment.  `dense_last4`
(SimpleStream, arXiv 2604.02317), `low_fps` and `screenshot` choose frames of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.steps import Stopwatch
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.evaluation.arms.base import (
    Admission,
    Arm,
    Reply,
    WindowArm,
    answer_from,
    reply_from,
)
from vlmaxxing_ros.evaluation.arms.context import Context

_KEPT = 64  # frames that `low_fps` remembers of a stream, however long


def cold_reply(
    family: Family, config: EngineConfig, frames: list[Frame], question: Question
) -> Reply:
    """Answer from frames that are encoded and prefilled now, in one piece."""
    watch = Stopwatch()
    with watch.stage('vision'):
        features = [IncrementalEncoder(family).encode(frame).features for frame in frames]
    with watch.stage('prefill'):
        context = Context(family)
        context.append(frames, features)
    answer = answer_from(family, context.fork(), frames, question, config)
    spent = watch.seconds
    stamps = [frame.stamp for frame in frames]
    return reply_from(answer, stamps, vision=spent['vision'], prefill=spent['prefill'])


class Dense(WindowArm):
    """The oracle: the session's window, cold."""

    def ask(self, name: str, question: Question) -> Reply:
        """Encode and prefill everything for this question."""
        return cold_reply(self.family, self.config, self.window(name), question)


class FramesAt(Arm):
    """The frames nearest to some moments before the newest one, cold.

    offsets: how long before it, in seconds, the longest first.
    """

    def __init__(self, family: Family, config: EngineConfig, offsets: Sequence[float]) -> None:
        super().__init__(family, config)
        self._offsets = [round(offset * 1e9) for offset in offsets]
        self._frames: list[Frame] = []

    def admit(self, frame: Frame) -> Admission:
        """Remember it; forget what no question can need any more."""
        start = frame.stamp - max(self._offsets)
        # The newest frame before the window's start may be the nearest to it.
        while len(self._frames) > 1 and self._frames[1].stamp <= start:
            self._frames.pop(0)
        self._frames.append(frame)
        return Admission()

    def ask(self, name: str, question: Question) -> Reply:
        """Show them."""
        newest = self._frames[-1].stamp
        chosen = nearest(self._frames, [newest - offset for offset in self._offsets])
        return cold_reply(self.family, self.config, chosen, question)


class DenseLast4(FramesAt):
    """The newest frame and those one, two and three seconds before it."""

    def __init__(self, family: Family, config: EngineConfig) -> None:
        super().__init__(family, config, (3.0, 2.0, 1.0, 0.0))


class LowFps(Arm):
    """Four frames spread uniformly over the stream so far, its first and newest among them."""

    def __init__(self, family: Family, config: EngineConfig) -> None:
        super().__init__(family, config)
        self._frames: list[Frame] = []
        self._newest: Frame | None = None
        self._count, self._stride = 0, 1

    def admit(self, frame: Frame) -> Admission:
        """Remember every n-th; n doubles when there are too many."""
        if self._count % self._stride == 0:
            self._frames.append(frame)
        self._count += 1
        self._newest = frame
        if len(self._frames) > _KEPT:
            self._frames, self._stride = self._frames[::2], self._stride * 2
        return Admission()

    def ask(self, name: str, question: Question) -> Reply:
        """Show the four."""
        assert self._newest is not None
        first, last = self._frames[0].stamp, self._newest.stamp
        wanted = [first + (last - first) * part // 3 for part in range(4)]
        frames = [*(f for f in self._frames if f.stamp < last), self._newest]
        return cold_reply(self.family, self.config, nearest(frames, wanted), question)


class Screenshot(Arm):
    """The newest frame alone."""

    def __init__(self, family: Family, config: EngineConfig) -> None:
        super().__init__(family, config)
        self._newest: list[Frame] = []

    def admit(self, frame: Frame) -> Admission:
        """Remember it."""
        self._newest = [frame]
        return Admission()

    def ask(self, name: str, question: Question) -> Reply:
        """Show it."""
        return cold_reply(self.family, self.config, self._newest, question)


def nearest(frames: list[Frame], stamps: list[int]) -> list[Frame]:
    """The frame nearest to each stamp, each frame once, oldest first."""
    chosen = {min(frames, key=lambda f: abs(f.stamp - stamp)).stamp for stamp in stamps}
    return [frame for frame in frames if frame.stamp in chosen]
