# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A standing question as a table: when it is due, and which answers are told as a change.

Stamps are whole seconds of the images' time, `now` is seconds of a steady clock.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from vlmaxxing_ros.ros.watch import RETRY, Change, Known, Watch
from vlmaxxing_ros.ros.watch_settings import WatchConfig

SECOND = 10**9
BLOCKS = 12  # of the region


def watch(**settings: Any) -> Watch:
    given = {'question': 'open?', 'choices': ('open', 'closed'), **settings}
    return Watch('gripper', WatchConfig(**given))


def said(text: str, at: float, sure: float = 0.9) -> Known:
    """An answer about the image of that second."""
    probabilities = (sure, 1.0 - sure) if text == 'open' else (1.0 - sure, sure)
    return Known.answered(text, probabilities, stamp=round(at * SECOND), frame_id='lens')


def seen(at: float, changed: int = 0) -> tuple[float, int]:
    """An image, and how much has changed since the last answer's evidence."""
    return at, changed


def play(asked: Watch, *steps: Known | tuple[float, int]) -> list[tuple[str, str, float, float]]:
    """Changes told, as (from, to, evidence before, evidence after)."""
    told: list[Change | None] = []
    for step in steps:
        if isinstance(step, Known):
            told.append(asked.answered(step, now=step.stamp * 1e-9))
        else:
            told.append(asked.seen(round(step[0] * SECOND), step[1], BLOCKS))
    return [
        (
            change.before.text if change.before else '',
            change.after.text,
            (change.before.until if change.before else 0) / SECOND,
            change.after.since / SECOND,
        )
        for change in told
        if change is not None
    ]


OPEN, CLOSED = ('', 'open', 0, 1), ('open', 'closed')


@pytest.mark.parametrize(
    ('settings', 'steps', 'told'),
    [
        ({}, [said('open', 1)], [OPEN]),
        ({}, [said('open', 1), seen(2), seen(3), said('open', 4)], [OPEN]),
        ({}, [said('open', 1), said('closed', 2)], [OPEN, (*CLOSED, 1, 2)]),
        # What nothing relevant happened in between is known of the answer before.
        ({}, [said('open', 1), seen(2), seen(3, 1), said('closed', 4)], [OPEN, (*CLOSED, 2, 4)]),
        # Unsure answers are none, and say nothing of the one before.
        (
            {'min_probability': 0.8},
            [said('open', 1), said('closed', 2, 0.7), seen(3), said('closed', 4, 0.8)],
            [OPEN, (*CLOSED, 1, 4)],
        ),
        ({'min_probability': 0.8}, [said('open', 1, 0.79)], []),
        # Another answer counts once it has held, asked again or not.
        ({'hold': 2.0}, [said('open', 1), seen(2)], []),
        ({'hold': 2.0}, [said('open', 1), seen(2), seen(3)], [OPEN]),
        ({'hold': 2.0}, [said('open', 1), said('open', 2), said('open', 3)], [OPEN]),
        ({'hold': 2.0}, [said('open', 1), seen(2.9, 5), said('open', 3)], [OPEN]),
        ({'hold': 2.0}, [said('open', 1), seen(3, 5)], []),
        (
            {'hold': 2.0},
            [said('open', 1), seen(3), said('closed', 4), said('open', 5), said('closed', 6)],
            [OPEN],
        ),
        (
            {'hold': 2.0},
            [said('open', 1), seen(3), said('closed', 4), said('closed', 6)],
            [OPEN, (*CLOSED, 3, 4)],
        ),
        # Doubt in between begins the time anew.
        (
            {'hold': 2.0, 'min_probability': 0.8},
            [said('open', 1), said('open', 2, 0.6), said('open', 3), seen(4)],
            [],
        ),
    ],
)
def test_what_is_told(settings: dict[str, Any], steps: list[Any], told: list[Any]) -> None:
    assert play(watch(**settings), *steps) == told


