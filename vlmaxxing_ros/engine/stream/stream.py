# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What has been paid of one camera's stream: tail, generations, and the jobs that change them.

A job works on a branch and takes effect at once, cache and reference together, when it is done:
nobody sees half a frame.  Runs on the model's thread; knows nothing of ROS, threads or deadlines.
"""

from __future__ import annotations

from typing import Any

from vlmaxxing_ros.engine.cache.generations import Generations, grown
from vlmaxxing_ros.engine.cache.ledger import Ledger
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import Unsupported
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.seeing.reach import Reach
from vlmaxxing_ros.engine.seeing.sight import Sight
from vlmaxxing_ros.engine.steps import Clock, Job, Steps, Stopwatch
from vlmaxxing_ros.engine.stream.accounting import Accounting, Held, Paid
from vlmaxxing_ros.engine.stream.adoption import answers_earlier
from vlmaxxing_ros.engine.stream.auditing import Auditing
from vlmaxxing_ros.engine.stream.calibration import Calibration
from vlmaxxing_ros.engine.stream.decision import background, patience, protecting, settled
from vlmaxxing_ros.engine.stream.making_room import make_room
from vlmaxxing_ros.engine.stream.payer import Aside, Payer
from vlmaxxing_ros.engine.stream.payment import Payment, Why
from vlmaxxing_ros.engine.stream.price import price
from vlmaxxing_ros.engine.stream.rations import warning
from vlmaxxing_ros.engine.stream.standing import Standing
from vlmaxxing_ros.engine.stream.tail import Tail


class Stream:
    """A stream.

    Args:
        family: the model.
        config: settings that it can follow.
        sight: what the camera shows.
        accounting: told what is paid.
        clock: the time that work takes.

    Attributes:
        family, clock: as given.
        config: the settings now.
        sight, payer: what the camera shows, and what of it is owed; who pays that.
        wanted: a keyframe was asked for.
        asked: stamp of the newest image when somebody asked last; None: nobody has.
        audits: of its cache.
        probe: token ids of a question, the last one that was asked.
    """

    def __init__(
        self,
        family: Family,
        config: EngineConfig,
        sight: Sight,
        accounting: Accounting,
        clock: Clock,
    ) -> None:
        self.sight = sight
        self.wanted = False
        self.probe = family.text.question_ids('What do you see?', ())
        self.family, self.clock = family, clock
        self.config = config
        self._accounting = accounting
        self._calibration = Calibration()
        self._generations = Generations(family)
        self._tail = Tail(family)
        self.payer = Payer(family, sight, self._tail, self._generations)
        self.audits = Auditing(self)
        self._jobs: dict[str, Job] = {}
        self.asked: int | None = None
        self._put_off = False  # a question has left a keyframe to the background
        self._under_way: Payment | None = None  # what the payment among them pays
        self._note = ''
        self._hold()

    def configure(self, config: EngineConfig, note: str = '') -> None:
        """Take on changed settings; `note` says what people should know about them."""
        if config.compression != self.config.compression:
            self._generations.abandon()
            self._drop('build')
        self.config = config
        self.sight.configure(config)
        self._note = note
        self._hold()

    @property
    def cache(self) -> RollingCache:
        """The current generation."""
        return self._generations.current

    @property
    def standing(self) -> Standing:
        """How the cache stands."""
        return self.standing_with(self.cache.ledger)

    def standing_with(self, ledger: Ledger, after: float = 0.0) -> Standing:
        """How the cache would stand with this ledger, so many seconds from now."""
        newest = self.sight.newest
        return Standing.of(
            ledger,
            self.config,
            now=newest.stamp + round(after * 1e9),
            accounted=self.sight.accounted,
            shows_newest=self._tail.shows(self.cache, newest),
            able=self.family.capabilities,
            wanted=self.wanted,
            put_off=self._put_off,
            asked=self.asked,
        )

    # Jobs

    def job(self) -> tuple[Job, str, int] | None:
        """What comes next in the background, the most urgent first: its name, its urgency.

        A payment goes before building, building before auditing; each goes on where it stood.
        """
        self._begin_to_pay()
        if 'build' not in self._jobs and self._must_build():
            cost = self.prefill_price(self._generations.rows_left)
            self._jobs['build'] = self._make(self._generations.build(), cost)
        if 'audit' not in self._jobs and self.audits.due:
            self._jobs['audit'] = self.auditing()
        paid_for = self._under_way.why if self._under_way else Why.SETTLE
        urgencies = {'protect': Why.PROTECTED.urgency, 'pay': paid_for.urgency}
        for rank, name in enumerate(('protect', 'pay', 'build', 'audit')):
            if name in self._jobs:
                return self._jobs[name], name, urgencies.get(name, len(Why) + rank)
        return None

    def _begin_to_pay(self) -> None:
        """Begin the next payment; that of a protected region does not wait for any other's end."""
        for name in ('protect', 'pay'):
            if name in self._jobs and not self._jobs[name].begun:
                self._drop(name)  # decided before what has happened since
        pay, why = self._jobs.get('pay'), self._under_way.why if self._under_way else None
        if pay is not None and ('protect' in self._jobs or why is Why.PROTECTED):
            return
        next_payment = background if pay is None else protecting
        owed = self.sight.owed(patience(self._quiet, self.config))
        payment = next_payment(owed, self.standing, self.config)
        if payment is not None:
            job = self.paying(payment)
            self._jobs['protect' if 'pay' in self._jobs else 'pay'] = job

    def done(self, name: str) -> None:
        """A background job has come to its end."""
        job = self._jobs.pop(name)
        if name == 'build':
            self.payer.forget()  # it is beside another generation
        self.account(job.result if isinstance(job.result, Paid) else Paid(), job.watch)

    def _drop(self, name: str) -> None:
        if job := self._jobs.pop(name, None):
            job.close()

    def close(self) -> None:
        """Give up every job: nothing of them takes effect."""
        for name in list(self._jobs):
            self._drop(name)

    def give_up(self) -> None:
        """Give up every job, and the generation that is being built: memory ran out."""
        self.close()
        self._end_audit()
        self._generations.abandon()
        self.payer.forget()

    def _make(self, steps: Steps[Any], cost: float) -> Job:
        return Job(steps, cost, self.clock, self.config.max_slice)

    # Paying

    def paying(self, payment: Payment) -> Job:
        """A job that pays; a payment of the background that is under way is given up for it.

        Unless this one is paid aside, or in place while the other takes a frame whole, and leaves
        the history alone: whoever asks often must not keep keyframes from being made.  What moved
        since that frame is owed again.
        """
        if not payment.aside:
            self._drop('protect')  # it would put another cache in place of what this one pays
        other = self._under_way if 'pay' in self._jobs else None
        remakes = payment.whole or payment.carried
        if not payment.aside and (remakes or other is None or not other.whole):
            self._drop('pay')
            self._under_way = payment
        return self._make(self.pay(payment), self.price(payment))

    def adopt(self, wanted: Payment) -> Job | None:
        """The background's payment under way, for a question that is answered earlier with it."""
        job, payment = self._jobs.get('pay'), self._under_way
        if job and payment and answers_earlier(self, job, payment, wanted):
            self._drop('protect')
            return self._jobs.pop('pay')
        return None

    def price(self, payment: Payment, ledger: Ledger | None = None) -> float:
        """Seconds that a payment will take from a ledger or the current one; 0: not known yet."""
        return price(payment, self._tail, ledger or self.cache.ledger, self._calibration)

    def pay(self, payment: Payment) -> Steps[Paid | Aside]:
        """Pay, on a branch; the last step puts it in place of the cache that there is."""
        grows = payment.whole or (payment.carried and not payment.afresh)
        room = (yield from make_room(self, payment)) if grows else Paid()
        paid = yield from self.payer.pay(payment, grown=grown(self.cache.ledger, self.config))
        self.wanted = self.wanted and (payment.aside or not payment.promote)
        made = payment.promote or (payment.whole and payment.why.remembers)
        kept = self._put_off and not made
        self._put_off = payment.puts_off or kept
        return paid if isinstance(paid, Aside) else room + paid

    @property
    def _quiet(self) -> float:
        """Seconds for which nobody has asked."""
        newest = self.sight.newest
        return newest.elapsed if self.asked is None else (newest.stamp - self.asked) * 1e-9

    @property
    def frame_rows(self) -> int:
        """Rows that a frame takes, its caption included; a caption may grow."""
        frame = self.sight.newest
        return len(self.family.captioned_rows(frame, 0)) + bool(self.family.caption(frame))

    @property
    def least_budget(self) -> int:
        """Rows of a keyframe and a tail: a budget below that changes nothing."""
        return 2 * self.frame_rows

    def prefill_price(self, rows: int) -> float:
        """Seconds that rows take in the language model, estimated; 0: not known yet."""
        return self._calibration.seconds(prefill=rows)

    # Building and auditing

    @property
    def building(self) -> bool:
        """Whether the next generation is under construction."""
        return self._generations.building

    def build(self) -> Steps[int]:
        """Build the next generation, begun or not, at once; how many rows that computes."""
        if not self._generations.building:
            self._begin()
        self._drop('build')
        return self._generations.build()

    def compress(self, most: int) -> int:
        """Compress the cache to so many rows at most; how many that computed."""
        self._end_audit()  # the rows that it has compared are going
        cache = self.cache.branch()
        computed = cache.compress(most)
        self._generations.replace(cache)
        return computed

    def _must_build(self) -> bool:
        if self.config.compression == 'infinipot':
            return False
        standing = self.standing
        outdated = standing.outdated and not standing.carries  # which is left out by payments
        carried = standing.carries and standing.attended
        if self._generations.due(self.config, outdated=outdated, carried=carried):
            self._begin()
        return self._generations.building

    def _begin(self) -> None:
        self._end_audit()  # two caches at a time are enough
        self._generations.begin(self.config, self.sight.newest.stamp - Reach.of(self.config).least)

    def auditing(self) -> Job:
        """A job that audits: the report is its result; None if something went before it.

        Raises:
            Unsupported: a compressed cache cannot be audited.
        """
        if self.cache.ledger.compressed:
            raise Unsupported('a compressed cache is not what a cold prefill gives: no audit')
        self._end_audit()
        rows = self.cache.ledger.rows
        return self._make(self.audits.steps(), self._calibration.seconds(prefill=rows))

    def _end_audit(self) -> None:
        self.audits.end()
        if 'audit' in self._jobs and not self._jobs['audit'].running:
            self._drop('audit')  # one that is at work, making room, sees it and ends by itself

    def settling(self) -> Steps[None]:
        """Make the cache exact, for an audit, unless somebody pays meanwhile."""
        for name in ('protect', 'pay'):
            self._drop(name)  # in place, it would undo what this one pays
        payment = settled(self.sight.plan, self.standing, self.config)
        before, steps = self.cache, self.pay(payment)
        for piece in steps:
            yield piece
            if self.cache is not before:  # newer than what this one pays
                steps.close()
                break

    def replay(self) -> None:
        """Build the cache anew from its ledger, at once: an audit found a mismatch."""
        self._generations.replay(self.cache.ledger.history)

    # What it costs

    def account(self, paid: Paid, watch: Stopwatch) -> None:
        """Something was paid; `watch` says where the time went."""
        self._calibration.add(watch)
        self._accounting.paid(paid, watch)
        self._hold()

    def _hold(self) -> None:
        ledger, generations = self.cache.ledger, self._generations
        self._accounting.held = Held(
            rows=ledger.rows,
            token_budget=self.config.token_budget,
            nbytes=sum(held.nbytes for held in (generations, self.audits, self.payer, self.sight)),
            generation=self.cache.number,
            progress=generations.progress,
            windows=int(self.family.windows(self.sight.newest.grid).max()) + 1,
            cold_dense=self._calibration.seconds(
                vision=sum(f.grid.blocks for f in ledger.frames), prefill=ledger.rows
            ),
            note=self._note or warning(self.config, self.frame_rows),
        )
