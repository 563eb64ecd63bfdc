# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What comes next on the model's thread: a function of facts, which does nothing.

Knows what waits; knows nothing of threads, models or messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Turn(Enum):
    """What the model's thread does next; each is one slice."""

    ANSWER = 'go on with the answer'
    START = 'begin with the first question that can be answered'
    AUDIT = 'go on with an audit that somebody asked for'
    WATCH = 'ask a standing question'
    BACKGROUND = 'work in the background'
    WAIT = 'wait for something to happen'


@dataclass(frozen=True)
class Facts:
    """What there is to choose from.

    Attributes:
        answering: a question is being answered, and gives way to nobody.
        askable: a question waits, and its evidence will do.
        gives_way: an answer has begun for which nobody may wait any more.
        doubted: a question waits likewise, and its evidence will do.
        audit: somebody waits for an audit.
        watch: a standing question is due, and its share of the time allows it.
        work: there is work in the background.
        credit: the background may use some time.
    """

    answering: bool = False
    askable: bool = False
    gives_way: bool = False
    doubted: bool = False
    audit: bool = False
    watch: bool = False
    work: bool = False
    credit: bool = True


def next_turn(facts: Facts) -> Turn:
    """Who goes next: an answer that was begun, questions, audits on request, watches, the rest.

    Questions for which nobody may wait any more are answered when nobody else has any.
    """
    if facts.answering:
        return Turn.ANSWER
    if facts.askable:
        return Turn.START
    if facts.audit:
        return Turn.AUDIT
    if facts.watch:
        return Turn.WATCH
    if facts.doubted:
        return Turn.START
    if facts.gives_way:
        return Turn.ANSWER
    if facts.work and facts.credit:
        return Turn.BACKGROUND
    return Turn.WAIT
