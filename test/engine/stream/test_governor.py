# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whether a question pays first: what it allows against what paying costs."""

from __future__ import annotations

import math

import pytest

from vlmaxxing_ros.engine.stream.governor import Terms, pays


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
