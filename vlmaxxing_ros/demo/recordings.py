# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Tabletop streams as rosbag2 recordings, with questions timed around their changes.

`python -m vlmaxxing_ros.demo.recordings --out DIR` writes the two demo recordings, with `--video
FILE` that file as a recording. Knows nothing about models; a question's truth comes from the world
that was rendered.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import yaml
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from vlmaxxing_ros.demo.clip import VideoClip
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import ANSWERS, CHANGE_FAMILIES, PHRASES, Scene

__all__ = [
    'ScriptedQuestion',
    'demo_recordings',
    'read_questions',
    'timed_questions',
    'truth',
    'write_questions',
    'write_recording',
]

TOPIC = '/camera/image'
START = 1_700_000_000_000_000_000
"""Stamp of a recording's first frame, in nanoseconds."""

WINDOWS = (2.5, 3.0, 3.5, 4.0, 4.5, 5.0)
"""Change questions are asked only where all these windows (s) agree on the answer, so that the
truth does not hang on which history a policy keeps."""

DEMO_WINDOWS = (4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0)
"""The same for the demo: the node keeps four to eight keyframes, one per second."""

AFFECTED = {
    'move': ('where', 'mover', 'direction', 'describe'),
    'appear': ('exists', 'count', 'colors', 'event', 'appeared'),
    'disappear': ('exists', 'where', 'count', 'colors', 'event', 'disappeared'),
    'open': ('gripper',),
    'close': ('gripper',),
}
"""The families whose answers an event changes."""


@dataclass(frozen=True)
class ScriptedQuestion:
    """One entry of the questions file.

    `at`: seconds after the recording's first frame, half a frame period after the frame that the
    question is about. `choices` is empty for a free question.
    """

    id: str
    task: str
    at: float
    camera: str
    question: str
    choices: list[str]
    answer: str


class Filmed(Protocol):
    """A frame of a stream: stamp in seconds, (H, W, 3) uint8 RGB."""

    @property
    def stamp(self) -> float: ...

    @property
    def image(self) -> np.ndarray: ...


class Source(Protocol):
    """What can be recorded: a tabletop, a clip."""

    def stream(self, fps: float) -> Iterable[Filmed]: ...