@pytest.mark.parametrize(
    ('settings', 'steps', 'due_at'),
    [
        # Never asked, it is due at once; answered, when something changes.
        ({}, [], -math.inf),
        ({}, [said('open', 1)], math.inf),
        ({}, [said('open', 1), seen(2), seen(3)], math.inf),
        ({}, [said('open', 1), seen(2, 1)], -math.inf),
        ({}, [said('open', 1), seen(2, 1), said('open', 3)], math.inf),
        # How much matters; never more than the region has.
        ({'changed_blocks': 3}, [said('open', 1), seen(2, 2)], math.inf),
        ({'changed_blocks': 3}, [said('open', 1), seen(2, 3)], -math.inf),
        ({'changed_blocks': 1000}, [said('open', 1), seen(2, BLOCKS - 1)], math.inf),
        ({'changed_blocks': 1000}, [said('open', 1), seen(2, BLOCKS)], -math.inf),
        # After its period, if there is another image by then.
        ({'period': 10.0}, [said('open', 1)], math.inf),
        ({'period': 10.0}, [said('open', 1), seen(2)], 11.0),
        ({'period': 10.0}, [said('open', 1), seen(2, 1)], -math.inf),
        ({'period': 10.0}, [said('open', 1), seen(2), said('open', 5), seen(6)], 15.0),
        # An answer that does not count is not asked for again before something changes.
        ({'min_probability': 0.8}, [said('open', 1, 0.5), seen(2)], math.inf),
    ],
)
def test_when_it_is_due(settings: dict[str, Any], steps: list[Any], due_at: float) -> None:
    asked = watch(**settings)
    play(asked, *steps)
    assert asked.due_at == due_at


@pytest.mark.parametrize(
    ('settings', 'steps', 'true_as_of'),
    [
        ({}, [said('open', 1)], 1),
        ({}, [said('open', 1), seen(2), seen(3)], 3),
        ({'changed_blocks': 2}, [said('open', 1), seen(2, 1)], 2),
        ({}, [said('open', 1), seen(2), seen(3, 1), seen(4, 1)], 2),
        ({}, [said('open', 1), seen(2), seen(3, 1), said('open', 4), seen(5)], 5),
        ({'hold': 9.0}, [said('open', 1), seen(2), seen(10), said('closed', 11), seen(12)], 10),
        ({'min_probability': 0.8}, [said('open', 1), said('open', 2, 0.5), seen(3)], 1),
    ],
)
def test_up_to_when_the_answer_is_known_to_hold(
    settings: dict[str, Any], steps: list[Any], true_as_of: float
) -> None:
    asked = watch(**settings)
    play(asked, *steps)
    assert asked.told is not None
    assert asked.told.until == true_as_of * SECOND


def test_a_question_that_failed_is_asked_again_later_and_what_is_known_stays() -> None:
    asked = watch(period=10.0)
    play(asked, said('open', 1), seen(12))
    asked.failed('TIMEOUT: too slow', now=12.0)
    assert asked.due_at == 12.0 + RETRY
    assert asked.trouble == 'TIMEOUT: too slow'
    play(asked, seen(13))
    assert asked.told is not None
    assert asked.told.until == 13 * SECOND, 'nothing has changed all the same'
    assert play(asked, said('open', 14)) == []
    assert asked.trouble == ''


def test_a_stream_that_begins_anew_is_asked_about_and_the_same_answer_is_no_change() -> None:
    asked = watch(hold=2.0)
    assert play(asked, said('open', 100), seen(103)) == [('', 'open', 0, 100)]
    play(asked, said('closed', 104))
    asked.failed('MODEL_ERROR: out of memory', now=104.0)
    asked.begin_anew()
    assert asked.due_at == -math.inf
    assert play(asked, seen(1), seen(2)) == [], 'there is nothing to hold'
    assert play(asked, said('open', 3), seen(4)) == []
    assert asked.told is not None
    assert (asked.told.since, asked.told.until) == (3 * SECOND, 4 * SECOND)
    assert play(asked, said('closed', 5)) == [], 'what was another answer before counts no more'


def test_why_an_answer_does_not_count_is_said_until_one_does() -> None:
    asked = watch(min_probability=0.8)
    play(asked, said('open', 1, 0.6))
    assert asked.trouble == "not sure: 'open' with 0.600, below min_probability 0.8"
    play(asked, said('open', 2))
    assert (asked.trouble, asked.answers) == ('', 2)


def test_an_open_question_changes_with_its_text() -> None:
    asked = Watch('colors', WatchConfig(question='what colors are the blocks?'))
    texts = [Known.answered(text, stamp=at) for at, text in enumerate(('red', 'red', 'red blue'))]
    told = [asked.answered(text, now=0.0) for text in texts]
    assert [change.after.text for change in told if change] == ['red', 'red blue']
