# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whether a question pays first, or settles: what it allows against what that costs."""

from __future__ import annotations

import math

import pytest

from vlmaxxing_ros.engine.stream.governor import Terms, pays, settles


@pytest.mark.parametrize(
    ('terms', 'age', 'price', 'expected'),
    [
        (Terms(), 3.0, 1.0, True),  # the newest evidence, however long it takes
        (Terms(max_evidence_age=math.inf), 3.0, 1.0, False),  # the fastest answer
        (Terms(max_evidence_age=5.0), 3.0, 1.0, False),  # young enough
        (Terms(max_evidence_age=2.0), 3.0, 1.0, True),  # too old
        (Terms(time_left=1.3), 3.0, 1.0, True),  # just in time: the answer takes 0.25 s
        (Terms(time_left=1.2), 3.0, 1.0, False),  # it would be late
        (Terms(time_left=0.1), math.inf, 1.0, True),  # there is nothing else to answer from
        (Terms(max_evidence_age=math.inf), math.inf, 1.0, True),
        (Terms(time_left=0.3), 3.0, 0.0, True),  # nothing is known of prices yet
    ],
)
def test_who_pays(terms: Terms, age: float, price: float, expected: bool) -> None:
    assert pays(terms, age=age, price=price, answer=0.25) is expected


@pytest.mark.parametrize(
    ('terms', 'margin', 'spent', 'expected'),
    [
        (Terms(), 0.9, 0.0, True),  # not sure, and there is time
        (Terms(), 1.0, 0.0, False),  # sure
        (Terms(max_evidence_age=math.inf), 0.9, 0.0, False),  # the fastest answer
        (Terms(max_evidence_age=5.0), 0.9, 0.0, True),  # it may be old: that is not to be unsure
        (Terms(time_left=1.5), 0.9, 0.2, True),  # just in time: price 1 s, answer 0.25 s
        (Terms(time_left=1.5), 0.9, 0.3, False),  # the answer that was begun took too much of it
    ],
)
def test_who_settles(terms: Terms, margin: float, spent: float, expected: bool) -> None:
    decided = settles(terms, margin=margin, least=1.0, spent=spent, price=1.0, answer=0.25)
    assert decided is expected
