# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Room within the token budget for what a payment puts on the cache, made before it is paid.

Compresses, or has the next generation ready by then.  Knows rows; knows nothing of what is owed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmaxxing_ros.engine.cache.branches import at_once
from vlmaxxing_ros.engine.cache.generations import outgrown
from vlmaxxing_ros.engine.steps import Steps
from vlmaxxing_ros.engine.stream.accounting import Paid
from vlmaxxing_ros.engine.stream.payment import Payment

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.stream.stream import Stream

_COMPRESS_TO = 0.75  # of the cap: 24 of 32 frames, as InfiniPot-V was released


def make_room(stream: Stream, payment: Payment) -> Steps[Paid]:
    """Make room for what a payment puts on the cache."""
    config, computed = stream.config, 0
    frames = payment.promote if payment.carried else 2
    rows = (frames + len(payment.briefs)) * stream.frame_rows + payment.note_rows
    if config.compression == 'infinipot':
        most, need = config.token_budget, 2 * rows
        if stream.cache.ledger.rows + need > most:
            computed = stream.compress(max(1, min(int(_COMPRESS_TO * most), most - need)))
            yield at_once(computed)
    elif not payment.afresh:
        while _overflows(stream, rows):
            computed += yield from stream.build()
            if not stream.building and _overflows(stream, rows):
                break  # the budget cannot hold what the settings ask to keep; `note` says so
    tail = stream.cache.ledger.tail
    # With the rest went the tail that there is, whose place the frame takes.
    gone = computed and tail and not payment.promote
    return Paid(rows=computed, replaced=len(tail.rows) if gone and tail else 0)


def _overflows(stream: Stream, rows: int) -> bool:
    """Whether that many rows more are more than the current generation may have."""
    ledger, config = stream.cache.ledger, stream.config
    return ledger.rows + rows > config.token_budget or outgrown(ledger, config)
