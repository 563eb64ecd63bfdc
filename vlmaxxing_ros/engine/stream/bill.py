# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What one camera's stream is paid for a question, and what it shows then.

A question about several cameras has one for each.  Knows the stream; knows nothing of what is
asked, nor of other cameras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.cache.ledger import Kind, Segment
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.errors import NoEvidence
from vlmaxxing_ros.engine.question import Evidence
from vlmaxxing_ros.engine.seeing.sight import Owed
from vlmaxxing_ros.engine.steps import Job
from vlmaxxing_ros.engine.stream.accounting import Paid
from vlmaxxing_ros.engine.stream.decision import asked, protecting, sure
from vlmaxxing_ros.engine.stream.governor import Terms, pays
from vlmaxxing_ros.engine.stream.payer import Aside
from vlmaxxing_ros.engine.stream.payment import Payment, Why
from vlmaxxing_ros.engine.stream.stream import Stream


class Bill:
    """One camera's.

    Args:
        stream: the camera's.
        terms: what the question allows.
        as_of: stamp that the question is about, nanoseconds; 0: the newest.
        rows: that go through the model after this, before the first token.
        age: seconds since an image with this stamp, nanoseconds.
        tail_alone: nothing but its tail is shown, beside another camera's context.

    Attributes:
        stream: as given.
        paid: what it cost.

    Raises:
        NoEvidence: nothing was seen.
    """

    def __init__(
        self,
        stream: Stream,
        terms: Terms,
        *,
        as_of: int,
        rows: int,
        age: Callable[[int], float],
        tail_alone: bool = False,
    ) -> None:
        self.stream = stream
        self.paid = Paid()
        self._tail_rows = 0  # of the tail that it shows, computed for the question
        self._terms, self._as_of, self._rows, self._age = terms, as_of, rows, age
        self._tail_alone = tail_alone
        self._began = stream.clock.now()
        self._aside: Aside | None = None
        stream.asked = stream.sight.newest.stamp
        payment = self._payment()
        if payment is None and stream.cache.ledger.tail is None:
            raise NoEvidence('no image has been admitted yet: is the camera publishing?')
        self._adopted = stream.adopt(payment) if payment and not payment.partial else None
        # Rows that the background had paid before the question came.
        self._had = round(self._adopted.watch.rows.get('prefill', 0)) if self._adopted else 0
        self._job = self._adopted or (stream.paying(payment) if payment else None)

    def _payment(self) -> Payment | None:
        """What is paid before the question is answered."""
        stream, as_of = self.stream, self._as_of
        owed = stream.sight.owed()
        if as_of and as_of < owed.stamp:
            return None
        payment = asked(owed, stream.standing, stream.config)
        if payment is not None and (aside := stream.payer.paid_aside(payment, owed)):
            self._aside = aside
            return None
        if payment is not None and not self._agreed(payment, owed):
            payment = protecting(owed, stream.standing, stream.config, Why.ASKED)
            return payment if payment is not None and self._agreed(payment, owed) else None
        return payment

    def _agreed(self, payment: Payment, owed: Owed) -> bool:
        """Whether the question has time for a payment, and wants it."""
        stream = self.stream
        seen = stream.cache.ledger.tail is not None
        spent = stream.clock.now() - self._began
        return pays(
            replace(self._terms, time_left=self._terms.time_left - spent),
            age=self._age(owed.accounted) if seen else float('inf'),
            price=stream.price(payment),
            answer=stream.prefill_price(self._rows),
        )

    @property
    def done(self) -> bool:
        """Whether there is nothing left to pay."""
        return self._job is None

    def step(self) -> None:
        """Pay a slice."""
        if self._job is not None and self._job.step():
            self._settle_up(self._job)

    def close(self) -> None:
        """Pay no further."""
        if self._job is not None:
            self._job.close()
        self._job = None

    @property
    def unsettled(self) -> bool:
        """Whether it shows refreshed rows; what was compressed, or is of the past, stays so."""
        past = self._as_of and self._as_of < self.stream.sight.newest.stamp
        ledger = self.cache.ledger
        shown = [ledger.tail] if self._tail_alone else ledger.segments
        return not past and any(s is not None and s.refreshed is not None for s in shown)

    @property
    def settling_price(self) -> float:
        """Seconds that `settle` takes, estimated."""
        return self.stream.price(self._settling())

    def settle(self) -> None:
        """Pay further: the newest frame whole, so that the tail is exact."""
        self._aside = None
        self._job = self.stream.paying(self._settling())

    def _settling(self) -> Payment:
        stream = self.stream
        payment = sure(stream.sight.owed(), stream.standing, stream.config)
        # Of another camera's stream nothing but the tail is shown.
        return replace(payment, afresh=False) if self._tail_alone else payment

    def _settle_up(self, job: Job) -> None:
        """A payment is done; what the background had begun may leave a rest to pay."""
        if isinstance(job.result, Aside):
            self._aside = job.result
        paid = self._aside.paid if self._aside else job.result
        self.stream.account(paid, job.watch)
        rest = None
        if job is self._adopted:
            paid = replace(
                paid,
                rows=paid.rows - self._had,
                # Room is made first.
                replaced=max(0, paid.replaced - self._had),
            )
            rest = self._payment()
        self.paid += paid + Paid(replaced=self._replaced_by(paid))
        self._adopted = None
        self._job = self.stream.paying(rest) if rest else None

    def _replaced_by(self, paid: Paid) -> int:
        """How many rows that it had computed before a payment computed again, or did without."""
        tail, before = self.cache.ledger.tail, self._tail_rows
        assert tail is not None
        rows = paid.rows - paid.replaced + (before if tail.refreshed else 0)
        self._tail_rows = min(rows, len(tail.rows))
        return rows - self._tail_rows if tail.refreshed else before

    @property
    def cache(self) -> RollingCache:
        """What shows what was paid."""
        return self._aside.cache if self._aside else self.stream.cache

    @property
    def recomputed(self) -> int:
        """Rows of what it shows that were computed for the question."""
        return self.paid.rows - self.paid.replaced

    def show(self, rows: int) -> None:
        """So many rows more go through the model, to show on a fork what was paid."""
        self.paid += Paid(rows=rows)

    def evidence(self, segments: Sequence[Segment]) -> Evidence:
        """What some segments of the cache, that the question is answered from, are worth now.

        The newest is among them.
        """
        sight = self.stream.sight
        owed, shown = sight.owed(), segments[-1].frame
        assert shown is not None
        with_tail = segments[-1].kind is Kind.TAIL
        # Where nothing is owed the tail speaks for every later image as well.
        present = with_tail and not (self._as_of and self._as_of < owed.accounted)
        stamp, owing, aside = owed.accounted if present else shown.stamp, owed.blocks, self._aside
        if aside is not None:
            since = sight.changes_since(aside.plan.look.frame.stamp)
            owing = np.where(aside.blocks, since, owed.blocks)
            if present and not aside.partial:
                stamp = max(stamp, shown.stamp) if owing.any() else owed.stamp
        return Evidence(
            oldest_stamp=next(s.frame.stamp for s in segments if s.frame is not None),
            newest_stamp=stamp,
            frame_id=shown.frame_id,
            oldest_block_age=sight.oldest_age(stamp) if with_tail else 0.0,
            exact=all(s.kind is not Kind.COMPRESSED and s.refreshed is None for s in segments),
            blocks_owed=int(np.count_nonzero(owing)) if present else 0,
            crop=sight.view_at(stamp, shown).corner_and_size,
            age=self._age(stamp),
            rows_paid=self.paid.rows,
        )
