# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Which events of a world are asked about, when, and with which closed question.

The question's truth changes at the event: it was another one in the last frame before.  It is the
same for every history of 2 to 6.5 s, so that it does not hang on which frames an arm was shown.
Knows worlds and their truth; nothing of models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from vlmaxxing_ros.demo.recordings import Source
from vlmaxxing_ros.demo.scripted import BRIEF
from vlmaxxing_ros.demo.tabletop_questions import ANSWERS, CHANGE_FAMILIES, PHRASES, Scene
from vlmaxxing_ros.demo.tabletop_state import Event, State
from vlmaxxing_ros.evaluation.questions_file import TimedQuestion

FPS = 10.0
"""Frames per second of every recording."""

WINDOW = 4.0
"""Observation window before a question, in seconds."""

SPACING = 5.0
"""Seconds between two questions at least: an arm is charged for all that it did since the last."""

HISTORIES = (2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5)

_DELAYS = (0.0, 0.2, 0.6, 1.2)  # seconds from an event's end to the frame that is asked about
_AHEAD = 5.0  # seconds of events that are chosen from
_CLOSED = tuple(family for family in PHRASES if family in ANSWERS)


class World(Source, Protocol):
    """A scene with events and truth."""

    @property
    def duration(self) -> float:
        """Length in seconds."""
        ...

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that happens, in order."""
        ...

    def state(self, stamp: float) -> State:
        """What is true at `stamp` seconds."""
        ...

    def clear(self, stamp: float) -> bool:
        """Whether nothing is cut by the picture's edge."""
        ...


@dataclass(frozen=True, kw_only=True)
class EventCase:
    """One event and the question about it.

    Attributes:
        kind: what happens.
        start, end: when, in seconds of the recording.
        before: what was true in the last frame before the event.
        earlier: start of the newest earlier event inside the observation window, None without:
            a cache that stopped there is stale.
        question: with its moment, choices and truth; `before` is among the choices.
    """

    kind: str
    start: float
    end: float
    before: str
    earlier: float | None
    question: TimedQuestion

    @property
    def brief(self) -> bool:
        """Whether it was over in a fifth of a second."""
        return 0.0 < self.end - self.start <= BRIEF + 1e-6


def choose_events(
    world: World, *, seed: int, prefix: str = '', limit: int | None = None
) -> list[EventCase]:
    """Events in order of time, `SPACING` apart.

    Where there is a choice, every fourth is brief and every second has an earlier event inside its
    observation window.
    """
    rng = np.random.default_rng((seed, 0xE7))
    chosen: list[EventCase] = []
    last = 0.0
    events = [event for event in world.events if event.start > WINDOW / 2]
    while limit is None or len(chosen) < limit:
        cases = _within(world, events, rng, last + SPACING)
        if not cases:
            return chosen
        stale = sum(case.earlier is not None for case in chosen)
        wanted = 2 * stale < len(chosen) + 1
        brief = sum(case.brief for case in chosen)
        briefs = 4 * brief < len(chosen) + 1
        best = min(
            cases,
            key=lambda case: (
                case.brief != briefs,
                (case.earlier is not None) != wanted,
                case.question.at,
            ),
        )
        name = f'{prefix}e{len(chosen):02d}-{best.kind}'
        chosen.append(replace(best, question=replace(best.question, id=name)))
        last = best.question.at
    return chosen


def _within(
    world: World, events: list[Event], rng: np.random.Generator, first: float
) -> list[EventCase]:
    """Cases that can be asked from `first` on: those of the first `_AHEAD` seconds."""
    cases: list[EventCase] = []
    for event in events:
        if cases and event.start > cases[0].start + _AHEAD:
            break
        case = _case(world, event, rng, first)
        if case is not None:
            cases.append(case)
    return cases


def _case(world: World, event: Event, rng: np.random.Generator, first: float) -> EventCase | None:
    """The event with a question, or None where nothing can be asked about it in time."""
    end = math.ceil(event.end * FPS - 1e-6)
    if event.kind == 'visit':
        frames = [end - 1]  # while it lasts
    else:
        frames = [end + round(delay * FPS) for delay in rng.permutation(_DELAYS)]
    before = math.ceil(event.start * FPS - 1e-6) - 1
    for frame in frames:
        at = (frame + 0.5) / FPS
        if at < first or at > world.duration - 0.1 or not world.clear(frame / FPS):
            continue
        question = _question(world, event, rng, frame / FPS, before / FPS)
        if question is None:
            continue
        asked, was = question
        earlier = [
            other.start
            for other in world.events
            if other is not event and at - WINDOW <= other.start < event.start
        ]
        return EventCase(
            kind=event.kind,
            start=event.start,
            end=event.end,
            before=was,
            earlier=max(earlier, default=None),
            question=replace(asked, at=round(at, 4)),
        )
    return None


def _question(
    world: World, event: Event, rng: np.random.Generator, now: float, before: float
) -> tuple[TimedQuestion, str] | None:
    """A closed question whose truth changed at the event, and what was true before."""
    grip = event.kind in ('open', 'close')
    for family in rng.permutation(_CLOSED):
        if (family == 'gripper') != grip:
            continue
        subjects = Scene([world.state(now)]).subjects(family)
        for about in (event.color,) if event.color in subjects else rng.permutation(subjects):
            truth, was = (_truth(world, at, str(family), str(about)) for at in (now, before))
            if truth is None or was is None or truth == was:
                continue
            if family == 'at' and event.color not in ('', truth, was):
                continue  # some other block's doing
            phrases = PHRASES[str(family)]
            text = phrases[int(rng.integers(len(phrases)))].format(about)
            others = [a for a in ANSWERS[str(family)] if a not in (truth, was)]
            rng.shuffle(others)
            choices = [truth, was, *others[: int(rng.integers(0, 3))]]
            rng.shuffle(choices)
            return TimedQuestion(
                id='-',
                at=0.0,
                task=str(family),
                question=text,
                choices=tuple(choices),
                answer=truth,
            ), was
    return None


def _truth(world: World, stamp: float, family: str, about: str) -> str | None:
    """The answer at `stamp`; None where it is unclear, or hangs on how far back one looks."""
    now = world.state(stamp)
    if family not in CHANGE_FAMILIES:
        return Scene([now]).answer(family, about) if world.clear(stamp) else None
    begins = [stamp - seconds for seconds in HISTORIES]
    if begins[-1] < 0 or not all(world.clear(begin) for begin in begins):
        return None
    answers = {Scene([world.state(begin), now]).answer(family, about) for begin in begins}
    return answers.pop() if len(answers) == 1 else None
