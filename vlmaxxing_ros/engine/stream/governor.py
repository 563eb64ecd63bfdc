# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whether a question pays what is owed before it is answered.

A function of the evidence that there is, of what the question allows and of prices.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """What a question allows.

    Attributes:
        max_evidence_age: seconds; 0: it wants the newest evidence, inf: the fastest answer.
        time_left: seconds until its deadline; inf: it has none.
    """

    max_evidence_age: float = 0.0
    time_left: float = float('inf')


def pays(terms: Terms, *, age: float, price: float, answer: float) -> bool:
    """Decide.

    Args:
        terms: of the question.
        age: seconds since the newest image of which nothing is owed; inf: there is none.
        price: seconds that paying takes, estimated; inf: there is nothing without it.
        answer: seconds that the answer takes after that, estimated.
    """
    if terms.max_evidence_age > 0.0 and age <= terms.max_evidence_age:
        return False
    if age == float('inf'):
        return True  # there is nothing else to answer from
    return price + answer <= terms.time_left
