# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a payment will take: its blocks and rows, at the speed that was measured.

Knows payments; pays nothing.
"""

from __future__ import annotations

import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Ledger
from vlmaxxing_ros.engine.stream.calibration import Calibration
from vlmaxxing_ros.engine.stream.payment import Payment
from vlmaxxing_ros.engine.stream.tail import Tail


def price(payment: Payment, tail: Tail, ledger: Ledger, calibration: Calibration) -> float:
    """Seconds that a payment will take, estimated; 0: not known yet.

    Args:
        payment: what is to be paid.
        tail: of the stream, which knows what it looks at.
        ledger: that the payment begins from: a new generation copies what it keeps of it.
        calibration: of the machine.
    """
    grid, past = payment.plan.look.frame.grid, payment.past
    blocks = rows = looked_at = int(np.count_nonzero(payment.blocks))
    if not payment.whole:
        rows, looked_at = 2 * blocks + 1, tail.looked_at(grid, payment.blocks)
    rows += grid.blocks * len(payment.briefs) + payment.note_rows
    rows += _copied(payment, ledger) if payment.afresh else 0
    looked_at += grid.blocks * len(payment.briefs)
    if past is not None:
        undone = 2 * int(np.count_nonzero(past.changed)) + 1
        rows += undone if payment.turns_back else grid.blocks
        looked_at += tail.looked_at(grid, past.changed)
    return calibration.seconds(vision=looked_at, prefill=rows)


def _copied(payment: Payment, ledger: Ledger) -> int:
    """Rows of the history that a new generation keeps, and does not carry."""
    kept = payment.kept(ledger)
    if payment.promote and ledger.tail is not None:
        kept.append(ledger.tail)
    return sum(len(s.rows) for s in kept if not (payment.carried and s.frame))
