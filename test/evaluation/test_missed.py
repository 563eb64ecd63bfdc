# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A truth that changes, what was told of it, and what is said of the teller; in seconds."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.evaluation.missed import Judgement, Span, judge, spans
from vlmaxxing_ros.evaluation.standing import ToldChange

TRUTHS = [(0.0, None), (1.0, 'open'), (2.0, 'open'), (3.0, None), (4.0, 'closed'), (9.0, 'closed')]
TWO = spans(TRUTHS)
VISIT = spans([(0.0, 'no'), (1.0, 'yes'), (1.1, 'yes'), (1.2, 'no'), (9.0, 'no')])


def told(*changes: tuple[str, float, float]) -> list[ToldChange]:
    """(answer, of the image of which second, when)."""
    return [ToldChange(*change) for change in changes]


def test_a_truth_is_true_until_another_one_is() -> None:
    assert [Span('open', 1.0, 2.0, 4.0), Span('closed', 4.0, 9.0)] == TWO
    assert [span.brief for span in VISIT] == [False, True, False]


@pytest.mark.parametrize(
    ('truth', 'changes', 'found'),
    [
        (TWO, told(('open', 1.0, 1.5), ('closed', 4.0, 4.5)), Judgement(changes=1, delays=[0.5])),
        # While it is unclear both are true; nobody is early.
        (TWO, told(('open', 1.0, 1.5), ('closed', 3.0, 3.5)), Judgement(changes=1, delays=[0.0])),
        (TWO, told(('open', 1.0, 1.5)), Judgement(changes=1, missed=1)),
        # Said too early it is false, and then there is nothing to tell.
        (
            TWO,
            told(('open', 1.0, 1.1), ('closed', 1.5, 1.6)),
            Judgement(changes=1, missed=1, false=1),
        ),
        # False and taken back: both are told, the truth is not missed.
        (
            TWO,
            told(
                ('open', 1.0, 1.1), ('closed', 1.5, 1.6), ('open', 2.0, 2.1), ('closed', 5.0, 5.5)
            ),
            Judgement(changes=1, false=1, delays=[1.5]),
        ),
        (
            TWO,
            told(('red', 0.0, 0.5), ('open', 1.0, 1.5), ('closed', 8.0, 9.5)),
            Judgement(changes=1, delays=[5.5]),
        ),
        # What is told after it is over was seen all the same.
        (
            VISIT,
            told(('no', 0.0, 0.5), ('yes', 1.1, 1.9), ('no', 1.2, 2.5)),
            Judgement(changes=2, brief=1, delays=[0.9, 1.3]),
        ),
        # What was missed and is undone is one change.
        (VISIT, told(('no', 0.0, 0.5)), Judgement(changes=1, missed=1, brief=1, brief_missed=1)),
    ],
)
def test_what_was_told_is_judged(
    truth: list[Span], changes: list[ToldChange], found: Judgement
) -> None:
    judged = judge(truth, changes)
    assert judged.delays == pytest.approx(found.delays)
    assert vars(judged) | {'delays': []} == vars(found) | {'delays': []}