def write_recording(
    folder: Path,
    world: Source,
    *,
    fps: float = 10.0,
    storage: str = 'mcap',
    transport: str = 'raw',
    topic: str = TOPIC,
    frame_id: str = 'camera',
    start: int = START,
    jpeg_quality: int = 95,
) -> Path:
    """Record the world into the rosbag2 recording `folder`, which must not exist yet.

    storage: 'mcap' or 'sqlite3'. transport: 'raw' (sensor_msgs/Image, rgb8) or 'compressed'
    (sensor_msgs/CompressedImage, JPEG, on `topic`/compressed). start: nanoseconds.

    Raises ValueError for another storage or transport, WriterError where the folder exists.
    """
    plugins = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
    if storage not in plugins:
        raise ValueError(f'storage {storage!r}: choose mcap or sqlite3')
    if transport not in ('raw', 'compressed'):
        raise ValueError(f'transport {transport!r}: choose raw or compressed')
    types = get_typestore(Stores.ROS2_JAZZY)
    kind = 'sensor_msgs/msg/Image' if transport == 'raw' else 'sensor_msgs/msg/CompressedImage'
    name = topic if transport == 'raw' else f'{topic}/compressed'
    with Writer(folder, version=9, storage_plugin=plugins[storage]) as writer:
        connection = writer.add_connection(name, kind, typestore=types)
        for shot in world.stream(fps):
            stamp = start + round(shot.stamp * 1e9)
            time = types.types['builtin_interfaces/msg/Time'](stamp // 10**9, stamp % 10**9)
            header = types.types['std_msgs/msg/Header'](time, frame_id)
            height, width, _ = shot.image.shape
            if transport == 'raw':
                message = types.types[kind](
                    header, height, width, 'rgb8', 0, 3 * width, shot.image.reshape(-1)
                )
            else:
                bgr = cv2.cvtColor(shot.image, cv2.COLOR_RGB2BGR)
                _, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
                message = types.types[kind](header, 'jpeg', data.reshape(-1))
            writer.write(connection, stamp, types.serialize_cdr(message, kind))
    return folder


def timed_questions(
    world: Tabletop,
    *,
    fps: float = 10.0,
    seed: int = 0,
    camera: str = 'camera',
    prefix: str = '',
    closed_share: float = 0.4,
    windows: Sequence[float] = WINDOWS,
) -> list[ScriptedQuestion]:
    """The same question before, at and after each change, and a few about the whole table.

    Before: the last frame that does not show the change; at: the first that shows it complete;
    after: 1.5 s later. Sorted by time. Ids read `<prefix>e<event>-<moment>-<family>`. `windows`
    are the seconds of history over which the truth of a change has to be the same.
    """
    rng = np.random.default_rng((seed, 0x9E))
    asked: list[ScriptedQuestion] = []
    last = round(world.duration * fps) - 1
    for index, event in enumerate(world.events):
        before = int(np.ceil(event.start * fps - 1e-6)) - 1
        at = int(np.ceil(event.end * fps - 1e-6))
        after = at + round(1.5 * fps)
        if before < 0 or after > last:
            continue
        families = AFFECTED[event.kind]
        for family in rng.choice(families, size=min(3, len(families)), replace=False):
            about = event.color if family in ('where', 'exists', 'direction') else ''
            answers = {
                moment: answer
                for moment, frame in (('before', before), ('at', at), ('after', after))
                if (answer := truth(world, frame / fps, family, about, windows)) is not None
            }
            if not answers:
                continue
            choices = _choices(rng, family, set(answers.values()), closed_share)
            phrases = PHRASES[family]
            text = phrases[int(rng.integers(len(phrases)))].format(about)
            for moment, answer in answers.items():
                frame = {'before': before, 'at': at, 'after': after}[moment]
                name = f'{prefix}e{index:02d}-{moment}-{family}'
                when = round((frame + 0.5) / fps, 4)
                asked.append(
                    ScriptedQuestion(name, str(family), when, camera, text, choices, answer)
                )
    return sorted(asked, key=lambda q: q.at)


def truth(
    world: Tabletop, stamp: float, family: str, about: str, windows: Sequence[float]
) -> str | None:
    """The answer at `stamp`, or None where it is unclear or hangs on the history kept."""
    if family not in CHANGE_FAMILIES:
        scene = Scene([world.state(stamp)])
        return scene.answer(family, about) if family != 'describe' or scene.clear else None
    if stamp < max(windows):
        return None
    now = world.state(stamp)
    answers = {Scene([world.state(stamp - s), now]).answer(family, about) for s in windows}
    return answers.pop() if len(answers) == 1 else None


def _choices(
    rng: np.random.Generator, family: str, answers: set[str], closed_share: float
) -> list[str]:
    """For some questions, two to four choices with every answer that is ever right among them.

    So an answer from a stale cache can be chosen, too.
    """
    if family not in ANSWERS or rng.random() >= closed_share:
        return []
    others = [a for a in ANSWERS[family] if a not in answers]
    rng.shuffle(others)
    kept = [*sorted(answers), *others[: max(0, int(rng.integers(2, 5)) - len(answers))]]
    rng.shuffle(kept)
    return kept


def write_questions(path: Path, questions: Iterable[ScriptedQuestion]) -> None:
    """The questions file: a YAML list, one mapping per question."""
    path.write_text(yaml.safe_dump([asdict(q) for q in questions], sort_keys=False))


def read_questions(path: Path) -> list[ScriptedQuestion]:
    """The questions of a file that `write_questions` wrote.

    Raises ValueError where an entry has not exactly the fields of ScriptedQuestion.
    """
    try:
        return [ScriptedQuestion(**entry) for entry in yaml.safe_load(path.read_text()) or []]
    except TypeError as error:
        raise ValueError(f'{path}: {error}') from error


def demo_recordings(
    out: Path, *, duration: float = 24.0, fps: float = 10.0, size: tuple[int, int] = (168, 224)
) -> dict[str, tuple[Path, Path]]:
    """Write the two demo recordings; name to (recording folder, questions file).

    `calm`: little happens (raw, mcap). `eventful`: something every second or two (JPEG, sqlite3).
    Existing folders are kept as they are: the same call would write the same.
    """
    out.mkdir(parents=True, exist_ok=True)
    made = {}
    for name, seed, pause, storage, transport in (
        ('calm', 3, 5.0, 'mcap', 'raw'),
        ('eventful', 5, 0.9, 'sqlite3', 'compressed'),
    ):
        world = Tabletop(seed=seed, size=size, duration=duration, pause=pause)
        folder, questions = out / name, out / f'{name}.questions.yaml'
        if not (folder / 'metadata.yaml').exists():
            write_recording(
                folder,
                world,
                fps=fps,
                storage=storage,
                transport=transport,
                frame_id=f'{name}_optical_frame',
            )
        asked = timed_questions(world, fps=fps, seed=seed, prefix=f'{name}-', windows=DEMO_WINDOWS)
        write_questions(questions, asked)
        made[name] = folder, questions
    return made


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description='Write the two demo recordings, or a video as one.'
    )
    parser.add_argument('--out', type=Path, required=True, help='folder to write into')
    parser.add_argument('--duration', type=float, default=24.0, help='seconds per recording')
    parser.add_argument('--fps', type=float, default=10.0, help='frames per second')
    parser.add_argument('--video', type=Path, help='record this video file instead')
    args = parser.parse_args()
    if args.video:
        clip = VideoClip(args.video, args.duration)
        print(write_recording(args.out / args.video.stem, clip, fps=args.fps))
        return
    for name, (folder, questions) in demo_recordings(
        args.out, duration=args.duration, fps=args.fps
    ).items():
        print(f'{name}: {folder} with {len(read_questions(questions))} questions in {questions}')


if __name__ == '__main__':
    main()
