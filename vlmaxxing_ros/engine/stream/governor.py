# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whether a question pays what is owed before it is answered, and settles what was refreshed.

Functions of the evidence that there is, of what the question allows and of prices.
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
    if age == float('inf'):
        return True  # there is nothing else to answer from
    if terms.max_evidence_age > 0.0 and age <= terms.max_evidence_age:
        return False
    return price + answer <= terms.time_left


def settles(
    terms: Terms, *, margin: float, least: float, spent: float, price: float, answer: float
) -> bool:
    """Decide whether an answer from a refreshed tail waits until the tail is exact.

    Args:
        terms: of the question.
        margin: nats between the best first token, or choice, and the next.
        least: nats from which the answer counts as sure.
        spent: seconds that have passed since the terms were made.
        price: seconds that taking the frame whole takes, estimated.
        answer: seconds that the answer takes after that, estimated.
    """
    if margin >= least or terms.max_evidence_age == float('inf'):
        return False  # sure, or in a hurry
    return spent + price + answer <= terms.time_left
