# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What has been paid of one camera's stream: tail, generations, and the jobs that change them.

A job works on a branch and takes effect at once, cache and reference together, when it is done:
nobody sees half a frame.  Runs on the model's thread; knows nothing of ROS, threads or deadlines.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from vlmaxxing_ros.engine.answering.answering import Asking
from vlmaxxing_ros.engine.cache.audit import Audit, AuditReport
from vlmaxxing_ros.engine.cache.generations import Generations
from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidRequest, Unsupported
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Evidence, Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.reach import Reach
from vlmaxxing_ros.engine.seeing.sight import Sight
from vlmaxxing_ros.engine.steps import Clock, Job, Steps, Stopwatch
from vlmaxxing_ros.engine.stream.accounting import Accounting, Held, Paid
from vlmaxxing_ros.engine.stream.calibration import Calibration
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.engine.stream.payment import Payment, Standing, Why, background
from vlmaxxing_ros.engine.stream.tail import Tail

_COMPRESS_TO = 0.75  # of the cap: 24 of 32 frames, as InfiniPot-V was released
_BRIEF_IS_WHOLE = 0.5  # share of the blocks from which a brief event is a keyframe


class Stream:
    """A stream.

    Args:
        family: the model.
        config: settings that it can follow.
        sight: what the camera shows.
        accounting: told what is paid.
        clock: the time that work takes.

    Attributes:
        config: the settings now.
        sight: what the camera shows, and what of it is owed.
        wanted: a keyframe was asked for.
        last_audit: what the last audit found.
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
        self.last_audit: AuditReport | None = None
        self.probe = family.text.question_ids('What do you see?', ())
        self._family = family
        self.config = config
        self._accounting = accounting
        self._clock = clock
        self._calibration = Calibration()
        self._generations = Generations(family)
        self._tail = Tail(family)
        self._audit: Audit | None = None
        self._last_audit_stamp = sight.newest.stamp
        self._jobs: dict[str, Job] = {}
        self._under_way: Payment | None = None  # what the payment among them pays
        self._hold()

    def configure(self, config: EngineConfig) -> None:
        """Take on changed settings."""
        if config.compression != self.config.compression:
            self._generations.abandon()
            self._drop('build')
        self.config = config
        self.sight.configure(config)

    @property
    def cache(self) -> RollingCache:
        """The current generation."""
        return self._generations.current

    @property
    def standing(self) -> Standing:
        """How the cache stands."""
        ledger, now = self.cache.ledger, self.sight.newest.stamp
        tail, capabilities = ledger.tail, self._family.capabilities
        shown = tail.frame.stamp if tail and tail.frame else None
        reach = Reach.of(self.config)
        history = [s for s in ledger.history if s.frame is not None]
        keyframes = [s for s in history if s.kind is Kind.KEYFRAME]
        lasting = [s for s in history if now - s.until <= reach.most]
        mode = self.config.tail_mode
        exact = tail is not None and tail.refreshed is None
        refreshed = tail.refreshed.rows / len(tail.rows) if tail and tail.refreshed else 0.0
        reaching = [s.frame.stamp for s in lasting if s.frame]
        if shown is not None and exact:
            reaching.append(shown)
        return Standing(
            tail=shown,
            exact=exact,
            refreshed=refreshed if mode == 'auto' else 0.0,
            caught_up=tail is not None and tail.caught_up,
            keyframe=keyframes[-1].frame.stamp if keyframes and keyframes[-1].frame else None,
            outdated=len(lasting) < len(history),
            reaches=any(now - stamp >= reach.least for stamp in reaching),
            wanted=self.wanted,
            whole_only=mode == 'exact' or not capabilities.tail_refresh,
            settles=mode != 'refresh' and not self._tail.shows(self.cache, self.sight.newest),
        )

    # Jobs

    def job(self) -> tuple[Job, str, int] | None:
        """What comes next in the background, the most urgent first: its name, its urgency.

        A payment goes before building, building before auditing; each goes on where it stood.
        """
        if 'pay' not in self._jobs:
            payment = background(self.sight.owed(), self.standing, self.config)
            if payment is not None:
                self._jobs['pay'] = self.paying(payment)
        if 'build' not in self._jobs and self._must_build():
            self._jobs['build'] = self._make(self._generations.build(), self.build_price)
        if 'audit' not in self._jobs and (self._audit is not None or self._audit_due()):
            self._jobs['audit'] = self.auditing()
        for rank, name in enumerate(('pay', 'build', 'audit')):
            if name in self._jobs:
                payment = self._under_way
                urgency = payment.why.urgency if name == 'pay' and payment else len(Why) + rank
                return self._jobs[name], name, urgency
        return None

    def done(self, name: str) -> None:
        """A background job has come to its end."""
        job = self._jobs.pop(name)
        paid = job.result if isinstance(job.result, Paid) else Paid()
        self.account(paid, job.watch)

    def _drop(self, name: str) -> None:
        job = self._jobs.pop(name, None)
        if job is not None:
            job.close()

    def close(self) -> None:
        """Give up every job: nothing of them takes effect."""
        for name in list(self._jobs):
            self._drop(name)

    def _make(self, steps: Steps[Any], cost: float) -> Job:
        return Job(steps, cost, self._clock, self.config.max_slice)

    # Paying

    def paying(self, payment: Payment) -> Job:
        """A job that pays; a payment of the background that is under way is given up for it."""
        self._drop('pay')
        self._under_way = payment
        return self._make(self.pay(payment), self.price(payment))

    def adopt(self) -> Job | None:
        """The background's payment under way, for a question, if it pays what is owed now."""
        job, payment = self._jobs.get('pay'), self._under_way
        if job is None or payment is None:
            return None
        owed = self.sight.owed()
        covered = payment.whole or not (owed.blocks & ~payment.blocks).any()
        if not covered or not self.sight.still_since(payment.plan, owed.blocks):
            return None
        return self._jobs.pop('pay')

    def price(self, payment: Payment) -> float:
        """Seconds that a payment will take, estimated; 0: not known yet."""
        blocks = int(np.count_nonzero(payment.blocks))
        frame = payment.plan.look.frame
        if payment.whole:
            rows = blocks * (1 + len(payment.briefs) + (payment.past is not None))
            return self._calibration.seconds(vision=rows, prefill=rows)
        windows = self._family.windows(frame.grid)
        active = np.isin(windows, np.unique(windows[payment.blocks])).sum()
        return self._calibration.seconds(vision=int(active), prefill=2 * blocks + 1)

    @property
    def frame_price(self) -> float:
        """Seconds that a whole frame takes, estimated; 0: not known yet."""
        blocks = self.sight.newest.grid.blocks
        return self._calibration.seconds(vision=blocks, prefill=blocks)

    @property
    def build_price(self) -> float:
        """Seconds that the next generation still takes, estimated."""
        return self._calibration.seconds(prefill=self._generations.rows_left)

    def pay(self, payment: Payment) -> Steps[Paid]:
        """Pay, on a branch; the last step puts it in place of the cache that there is."""
        plan, frame = payment.plan, payment.plan.look.frame
        same = payment.blocks.all() and self._tail.shows(self.cache, frame)
        if same and not payment.briefs and not payment.afresh:
            # The very same pixels: nothing to compute, and nothing is old.
            self.sight.paid(plan, payment.blocks)
            return Paid()
        if payment.whole:
            yield from self._keep_within_budget(payment)
        paid = Paid(keyframes=int(payment.promote))
        if payment.afresh:
            cache = self._generations.afresh()
            paid += yield from self._begin_again(cache, payment)
        else:
            cache = self.cache.branch()
        if payment.promote:
            yield from self._promote(cache)
        for brief in payment.briefs:
            paid += yield from self._remember(cache, brief.frame, brief.blocks)
        if payment.whole:
            paid += yield from self._tail.replacing(cache, frame)
        else:
            if payment.blocks.any():
                paid += yield from self._tail.refreshing(cache, frame, payment.blocks)
            if payment.why.asks:
                paid += yield from self._tail.catching_up(cache)
        self._generations.replace(cache)
        for brief in payment.briefs:
            self.sight.remembered(brief)
        whole = cache.ledger.tail is not None and cache.ledger.tail.refreshed is None
        taken = np.ones_like(payment.blocks) if whole else payment.blocks
        if taken.any():
            self.sight.paid(plan, taken)
        self.wanted = self.wanted and not payment.promote
        return paid

    def _begin_again(self, cache: RollingCache, payment: Payment) -> Steps[Paid]:
        """Put on a new generation what still holds of the history, after a frame from before."""
        paid = Paid()
        if payment.past is not None:
            paid += yield from self._remember(cache, payment.past)
        since = payment.plan.look.frame.stamp - Reach.of(self.config).least
        for segment in self.cache.ledger.history:
            if segment.until >= since:
                copied = yield from cache.appending_copy(segment)
                paid += Paid(rows=len(copied.rows))
        return paid

    def _promote(self, cache: RollingCache) -> Steps[None]:
        """Make the tail, which is exact, the newest keyframe of a branch or a new generation."""
        until = self.sight.owed().accounted
        if cache.number == self.cache.number:
            cache.promote_tail(until)
            return
        tail = self.cache.ledger.tail
        assert tail is not None
        yield from cache.appending_copy(replace(tail, kind=Kind.KEYFRAME, until=until))

    def _remember(
        self, cache: RollingCache, frame: Frame, blocks: np.ndarray | None = None
    ) -> Steps[Paid]:
        """Put a frame of the past on the history: the blocks that matter, or all of it."""
        whole = (
            blocks is None
            or np.count_nonzero(blocks) >= _BRIEF_IS_WHOLE * blocks.size
            or not self._family.capabilities.delta_frames
        )
        encoding = yield from IncrementalEncoder(self._family).encoding(frame)
        if whole or blocks is None:
            yield from cache.appending(Kind.KEYFRAME, frame, encoding.features)
        else:
            index = np.flatnonzero(blocks)
            yield from cache.appending(Kind.DELTA, frame, encoding.features.take(index), index)
        segment = cache.date(frame.stamp)
        shown = np.count_nonzero(segment.rows.blocks >= 0)
        return Paid(int(shown), len(segment.rows), encoding.windows_computed, int(whole))

    def _keep_within_budget(self, payment: Payment) -> Steps[None]:
        """Make room for a whole frame: compress, or have the next generation ready by now."""
        config = self.config
        rows = (2 + len(payment.briefs)) * self._frame_rows
        if config.compression == 'infinipot':
            need = 2 * rows
            if self.cache.ledger.rows + need > config.token_budget:
                self._end_audit()  # the rows that it has compared are going
                cap = config.token_budget
                cache = self.cache.branch()
                cache.compress(max(1, min(int(_COMPRESS_TO * cap), cap - need)))
                self._generations.replace(cache)
            return
        if payment.afresh:
            return
        while self._overflows(rows):
            if not self._generations.building:
                self._begin()
            self._drop('build')
            yield from self._generations.build()
            if not self._generations.building and self._overflows(rows):
                return  # the budget cannot hold what the settings ask to keep; `note` says so

    @property
    def _frame_rows(self) -> int:
        """Rows that a frame takes, its caption included; a caption may grow."""
        frame = self.sight.newest
        return len(self._family.captioned_rows(frame, 0)) + bool(self._family.caption(frame))

    def _overflows(self, rows: int) -> bool:
        """Whether that many rows more are more than the current generation may have."""
        ledger, config = self.cache.ledger, self.config
        most = 3 * max(1, config.keep_keyframes)
        return ledger.rows + rows > config.token_budget or len(ledger.history) >= most

    # Answering

    def question_ids(self, question: Question) -> list[int]:
        """A question's tokens, as they are put behind the newest frame.

        Raises:
            InvalidRequest: they are more than `max_question_tokens`.
        """
        ids = self._family.text.question_ids(question.text, question.choices)
        most = self.config.max_question_tokens
        if len(ids) > most:
            raise InvalidRequest(
                f'the question has {len(ids)} tokens; at most {most} are allowed '
                '(max_question_tokens): shorten it'
            )
        return ids

    def answer_price(self, suffix: list[int]) -> float:
        """Seconds until a question's first token, estimated; 0: not known yet."""
        return self._calibration.seconds(prefill=len(suffix))

    def fork(self, question: Question, suffix: list[int], paid: int, start: float) -> Asking:
        """Branch off for one question, whose tokens are `suffix`.

        Args:
            question: what is asked.
            suffix: its tokens.
            paid: rows that were computed for its sake.
            start: when it came, seconds of the clock.

        Raises:
            NoEvidence: no frame as early as `as_of`.
            Unsupported: the model's family cannot be asked about the past.
        """
        fork, owed = self.cache.fork(question.as_of), self.sight.owed()
        frames, shown = fork.frames, fork.segments[-1].frame
        with_tail = fork.segments[-1].kind is Kind.TAIL
        assert shown is not None
        # Where nothing is owed the tail speaks for every later image as well.
        present = with_tail and not (question.as_of and question.as_of < owed.accounted)
        stamp = max(shown.stamp, owed.accounted) if present else shown.stamp
        self.probe = suffix
        return Asking(
            family=self._family,
            fork=fork,
            question=question,
            suffix=suffix,
            evidence=Evidence(
                oldest_stamp=frames[0].stamp,
                newest_stamp=stamp,
                frame_id=shown.frame_id,
                oldest_block_age=self.sight.oldest_age(stamp) if with_tail else 0.0,
                exact=not self.cache.ledger.compressed
                and all(segment.refreshed is None for segment in fork.segments),
                blocks_owed=owed.count if present else 0,
            ),
            config=self.config,
            start=start,
            clock=self._clock,
            recomputed=paid,
        )

    # Building and auditing

    def _must_build(self) -> bool:
        if self.config.compression == 'infinipot':
            return False
        if self._generations.due(self.config):
            self._begin()
        return self._generations.building

    def _begin(self) -> None:
        self._end_audit()  # two caches at a time are enough
        self._generations.begin(self.config)

    def begin_audit(self) -> None:
        """Begin to audit the cache; the background goes on with it.

        Raises:
            Unsupported: a compressed cache cannot be audited.
        """
        if self.cache.ledger.compressed:
            raise Unsupported('a compressed cache is not what a cold prefill gives: no audit')
        self._end_audit()
        self._audit = Audit(self._family)
        self._last_audit_stamp = self.sight.newest.stamp

    def _end_audit(self) -> None:
        self._audit = None
        self._drop('audit')

    def auditing(self) -> Job:
        """A job that audits: the report is its result; None if something went before it."""
        if self._audit is None:
            self.begin_audit()
        rows = self.cache.ledger.rows
        return self._make(self._audited(), self._calibration.seconds(prefill=rows))

    def _audited(self) -> Steps[AuditReport | None]:
        audit, number = self._audit, self.cache.number
        assert audit is not None
        while True:
            while self.cache.number == number and not audit.nearly_done(self.cache):
                yield from audit.replay(self.cache)
            if self.cache.number != number:
                self._audit = None  # another generation: it is audited in its turn
                return None
            cache = self.cache
            if cache.ledger.exact:
                break
            yield from self.pay(Payment.settling(self.sight.plan))
        report = yield from audit.compare(cache, self.probe)
        self._audit = None
        if not report.ok:
            self._generations.replay(self.cache.ledger.history)
            report = replace(report, text=report.text + '; the session was rebuilt from it')
        self.last_audit = report
        return report

    def _audit_due(self) -> bool:
        elapsed = (self.sight.newest.stamp - self._last_audit_stamp) * 1e-9
        interval = self.config.audit_interval
        return bool(interval) and elapsed >= interval and self.cache.ledger.exact

    # What it costs

    def account(self, paid: Paid, watch: Stopwatch) -> None:
        """Something was paid; `watch` says where the time went."""
        self._calibration.add(watch)
        self._accounting.paid(paid, watch)
        self._hold()

    def _hold(self) -> None:
        ledger, generations = self.cache.ledger, self._generations
        audited = self._audit.nbytes if self._audit else 0
        windows = int(self._family.windows(self.sight.newest.grid).max()) + 1
        self._accounting.held = Held(
            rows=ledger.rows,
            token_budget=self.config.token_budget,
            nbytes=generations.nbytes + audited + self.sight.nbytes,
            generation=self.cache.number,
            progress=generations.progress,
            windows=windows,
            cold_dense=self._calibration.seconds(
                vision=sum(f.grid.blocks for f in ledger.frames), prefill=ledger.rows
            ),
            note=self._budget_note(),
        )

    def _budget_note(self) -> str:
        """A warning where the budget cannot hold what the settings ask to keep."""
        config, rows = self.config, self._frame_rows
        frames = 6 if config.compression == 'infinipot' else 2 * max(1, config.keep_keyframes)
        if config.token_budget >= frames * rows:
            return ''
        return (
            f'token_budget {config.token_budget} is too small for frames of {rows} rows: '
            f'set it to at least {frames * rows}, or lower keep_keyframes or max_blocks'
        )
