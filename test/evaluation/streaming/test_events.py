# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Which events are asked about: enough, apart, brief ones and second ones among them."""

from __future__ import annotations

import itertools

import pytest

from vlmaxxing_ros.demo.tabletop_questions import CHANGE_FAMILIES, Scene
from vlmaxxing_ros.evaluation.streaming.corpus import EVENTS, SETS, SLOTS, VIDEOS, WORLDS
from vlmaxxing_ros.evaluation.streaming.events import (
    FPS,
    SPACING,
    WINDOW,
    EventCase,
    World,
    choose_events,
)

Chosen = list[tuple[World, list[EventCase]]]


@pytest.fixture(scope='module', params=list(WORLDS))
def chosen(request: pytest.FixtureRequest) -> Chosen:
    """A family's worlds of the scored set, with their events."""
    first = SETS['scored'] + 1000 * list(WORLDS).index(request.param)
    found = []
    for seed in range(first, first + VIDEOS):
        world = WORLDS[request.param](seed=seed, slots=SLOTS)
        found.append((world, choose_events(world, seed=seed, limit=EVENTS)))
    return found


def test_a_family_has_twenty_events_half_of_them_after_another(chosen: Chosen) -> None:
    cases = [case for _, members in chosen for case in members]
    assert len(cases) >= 20
    assert sum(case.earlier is not None for case in cases) >= len(cases) / 2
    assert sum(case.brief for case in cases) >= 3


def test_windows_do_not_overlap(chosen: Chosen) -> None:
    for _, cases in chosen:
        moments = [case.question.at for case in cases]
        assert all(b - a >= SPACING > WINDOW for a, b in itertools.pairwise(moments))


def test_the_truth_changes_at_the_event_and_both_answers_can_be_chosen(chosen: Chosen) -> None:
    for _, cases in chosen:
        for case in cases:
            question = case.question
            assert question.answer != case.before
            assert {question.answer, case.before} <= set(question.choices)
            assert case.start < question.at


def test_an_earlier_event_lies_inside_the_window(chosen: Chosen) -> None:
    for _, cases in chosen:
        for case in cases:
            if case.earlier is not None:
                assert case.question.at - WINDOW <= case.earlier < case.start


def test_the_truth_of_a_change_does_not_hang_on_the_history(chosen: Chosen) -> None:
    for world, cases in chosen:
        for case in cases:
            task = case.question.task
            if task not in CHANGE_FAMILIES:
                continue
            now = int(case.question.at * FPS) / FPS
            for seconds in (2.0, 4.0, 6.5):
                scene = Scene([world.state(now - seconds), world.state(now)])
                truths = {scene.answer(task, subject) for subject in scene.subjects(task)}
                assert case.question.answer in truths
