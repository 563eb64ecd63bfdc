# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Run the arms on the corpus, and charge every answer for what was done since the last one.

Finished runs are kept on disk, so that an interrupted evaluation goes on where it stopped.  Knows
nothing of the artifact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.evaluation.recordings import read_images
from vlmaxxing_ros.evaluation.replay import AdmittedFrame, ArmRun, AskedQuestion, replay
from vlmaxxing_ros.evaluation.store import Store, fingerprint
from vlmaxxing_ros.evaluation.streaming.arms import make_streaming_arm
from vlmaxxing_ros.evaluation.streaming.corpus import EventVideo


@dataclass(frozen=True)
class Charge:
    """An answer and all that its arm did since the one before: nothing is left uncharged.

    Attributes:
        frames: those that arrived since the last question.
    """

    question: AskedQuestion
    frames: list[AdmittedFrame]

    @property
    def windows(self) -> int:
        """Attention windows through the vision tower."""
        return self.question.windows + sum(frame.windows for frame in self.frames)

    @property
    def calls(self) -> int:
        """Times that the tower was run, on however few windows."""
        return self.question.calls + sum(frame.calls for frame in self.frames)

    @property
    def rows(self) -> int:
        """Rows through the language model."""
        return self.question.rows + sum(frame.rows for frame in self.frames)

    @property
    def busy(self) -> float:
        """Seconds of work: the energy proxy."""
        return self.question.latency + sum(frame.seconds for frame in self.frames)

    @property
    def rebuilt(self) -> int:
        """Frames that were taken whole."""
        return sum(0 < frame.total <= frame.blocks for frame in self.frames)

    @property
    def skipped(self) -> int:
        """Frames of which nothing had to be paid."""
        return sum(frame.blocks == 0 for frame in self.frames)

    @property
    def updated(self) -> int:
        """Frames of which some blocks were paid."""
        return len(self.frames) - self.rebuilt - self.skipped


def charges(run: ArmRun) -> list[Charge]:
    """Every question of a run with the frames since the one before."""
    charged, seen = [], 0
    start = run.frames[0].stamp
    for question in run.questions:
        arrived = seen
        while arrived < len(run.frames) and _elapsed(run.frames[arrived], start) <= question.at:
            arrived += 1
        charged.append(Charge(question, run.frames[seen:arrived]))
        seen = arrived
    return charged


def _elapsed(frame: AdmittedFrame, start: int) -> float:
    return (frame.stamp - start) * 1e-9


def run_videos(
    videos: Sequence[EventVideo],
    arms: Sequence[str],
    family: Family,
    config: EngineConfig,
    store: Store,
    tell: Callable[[str], None],
) -> dict[str, list[ArmRun]]:
    """Every arm on every video, video by video.

    Returns:
        Runs per arm, in the order of the videos.
    """
    runs: dict[str, list[ArmRun]] = {arm: [] for arm in arms}
    for video in videos:
        for arm in arms:
            inputs = [
                fingerprint(video.folder),
                [asdict(question) for question in video.questions],
                asdict(config),
            ]
            path = store.path(arm, video.name, inputs)
            run = store.load(path)
            tell(f'{video.name}: {arm}{"" if run is None else " (kept)"}')
            if run is None:
                run = _run(video, arm, family, config)
                store.save(path, run)
            runs[arm].append(run)
    return runs


def _run(video: EventVideo, arm: str, family: Family, config: EngineConfig) -> ArmRun:
    return replay(
        lambda counted: make_streaming_arm(arm, counted, config),
        arm,
        video.name,
        read_images(video.folder),
        video.questions,
        family,
        config,
    )
