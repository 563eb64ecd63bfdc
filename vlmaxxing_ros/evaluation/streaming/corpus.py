# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The corpus: three families of recordings with their events, in three sets of seeds kept apart.

`development` is what anything may be chosen on; `stage0` and `scored` are asked once.  Training's
seeds stay below 2^41, those of the tabletop evaluation begin at 2^52.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vlmaxxing_ros.demo.conveyor import Conveyor
from vlmaxxing_ros.demo.patrol import Patrol
from vlmaxxing_ros.demo.recordings import write_recording
from vlmaxxing_ros.demo.scripted import LEAD, SLOT, ScriptedTabletop
from vlmaxxing_ros.evaluation.questions_file import TimedQuestion
from vlmaxxing_ros.evaluation.streaming.events import FPS, EventCase, World, choose_events

SETS: dict[str, int] = {'development': 2**53, 'stage0': 2**54, 'scored': 2**57}
"""Name of a set to its first seed."""

WORLDS: dict[str, Callable[..., World]] = {
    'tabletop': ScriptedTabletop,
    'conveyor': Conveyor,
    'patrol': Patrol,
}
"""The families: a fixed camera, a moving belt, a moving camera."""

SLOTS = 7
EVENTS = 6
"""Slots and events of a recording."""

VIDEOS = 4
"""Recordings per family, of the scored and of the development set."""

STAGE0_EVENTS = 2
"""Events of each of stage 0's three recordings, one per family: six pair keys."""

SET_UP = 'set-up'
"""Id of the question that every recording begins with: it is paid for the start of the stream, is
reported apart and is not scored."""


@dataclass(frozen=True)
class EventVideo:
    """One recording and what is asked about it."""

    family: str
    name: str
    folder: Path
    cases: list[EventCase]

    @property
    def questions(self) -> list[TimedQuestion]:
        """What is asked, in order of time; the set-up question first."""
        first = TimedQuestion(
            id=SET_UP, at=1.55, task=SET_UP, question='Is anything moving?', choices=('yes', 'no')
        )
        return [first, *(case.question for case in self.cases)]

    @property
    def sha256(self) -> str:
        """Of the recording's images, as they lie on disk."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.glob('*.mcap')):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    @property
    def media(self) -> Path:
        """The file that holds the images."""
        return next(iter(sorted(self.folder.glob('*.mcap'))))


def make_video(out: Path, name: str, family: str, number: int, events: int = EVENTS) -> EventVideo:
    """Write one recording of a set; one that is there is kept, as it would be the same.

    Args:
        out: folder to write into.
        name: of the set, as in `SETS`.
        family: as in `WORLDS`.
        number: of the recording in its set and family.
        events: how many are asked about at most.
    """
    seed = SETS[name] + 1000 * list(WORLDS).index(family) + number
    slots = SLOTS if events > STAGE0_EVENTS else 2
    world = WORLDS[family](seed=seed, slots=slots)
    title = f'{name}-{family}-{number:02d}'
    folder = out / title
    cases = choose_events(world, seed=seed, prefix=f'{title}/', limit=events)
    if not (folder / 'metadata.yaml').exists():
        out.mkdir(parents=True, exist_ok=True)
        write_recording(folder, world, fps=FPS)
    return EventVideo(family, title, folder, cases)


def seconds_of(slots: int) -> float:
    """Length of a recording with so many slots."""
    return LEAD + SLOT * slots
