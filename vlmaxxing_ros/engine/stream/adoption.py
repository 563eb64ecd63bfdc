# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whether a question ends the background's payment under way, or gives it up for one of its own.

Foresees the ledger that the payment leads to, and what would be left to pay then; pays nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Kind, Ledger
from vlmaxxing_ros.engine.seeing.sight import Owed
from vlmaxxing_ros.engine.steps import Job
from vlmaxxing_ros.engine.stream.decision import asked
from vlmaxxing_ros.engine.stream.payment import Payment

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.stream.stream import Stream


def answers_earlier(stream: Stream, job: Job, payment: Payment, wanted: Payment) -> bool:
    """Whether a payment under way leaves nothing to pay, or less than what a question wants.

    Args:
        stream: whose it is.
        job: that makes it.
        payment: under way.
        wanted: what the question pays otherwise.
    """
    owed, ledger, otherwise = stream.sight.owed(), stream.cache.ledger, stream.price(wanted)
    if _suffices(payment, wanted, owed) and stream.sight.still_since(payment.plan, owed.blocks):
        return job.cost <= otherwise  # it may pay for more than is wanted
    # One that has taken longer than was foreseen may take as long again: its cost is not known.
    foreseeable = job.begun and job.cost > 0.0
    remakes = wanted.whole or wanted.carried
    if not (foreseeable and payment.whole and remakes and ledger.tail):
        return False
    then = foreseen(payment, owed.accounted, ledger)
    standing = stream.standing_with(then, job.cost)
    left = asked(still_owed(payment, owed, job.cost), standing, stream.config)
    return job.cost + (stream.price(left, then) if left else 0.0) < otherwise


def _suffices(payment: Payment, wanted: Payment, owed: Owed) -> bool:
    """Whether a payment pays what a question wants, as far as nothing moves meanwhile."""
    covered = payment.whole or not (owed.blocks & ~payment.blocks).any()
    return covered and payment.replaces(wanted)


def still_owed(payment: Payment, owed: Owed, after: float) -> Owed:
    """What will be owed so many seconds later, after a whole payment: as if all went on changing.

    Its stamps are those of now: what was accounted for is that much older.
    """
    return replace(
        owed,
        riders=np.zeros_like(owed.blocks),
        accounted=payment.plan.look.frame.stamp - round(after * 1e9),
        briefs=tuple(brief for brief in owed.briefs if brief not in payment.briefs),
        notes=tuple(note for note in owed.notes if note not in payment.notes),
        whole_view=owed.whole_view if payment.plan.look.frame.anchor else None,
    )


def foreseen(payment: Payment, until: int, ledger: Ledger) -> Ledger:
    """The frames that a ledger will have after a whole payment, with the tail's rows each.

    Args:
        payment: that is made.
        until: of the tail if it becomes a keyframe, nanoseconds.
        ledger: before, with a tail.
    """
    history, tail = payment.kept(ledger), ledger.tail
    assert tail is not None
    keyframe = replace(tail, kind=Kind.KEYFRAME, refreshed=None, until=until)
    if payment.past is not None:
        shown = payment.past.frame
        history.append(replace(keyframe, frame=shown, until=shown.stamp))
    if payment.promote:
        history.append(keyframe)
    history.sort(key=lambda segment: segment.stamp)
    return Ledger([*history, replace(tail, frame=payment.plan.look.frame, refreshed=None)])
