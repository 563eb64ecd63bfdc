# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Every arm on every recording, then one report: the whole evaluation but for its command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.evaluation.arms import ORACLE, REFERENCE, make_arm
from vlmaxxing_ros.evaluation.arms.registry import LIVE, SPEED
from vlmaxxing_ros.evaluation.errors import ArmUnavailable, QuestionsError
from vlmaxxing_ros.evaluation.questions_file import TimedQuestion, load_questions
from vlmaxxing_ros.evaluation.recordings import Images, read_images
from vlmaxxing_ros.evaluation.replay import ArmRun, Watcher, replay
from vlmaxxing_ros.evaluation.store import Store, fingerprint
from vlmaxxing_ros.ros.images import NO_SCALING, Scaling


@dataclass(frozen=True)
class Replayed:
    """One recording and what is asked about it."""

    name: str
    path: Path
    questions: list[TimedQuestion]
    topic: str = ''
    fps: float = 0.0
    scaling: Scaling = NO_SCALING

    def images(self) -> Images:
        """Its images from the beginning."""
        return read_images(self.path, topic=self.topic, fps=self.fps, scaling=self.scaling)


@dataclass(frozen=True)
class Survey:
    """What there is to say about a recording: images left out, by reason, and remarks."""

    dropped: dict[str, int]
    remarks: list[str]


@dataclass
class Results:
    """What came of the arms: runs per arm in the order of the streams, or why there are none."""

    runs: dict[str, list[ArmRun]]
    unavailable: dict[str, str]


def load_streams(
    recordings: Sequence[Path],
    files: Sequence[Path],
    *,
    camera: str = '',
    topic: str = '',
    fps: float = 0.0,
    scaling: Scaling = NO_SCALING,
) -> list[Replayed]:
    """Pair recordings with their questions files.

    Raises:
        QuestionsError: not one file per recording, or the camera is not clear.
    """
    if len(recordings) != len(files):
        raise QuestionsError(
            f'{len(recordings)} recordings but {len(files)} questions files: give one for each'
        )
    streams: list[Replayed] = []
    for number, (path, file) in enumerate(zip(recordings, files, strict=True)):
        questions = load_questions(file)
        cameras = sorted({question.camera for question in questions})
        if not camera and len(cameras) > 1:
            raise QuestionsError(f'{file} asks about {", ".join(cameras)}: choose with --camera')
        chosen = [question for question in questions if question.camera == (camera or cameras[0])]
        if not chosen:
            raise QuestionsError(f'{file} asks nothing about {camera}: {", ".join(cameras)}')
        taken = {stream.name for stream in streams}
        name = path.stem if path.stem not in taken else f'{path.stem}-{number}'
        streams.append(Replayed(name, path, chosen, topic, fps, scaling))
    return streams


class Progress:
    """What the evaluation tells while it runs; this one tells nothing."""

    def start(self, arm: str, stream: str) -> None:
        """An arm begins with a stream."""

    def frame(self) -> None:
        """It has admitted a frame."""

    def done(self, *, cached: bool) -> None:
        """It is through, or was found on disk."""


def survey(stream: Replayed) -> Survey:
    """Read a whole recording before anything is asked about it.

    Raises:
        RecordingError: it cannot be read, or no image of it can be used.
    """
    images = stream.images()
    for _ in images:
        pass
    return Survey(dict(images.dropped), images.remarks)


def warm_up(stream: Replayed, family: Family, config: EngineConfig) -> None:
    """Encode, prefill and decode once, so that no arm pays for what only the first one would."""
    first = next(stream.images(), None)
    if first is not None:
        question = replace(stream.questions[0], at=0.0)
        replay(
            lambda counted: make_arm('screenshot', counted, config, {}),
            'screenshot',
            stream.name,
            [first],
            [question],
            family,
            config,
        )


def run_arms(
    streams: Sequence[Replayed],
    arms: Sequence[str],
    family: Family,
    config: EngineConfig,
    store: Store,
    model: Any,
    *,
    speed: float = SPEED,
    watch: Callable[[Replayed], Watcher | None] = lambda _: None,
    progress: Progress | None = None,
) -> Results:
    """Run the arms, stream by stream, so that what is compared is measured close together.

    Args:
        model: whatever tells one model from another.
        speed: of the simulated model, rows per second.
        watch: is asked for a watcher of the reference arm's frames.

    Raises:
        ArmUnavailable: the reference arm or the oracle cannot be run.
        RecordingError, QuestionsError: see `replay`.
    """
    tell = progress or Progress()
    names = list(dict.fromkeys([REFERENCE, ORACLE, *arms]))
    outcome = Results({name: [] for name in names}, {})
    for stream in streams:
        windows: dict[str, tuple[int, ...]] = {}
        for name in names:
            if name in outcome.unavailable:
                continue
            inputs = [
                fingerprint(stream.path),
                [stream.topic, stream.fps, asdict(stream.scaling)],
                [asdict(question) for question in stream.questions],
                asdict(config),
                model,
                speed if name in LIVE else None,
                windows,
            ]
            path = store.path(name, stream.name, inputs)
            watcher = watch(stream) if name == REFERENCE else None
            run = None if watcher else store.load(path)
            tell.start(name, stream.name)
            cached = run is not None
            if run is None:
                try:
                    run = _replay(name, stream, family, config, windows, speed, watcher, tell)
                except ArmUnavailable as error:
                    if name in (REFERENCE, ORACLE):
                        raise
                    outcome.unavailable[name] = str(error)
                    del outcome.runs[name]
                    tell.done(cached=True)
                    continue
                store.save(path, run)
            tell.done(cached=cached)
            outcome.runs[name].append(run)
            if name == REFERENCE:
                windows = {q.id: tuple(q.window) for q in run.questions}
    return outcome


def _replay(
    name: str,
    stream: Replayed,
    family: Family,
    config: EngineConfig,
    windows: dict[str, tuple[int, ...]],
    speed: float,
    watcher: Watcher | None,
    tell: Progress,
) -> ArmRun:
    return replay(
        lambda counted: make_arm(name, counted, config, windows, speed),
        name,
        stream.name,
        stream.images(),
        stream.questions,
        family,
        config,
        watch=watcher,
        progress=tell.frame,
    )
