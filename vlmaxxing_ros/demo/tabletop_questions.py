# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What can be asked about a tabletop, and the true answer.

A question is about the frames shown. State questions (where, at, colors, count, exists, gripper,
describe) are about the *last* frame. Change questions compare the *first* and the last frame:

- a block *moves* when it is in both and its place on the table differs by at least `MOVED`
  of the picture; below `STILL` it rests; in between nothing is asked that depends on it;
- a block *appeared* when it is in the last frame only, *disappeared* when in the first only;
- a gripper between open and closed, a block on the border of two of the nine cells, two blocks
  in the cell that is asked for, two moving blocks where one colour is asked for: not asked.
  Only `describe` names a cell for a block on a border; whoever scores it asks for `Scene.clear`.

Knows nothing about pixels or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vlmaxxing_ros.demo.tabletop_state import COLORS, State

CELLS = (
    'top left', 'top', 'top right',
    'left', 'center', 'right',
    'bottom left', 'bottom', 'bottom right',
)  # fmt: skip
"""The nine cells of the picture, in thirds, row by row."""

DIRECTIONS = ('left', 'right', 'up', 'down')
MOVED, STILL, BORDER = 0.12, 0.03, 0.025

STATE_FAMILIES = ('where', 'at', 'colors', 'count', 'exists', 'gripper', 'describe')
CURRENT_STATE = ('where', 'colors', 'count', 'exists', 'gripper')
CHANGE_FAMILIES = (
    'mover', 'moved', 'direction', 'motion', 'event', 'appeared', 'disappeared', 'motions',
)  # fmt: skip
DENSE_FAMILIES = ('colors', 'describe', 'motions')

PHRASES: dict[str, tuple[str, ...]] = {
    'where': ('Where is the {} block?', 'Where is the {} block now?'),
    'at': ('Which block is at the {}?',),
    'colors': ('What colors are the blocks?', 'Which colors do you see?'),
    'count': ('How many blocks are there?', 'How many blocks do you see?'),
    'exists': ('Is there a {} block?', 'Do you see a {} block?'),
    'gripper': ('Is the gripper open or closed?', 'What is the state of the gripper?'),
    'describe': ('Describe what you see.',),
    'mover': ('Which block moves?', 'Which block is moving?'),
    'moved': ('Does the {} block move?', 'Is the {} block moving?'),
    'direction': (
        'In which direction does the {} block move?',
        'Which way does the {} block move?',
    ),
    'motion': ('Is anything moving?', 'Does any block move?'),
    'event': ('Did a block appear or disappear?',),
    'appeared': ('Which block appeared?',),
    'disappeared': ('Which block disappeared?',),
    'motions': ('How does each block move?', 'What happens?'),
}
"""The wordings per family. The model knows these and no others."""

ANSWERS: dict[str, tuple[str, ...]] = {
    'where': (*CELLS, 'not visible'),
    'at': (*COLORS, 'none'),
    'count': ('0', '1', '2', '3', '4', '5'),
    'exists': ('yes', 'no'),
    'gripper': ('open', 'closed'),
    'mover': (*COLORS, 'none'),
    'moved': ('yes', 'no'),
    'direction': DIRECTIONS,
    'motion': ('yes', 'no'),
    'event': ('appeared', 'disappeared', 'no'),
    'appeared': (*COLORS, 'none'),
    'disappeared': (*COLORS, 'none'),
}
"""All answers of the families that have a closed set of them."""

WEIGHTS: dict[str, float] = {
    'where': 2.0, 'at': 0.9, 'colors': 0.7, 'count': 0.9, 'exists': 0.5, 'gripper': 0.8,
    'describe': 1.2, 'mover': 2.0, 'moved': 1.8, 'direction': 1.5, 'motion': 1.5, 'event': 1.0,
    'appeared': 0.8, 'disappeared': 0.8, 'motions': 1.8,
}  # fmt: skip
"""How often a family is drawn for training."""


@dataclass(frozen=True)
class ClipQuestion:
    """One question with its answer; `choices` is empty for a free one."""

    family: str
    text: str
    answer: str
    choices: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """The text that the model is shown: the engine's closed-set form when there are choices."""
        if not self.choices:
            return self.text
        return f'{self.text}\nOptions: {", ".join(self.choices)}'


