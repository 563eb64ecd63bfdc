# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The true answers, on scenes written by hand and on drawn ones."""

from __future__ import annotations

import numpy as np
import pytest

from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import ANSWERS, CHANGE_FAMILIES, PHRASES, Scene, cell
from vlmaxxing_ros.demo.tabletop_state import State

MIDDLE = (0.5, 0.5)


def state(opening: float = 1.0, **blocks: tuple[float, float]) -> State:
    return State(0.0, dict(blocks), dict(blocks), opening, (0.5, 0.2))


@pytest.mark.parametrize(
    ('family', 'about', 'answer'),
    [
        ('where', 'red', 'top left'),
        ('where', 'blue', 'not visible'),
        ('at', 'top left', 'red'),
        ('at', 'bottom right', 'none'),
        ('colors', '', 'red green'),
        ('count', '', '2'),
        ('exists', 'green', 'yes'),
        ('exists', 'blue', 'no'),
        ('gripper', '', 'open'),
        ('describe', '', 'red top left green center open'),
        ('mover', '', 'none'),
        ('event', '', 'no'),
    ],
)
def test_a_table_at_rest(family: str, about: str, answer: str) -> None:
    resting = state(red=(0.2, 0.2), green=MIDDLE)
    assert Scene([resting, resting]).answer(family, about) == answer


@pytest.mark.parametrize(
    ('place', 'direction'),
    [((0.2, 0.5), 'left'), ((0.8, 0.5), 'right'), ((0.5, 0.2), 'up'), ((0.5, 0.8), 'down')],
)
def test_a_move_has_a_direction(place: tuple[float, float], direction: str) -> None:
    scene = Scene([state(red=MIDDLE, blue=(0.2, 0.8)), state(red=place, blue=(0.2, 0.8))])
    assert scene.answer('direction', 'red') == direction
    assert scene.answer('mover') == 'red'
    assert scene.answer('motion') == 'yes'
    assert scene.answer('moved', 'blue') == 'no'
    assert scene.answer('motions') == f'red {direction} blue still'


def test_appearing_and_disappearing_are_told_from_the_first_and_the_last_frame() -> None:
    one, two = state(red=MIDDLE), state(red=MIDDLE, blue=(0.2, 0.2))
    assert Scene([one, two]).answer('event') == 'appeared'
    assert Scene([one, two]).answer('appeared') == 'blue'
    assert Scene([two, one, one]).answer('disappeared') == 'blue'
    assert Scene([one, two, one]).answer('event') == 'no'


def test_a_camera_that_pans_moves_no_block() -> None:
    seen = State(1.0, {'red': (0.3, 0.5)}, {'red': MIDDLE}, 1.0, (0.5, 0.2))
    assert Scene([state(red=MIDDLE), seen]).answer('motion') == 'no'


@pytest.mark.parametrize(
    ('scene', 'family', 'about'),
    [
        (Scene([state(red=(1 / 3, 0.5))]), 'where', 'red'),
        (Scene([state(opening=0.5)]), 'gripper', ''),
        (Scene([state(red=MIDDLE), state(red=(0.57, 0.5))]), 'motion', ''),
        (Scene([state(red=MIDDLE), state(red=(0.8, 0.75))]), 'direction', 'red'),
        (Scene([state(red=MIDDLE), state(blue=MIDDLE)]), 'event', ''),
        (Scene([state(red=(0.45, 0.5), blue=(0.55, 0.5))]), 'at', 'center'),
    ],
)
def test_unclear_questions_have_no_answer(scene: Scene, family: str, about: str) -> None:
    assert scene.answer(family, about) is None


def test_a_scene_is_clear_when_no_block_lies_on_a_border() -> None:
    assert Scene([state(red=MIDDLE)]).clear
    assert not Scene([state(red=MIDDLE, blue=(0.9, 2 / 3))]).clear


def test_closed_sets_hold_the_answer_once_and_only_real_answers() -> None:
    rng = np.random.default_rng(0)
    drawn = 0
    for seed in range(30):
        world = Tabletop(seed=seed, duration=4, pause=1.0)
        scene = Scene([world.state(t) for t in (0.0, 2.0, 4.0)])
        for family in ANSWERS:
            question = scene.draw(rng, family, closed=True)
            if question is not None:
                drawn += 1
                assert question.choices.count(question.answer) == 1
                assert set(question.choices) <= set(ANSWERS[family])
                assert question.prompt.endswith('\nOptions: ' + ', '.join(question.choices))
    assert drawn > 200


def test_every_family_is_drawn_from_streams() -> None:
    rng = np.random.default_rng(1)
    answers: dict[str, set[str]] = {family: set() for family in PHRASES}
    for seed in range(150):
        world = Tabletop(seed=seed, duration=6, pause=1.5)
        scene = Scene([world.state(t) for t in np.arange(0, 6, 0.75)])
        for family in PHRASES:
            question = scene.draw(rng, family)
            if question is not None:
                answers[family].add(question.answer)
    for family, closed in ANSWERS.items():
        assert answers[family] == set(closed)
    assert all(len(answers[family]) > 1 for family in CHANGE_FAMILIES)


def test_cells_cover_the_picture() -> None:
    assert cell(0.1, 0.1) == 'top left'
    assert cell(0.5, 0.99) == 'bottom'
    assert cell(1.01, -0.01) == 'top right'
