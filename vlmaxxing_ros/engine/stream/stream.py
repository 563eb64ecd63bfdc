# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What one camera has shown since its first frame: planner, tail, cache and their upkeep.

Brings seeing, cache and answering together; knows nothing of ROS, threads or deadlines.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.answering.answering import Asking
from vlmaxxing_ros.engine.cache.audit import Audit, AuditReport
from vlmaxxing_ros.engine.cache.generations import Generations
from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import Unsupported
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Evidence, Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.steps import Steps, Stopwatch, finish
from vlmaxxing_ros.engine.stream.accounting import Accounting, Held
from vlmaxxing_ros.engine.stream.budget import FrameKind, FreshBudget
from vlmaxxing_ros.engine.stream.calibration import Calibration
from vlmaxxing_ros.engine.stream.keyframes import Keyframes
from vlmaxxing_ros.engine.stream.tail import Paid, Tail

_NANO = 1e-9
_COMPRESS_TO = 0.75  # of the cap: 24 of 32 frames, as InfiniPot-V was released


class Stream:
    """A stream.

    Args:
        family: the model.
        config: settings that it can follow.
        origin: stamp of the first frame, nanoseconds.

    Attributes:
        newest: the newest frame that was planned.
        keyframes: when frames become keyframes.
        last_audit: what the last audit found.
    """

    newest: Frame

    def __init__(self, family: Family, config: EngineConfig, origin: int) -> None:
        self.keyframes = Keyframes()
        self.last_audit: AuditReport | None = None
        self._family = family
        self._config = config
        self._origin = origin
        self._probe = family.text.question_ids('What do you see?', ())
        self._calibration = Calibration()
        self._generations = Generations(family)
        self._tail = Tail(family)
        self._tail_is_keyframe = False
        self._planner = Planner(config)
        self._plan: Plan
        self._audit: Audit | None = None
        self._last_audit_stamp = 0
        self._accounting = Accounting()

    def configure(self, config: EngineConfig) -> None:
        """Take on changed settings."""
        if config.compression != self._config.compression:
            self._generations.abandon()
        self._config = config
        self._planner.configure(config)

    @property
    def cache(self) -> RollingCache:
        """The current generation."""
        return self._generations.current

    @property
    def planner(self) -> Planner:
        """What decides on the next frame; its reference is what the tail shows."""
        return self._planner

    def admit(
        self, frame: Frame, *, camera_velocity: tuple[float, float] | None, note: str
    ) -> FreshBudget:
        """Plan a frame and pay for what changed; `note` is put before what is to be said."""
        watch = Stopwatch()
        frame = frame.since(self._origin)
        with watch.stage('plan'):
            look = self._planner.look(frame, camera_velocity=camera_velocity)
            plan = self._planner.plan(look)
        self.newest, self._plan = frame, plan
        due = self.keyframes.due(frame.stamp, self._config)
        grown = int(self._tail_is_keyframe)  # it becomes history now
        paid, kind = self._take(plan, due, watch)
        self._keep_within_budget(grown)
        ledger = self.cache.ledger
        assert self._planner.reference is not None
        return self._accounting.planned(
            plan,
            paid,
            kind,
            watch,
            self._held,
            windows=int(self._family.windows(frame.grid).max()) + 1,
            oldest_age=self._planner.reference.oldest_age(frame.stamp),
            cold_dense=self._calibration.cold_dense(frames=len(ledger.frames), rows=ledger.rows),
            text='; '.join(filter(None, (note, plan.reason, self._budget_note()))),
        )

    def _take(self, plan: Plan, due: bool, watch: Stopwatch) -> tuple[Paid, FrameKind]:
        """Bring history and tail up to date with a frame."""
        promoted = self._tail_is_keyframe
        if promoted:
            # Nothing came between the keyframe and this frame: its rows are exact.
            self.cache.promote_tail()
            self._tail_is_keyframe = False
        if promoted or due or plan.whole or self._must_be_exact(plan.look.frame):
            paid = finish(self._replace(plan), watch)
            self._calibration.add(
                vision=watch.seconds['vision'], prefill=watch.seconds['prefill'], rows=paid.rows
            )
        else:
            paid = finish(self._refresh(plan), watch)
        if due:
            self._tail_is_keyframe = True
            self.keyframes.taken(plan.look.frame.stamp)
            return paid, FrameKind.KEYFRAME
        return paid, FrameKind.TAIL if paid.rows else FrameKind.NONE

    def _replace(self, plan: Plan) -> Steps[Paid]:
        paid = yield from self._tail.replacing(self.cache, plan.look.frame)
        self._planner.admit(plan, np.ones_like(plan.fresh))
        return paid

    def _refresh(self, plan: Plan) -> Steps[Paid]:
        if self._tail.shows(self.cache, plan.look.frame):
            # The very same pixels: nothing to compute, and nothing is old.
            self._planner.admit(plan, np.ones_like(plan.fresh))
            return Paid()
        if not plan.fresh.any():
            return Paid()
        paid = yield from self._tail.refreshing(self.cache, plan.look.frame, plan.fresh)
        everything = paid.blocks == plan.fresh.size
        self._planner.admit(plan, np.ones_like(plan.fresh) if everything else plan.fresh)
        return paid

    @property
    def _tail_mode(self) -> str:
        """The setting; `auto` means `exact` for a family that cannot refresh rows in place."""
        mode = self._config.tail_mode
        return 'exact' if mode == 'auto' and not self._family.capabilities.tail_refresh else mode

    def _must_be_exact(self, frame: Frame) -> bool:
        """Whether the tail must be replaced whole: in exact mode, or refreshed for too long."""
        mode = self._tail_mode
        if mode == 'exact':
            return not self._tail.shows(self.cache, frame)
        tail = self.cache.ledger.tail
        if mode == 'refresh' or tail is None or tail.refreshed is None:
            return False
        share = tail.refreshed.rows / frame.grid.blocks
        age = (frame.stamp - tail.refreshed.since) * _NANO
        return share > self._config.max_refreshed or age > self._config.max_refresh_age

    def _keep_within_budget(self, grown: int) -> None:
        """Compress, or see that the next generation is ready in time."""
        config = self._config
        if config.compression == 'infinipot':
            self._compress(config.token_budget)
            return
        if self._generations.due(config):
            self._audit = None  # two caches at a time are enough
            if not self._generations.begin(config):
                # A history that begins with a delta frame would be worth nothing.
                self.keyframes.force()
        self._generations.build(config, grown=grown)

    def _budget_note(self) -> str:
        """A warning where the budget cannot hold what the settings ask to keep."""
        config, tail = self._config, self.cache.ledger.tail
        assert tail is not None
        frames = 6 if config.compression == 'infinipot' else 2 * max(1, config.keep_keyframes)
        needed = frames * len(tail.rows)
        if config.token_budget >= needed:
            return ''
        return (
            f'token_budget {config.token_budget} is too small for frames of {len(tail.rows)} rows: '
            f'set it to at least {needed}, or lower keep_keyframes or max_blocks'
        )

    def _compress(self, cap: int) -> None:
        """Make room for the next frame, so that the cap holds at every moment."""
        # A frame adds itself whole; its caption may grow.
        rows = len(self._family.captioned_rows(self.newest, 0))
        need = 2 * (rows + bool(self._family.caption(self.newest)))
        if self.cache.ledger.rows + need > cap:
            self._audit = None  # the rows that it has compared are going
            self.cache.compress(min(int(_COMPRESS_TO * cap), cap - need))

    def ask(self, question: Question) -> Asking:
        """Take up a question; see `StreamSession.ask`."""
        start = time.perf_counter()
        recomputed = self.catch_up(question.as_of)
        fork = self.cache.fork(question.as_of)
        frames = fork.frames
        # A frame that changed nothing moves the present, but not the ledger's tail.
        at_present = not question.as_of or question.as_of >= self.newest.stamp
        stamp = self.newest.stamp if at_present else frames[-1].stamp
        with_tail = fork.segments[-1].kind is Kind.TAIL
        assert self._planner.reference is not None
        evidence = Evidence(
            oldest_stamp=frames[0].stamp,
            newest_stamp=stamp,
            frame_id=self.newest.frame_id,
            oldest_block_age=self._planner.reference.oldest_age(stamp) if with_tail else 0.0,
            exact=not self.cache.ledger.compressed
            and all(segment.refreshed is None for segment in fork.segments),
        )
        asking = Asking(
            family=self._family,
            fork=fork,
            question=question,
            evidence=evidence,
            config=self._config,
            start=start,
            recomputed=recomputed,
        )
        self._probe = asking.suffix
        return asking

    def catch_up(self, as_of: int = 0) -> int:
        """Recompute what went stale in the tail, if a question is about it; how many rows."""
        shown = self.cache.ledger.tail
        if shown is None or shown.frame is None or 0 < as_of < shown.frame.stamp:
            return 0
        return finish(self._tail.catching_up(self.cache)).rows

    def idle(self) -> bool:
        """Use idle time: a slice of settling, rebuilding or auditing; True: there is more."""
        tail = self.cache.ledger.tail
        if self._unsettled:
            self._settle()
        elif tail is not None and not tail.caught_up:
            finish(self._tail.catching_up(self.cache))
        elif self._generations.building:
            self._generations.build_slice()
        elif self._audit is not None or self._audit_due():
            self.audit_slice()
        else:
            return False
        return self._has_work()

    def _settle(self) -> None:
        """Make the tail exact, and the newest frame to the last pixel."""
        finish(self._replace(self._plan))

    @property
    def idle_cost(self) -> float:
        """Seconds that a slice of idle work takes at most, estimated; 0: not known yet."""
        tail = self.cache.ledger.tail
        return self._calibration.cold_dense(frames=1, rows=len(tail.rows)) if tail else 0.0

    def _has_work(self) -> bool:
        tail = self.cache.ledger.tail
        behind = self._unsettled or (tail is not None and not tail.caught_up)
        return behind or self._generations.building or self._audit is not None

    @property
    def _unsettled(self) -> bool:
        """Whether the tail is to be settled."""
        return self._tail_mode != 'refresh' and not self._tail.shows(self.cache, self.newest)

    def begin_audit(self) -> None:
        """Begin to audit the cache; see `StreamSession.begin_audit`."""
        if self.cache.ledger.compressed:
            raise Unsupported('a compressed cache is not what a cold prefill gives: no audit')
        self._audit = Audit(self._family)
        self._last_audit_stamp = self.newest.stamp

    def audit_slice(self) -> AuditReport | None:
        """Go on with the audit, or begin one; the report ends it.

        A generation under construction is finished first: two caches at a time are enough.
        """
        if self._generations.building:
            self._generations.build_slice()
            return None
        if self._audit is None:
            self.begin_audit()
        assert self._audit is not None
        if self._audit.nearly_done(self.cache) and not self.cache.ledger.exact:
            self._settle()
        report = self._audit.step(self.cache, self._probe)
        if report is None:
            return None
        self._audit = None
        if not report.ok:
            self._generations.replay(self.cache.ledger.history)
            report = replace(report, text=report.text + '; the session was rebuilt from it')
        self.last_audit = report
        return report

    def _audit_due(self) -> bool:
        elapsed = (self.newest.stamp - self._last_audit_stamp) * _NANO
        interval = self._config.audit_interval
        return bool(interval) and elapsed >= interval and self.cache.ledger.exact

    @property
    def _held(self) -> Held:
        """What there is now; an audit in progress is a cache as well."""
        generations = self._generations
        return Held(
            ledger=self.cache.ledger,
            token_budget=self._config.token_budget,
            nbytes=generations.nbytes + (self._audit.nbytes if self._audit else 0),
            generation=self.cache.number,
            progress=generations.progress,
        )