class Scene:
    """The truth about some frames, oldest first, and the questions it allows."""

    def __init__(self, states: Sequence[State]) -> None:
        if not states:
            raise ValueError('a question needs at least one frame')
        self.states = states
        self.now = states[-1]
        first = states[0]
        kept = [c for c in COLORS if c in first.placed and c in self.now.placed]
        self.shift = {
            c: (
                self.now.placed[c][0] - first.placed[c][0],
                self.now.placed[c][1] - first.placed[c][1],
            )
            for c in kept
        }
        self.appeared = [c for c in COLORS if c in self.now.placed and c not in first.placed]
        self.disappeared = [c for c in COLORS if c in first.placed and c not in self.now.placed]

    @property
    def clear(self) -> bool:
        """Whether no block lies on a border of the nine cells: then `describe` has one answer."""
        return not any(_on_border(*place) for place in self.now.blocks.values())

    def motion_of(self, color: str) -> str | None:
        """One of DIRECTIONS, 'still', 'appeared', 'disappeared'; None if unclear or never there."""
        if color in self.appeared:
            return 'appeared'
        if color in self.disappeared:
            return 'disappeared'
        if color not in self.shift:
            return None
        dx, dy = self.shift[color]
        far, near = max(abs(dx), abs(dy)), min(abs(dx), abs(dy))
        if far <= STILL:
            return 'still'
        if far < MOVED or near > 0.6 * far:
            return None
        if abs(dx) > abs(dy):
            return 'left' if dx < 0 else 'right'
        return 'up' if dy < 0 else 'down'

    def answer(self, family: str, about: str = '') -> str | None:
        """The true answer, or None where the question would be unclear.

        `about` is the colour (where, exists, moved, direction) or the cell (at).
        """
        seen = self.now.blocks
        if family == 'where':
            if about not in seen:
                return 'not visible'
            return None if _on_border(*seen[about]) else cell(*seen[about])
        if family == 'at':
            inside = [c for c, place in seen.items() if cell(*place) == about]
            if len(inside) > 1 or any(
                _on_border(*p) and (cell(*p) == about or _near(p, about)) for p in seen.values()
            ):
                return None
            return inside[0] if inside else 'none'
        if family == 'colors':
            return ' '.join(c for c in COLORS if c in seen) or 'none'
        if family == 'count':
            return str(len(seen))
        if family == 'exists':
            return 'yes' if about in seen else 'no'
        if family == 'gripper':
            return _grip(self.now.opening)
        if family == 'describe':
            grip = _grip(self.now.opening)
            if grip is None:
                return None
            return ' '.join([*(f'{c} {cell(*seen[c])}' for c in COLORS if c in seen), grip])
        return self._answer_change(family, about)

    def _answer_change(self, family: str, about: str) -> str | None:
        motions = {c: self.motion_of(c) for c in COLORS if self._ever(c)}
        if family == 'moved':
            motion = motions.get(about)
            if motion in DIRECTIONS or (about in self.shift and self._far(about)):
                return 'yes'
            return 'no' if motion == 'still' else None
        if family == 'direction':
            motion = motions.get(about)
            return motion if motion in DIRECTIONS else None
        if family in ('mover', 'motion'):
            movers = [c for c in self.shift if self._far(c)]
            unclear = [c for c in self.shift if not self._far(c) and motions[c] != 'still']
            if family == 'motion':
                return 'yes' if movers else (None if unclear else 'no')
            if unclear or len(movers) > 1:
                return None
            return movers[0] if movers else 'none'
        if family == 'event':
            if self.appeared and self.disappeared:
                return None
            return 'appeared' if self.appeared else 'disappeared' if self.disappeared else 'no'
        if family in ('appeared', 'disappeared'):
            which = self.appeared if family == 'appeared' else self.disappeared
            return None if len(which) > 1 else which[0] if which else 'none'
        if family == 'motions':
            if any(motion is None for motion in motions.values()):
                return None
            return ' '.join(f'{c} {motion}' for c, motion in motions.items()) or 'none'
        raise ValueError(f'unknown family {family!r}')

    def _ever(self, color: str) -> bool:
        return color in self.shift or color in self.appeared or color in self.disappeared

    def _far(self, color: str) -> bool:
        return max(abs(v) for v in self.shift[color]) >= MOVED

    def subjects(self, family: str) -> tuple[str, ...]:
        """What a question of this family can be about."""
        if family in ('where', 'exists'):
            return tuple(COLORS)
        if family == 'at':
            return CELLS
        if family in ('moved', 'direction'):
            return tuple(self.shift)
        return ('',)

    def draw(
        self, rng: np.random.Generator, family: str, *, closed: bool = False
    ) -> ClipQuestion | None:
        """A random question of this family (its rarer answers more often), or None.

        `closed` adds choices: the answer among a few others, shuffled.
        """
        subjects = list(self.subjects(family))
        if family in ('where', 'at', 'exists') and len(subjects) > 1:
            present = (
                [s for s in subjects if s in self.now.blocks]
                if family != 'at'
                else sorted({cell(*place) for place in self.now.blocks.values()})
            )
            share = {'where': 0.9, 'at': 0.75, 'exists': 0.5}[family]
            if present:
                wanted = rng.random() < share
                subjects = [s for s in subjects if (s in present) == wanted] or subjects
        if family == 'moved':
            movers = [s for s in subjects if self._far(s)]
            if movers and rng.random() < 0.5:
                subjects = movers
        if family == 'direction':
            subjects = [s for s in subjects if self._far(s)]
        if not subjects:
            return None
        about = subjects[int(rng.integers(len(subjects)))]
        answer = self.answer(family, about)
        if answer is None:
            return None
        phrases = PHRASES[family]
        text = phrases[int(rng.integers(len(phrases)))].format(about)
        choices: tuple[str, ...] = ()
        if closed and family in ANSWERS:
            others = [a for a in ANSWERS[family] if a != answer]
            rng.shuffle(others)
            kept = [answer, *others[: int(rng.integers(1, 4))]]
            rng.shuffle(kept)
            choices = tuple(kept)
        return ClipQuestion(family, text, answer, choices)


def cell(x: float, y: float) -> str:
    """The cell of a place given in fractions of the picture."""
    column, row = (min(2, max(0, int(v * 3))) for v in (x, y))
    return CELLS[3 * row + column]


def _on_border(x: float, y: float) -> bool:
    return any(abs(v - border) < BORDER for v in (x, y) for border in (1 / 3, 2 / 3))


def _near(place: tuple[float, float], about: str) -> bool:
    """Whether the place would be in the cell if it were moved by the border's width."""
    shifts = (-BORDER, BORDER)
    return any(cell(place[0] + dx, place[1] + dy) == about for dx in shifts for dy in shifts)


def _grip(opening: float) -> str | None:
    if 0.25 < opening < 0.75:
        return None
    return 'open' if opening > 0.5 else 'closed'
