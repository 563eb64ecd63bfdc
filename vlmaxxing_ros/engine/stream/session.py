# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One camera's stream: admit frames, ask questions, use idle time.

Brings planner, tail, cache and answering together; knows nothing of ROS, threads or deadlines.
Everything here runs on the one thread that loaded the model.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.answering.answering import Asking
from vlmaxxing_ros.engine.cache.audit import Audit, AuditReport
from vlmaxxing_ros.engine.cache.generations import Generations
from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import NoEvidence, Unsupported
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Evidence, Question
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.planner import Plan, Planner
from vlmaxxing_ros.engine.seeing.reference import Reference
from vlmaxxing_ros.engine.stream.accounting import Accounting, Held
from vlmaxxing_ros.engine.stream.budget import Calibration, FrameKind, FreshBudget, Stopwatch
from vlmaxxing_ros.engine.stream.tail import Paid, Tail

_NANO = 1e-9
_COMPRESS_TO = 0.75  # of the cap: 24 of 32 frames, as InfiniPot-V was released


class StreamSession:
    """The engine's view of one camera.  Sessions share a family and nothing else."""

    def __init__(self, family: Family, config: EngineConfig) -> None:
        check_support(family, config)
        self.family = family
        self.config = config
        self._probe = family.text.question_ids('What do you see?', ())
        self._calibration = Calibration()
        self.reset()

    def reset(self) -> None:
        """Forget everything that was seen."""
        self.last_plan: Plan | None = None
        self.last_audit: AuditReport | None = None
        self._generations = Generations(self.family)
        self._tail: Tail | None = None
        self._planner = Planner(self.config)
        self._audit: Audit | None = None
        self._last_audit_stamp = 0
        self._history_reference: Reference | None = None
        self._keyframe_stamp: int | None = None
        self._delta_stamp: int | None = None
        self._tail_is_keyframe = False
        self._forced = False
        self._books = Accounting()
        self._origin = 0  # stamp of the first frame

    def configure(self, config: EngineConfig) -> None:
        """Take on changed settings; what was seen is kept.

        Raises:
            Unsupported: the model's family cannot do what the settings ask for.
        """
        check_support(self.family, config)
        if config.compression != self.config.compression:
            self._generations.abandon()
        self.config = config
        self._planner = Planner(config)

    def grid(self, height: int, width: int) -> Grid:
        """The block grid for images of this size, in pixels."""
        return self.family.grid(height, width, self.config.max_blocks)

    def frame(self, image: np.ndarray, *, stamp: int, frame_id: str = '') -> Frame:
        """Put an RGB image (uint8 [height, width, 3]) on its grid; `stamp` in nanoseconds.

        Raises:
            InvalidFrame: the image cannot be used.
        """
        height, width = image.shape[:2]
        return Frame.from_image(image, self.grid(height, width), stamp=stamp, frame_id=frame_id)

    @property
    def cache(self) -> RollingCache:
        """The current generation."""
        return self._generations.current

    @property
    def tail(self) -> Tail | None:
        """The tail; None before the first frame."""
        return self._tail

    @property
    def newest_frame(self) -> Frame | None:
        """The newest frame that was planned."""
        return self._tail.frame if self._tail else None

    @property
    def newest_stamp(self) -> int | None:
        """Its stamp, in nanoseconds."""
        return self._tail.frame.stamp if self._tail else None

    def keyframe(self) -> None:
        """Take the next frame whole, as a keyframe."""
        self._forced = True

    def admit(
        self, frame: Frame, *, camera_velocity: tuple[float, float] | None = None
    ) -> FreshBudget:
        """Plan a frame and pay for what changed; `camera_velocity` as in `Planner.plan`.

        A stamp that goes backwards or another size restart the session; the budget's
        `status_text` says so.  A frame with the stamp of the last one is dropped.
        """
        watch, notes = Stopwatch(), []
        if self._tail is not None:
            last = self._tail.frame
            if frame.stamp == last.stamp:
                text = 'same stamp as the last frame: does the driver set it?'
                return self._books.dropped(self._held, text)
            if frame.stamp < last.stamp:
                notes.append('stamps went backwards: the session was restarted')
            elif frame.grid != last.grid:
                notes.append(
                    f'image size changed to {frame.grid.width}x{frame.grid.height} pixels on the '
                    'grid: the session was restarted'
                )
            if notes:
                self.reset()
        if self._tail is None:
            self._origin = frame.stamp
        frame = frame.since(self._origin)
        with watch.stage('plan'):
            reference = self._tail.reference if self._tail else None
            plan = self._planner.plan(frame, reference, camera_velocity=camera_velocity)
        self.last_plan = plan

        due = self._keyframe_due(frame)
        grown = int(self._tail_is_keyframe)  # it becomes history now
        work, kind = self._take(frame, plan, due, watch)
        if plan.reason:
            notes.append(plan.reason)
        self._keep_within_budget(grown + (kind is FrameKind.DELTA))
        notes += self._budget_notes()
        assert self._tail is not None
        ledger = self.cache.ledger
        return self._books.planned(
            plan,
            work,
            kind,
            watch,
            self._held,
            windows=int(self.family.windows(frame.grid).max()) + 1,
            oldest_age=self._tail.reference.oldest_age(frame.stamp),
            cold_dense=self._calibration.cold_dense(frames=len(ledger.frames), rows=ledger.rows),
            text='; '.join(notes),
        )

    def _keyframe_due(self, frame: Frame) -> bool:
        if self.config.keep_keyframes == 0:
            return False
        last = self._keyframe_stamp
        interval = self.config.keyframe_interval
        return self._forced or last is None or (frame.stamp - last) * _NANO >= interval

    def _take(
        self, frame: Frame, plan: Plan, due: bool, watch: Stopwatch
    ) -> tuple[Paid, FrameKind]:
        """Bring history and tail up to date with a frame."""
        if self._tail is None:
            self._tail = Tail(self.family, frame)
        tail = self._tail
        promoted = self._tail_is_keyframe
        if promoted:
            # Nothing came between the keyframe and this frame: its rows are exact.
            self.cache.promote_tail()
            self._history_reference = Reference(tail.frame)
            self._tail_is_keyframe = False
        delta = None if due else self._delta(frame, watch)
        if promoted or due or plan.whole or delta is not None or self._must_be_exact(tail, frame):
            work = tail.replace(self.cache, frame, watch, delta)
            self._calibration.add(
                vision=watch.seconds['vision'], prefill=watch.seconds['prefill'], rows=work.rows
            )
        else:
            work = tail.refresh(self.cache, frame, plan.fresh, watch)
        if due:
            self._tail_is_keyframe, self._forced = True, False
            self._keyframe_stamp = self._delta_stamp = frame.stamp
            return work, FrameKind.KEYFRAME
        if delta is not None:
            return work, FrameKind.DELTA
        return work, FrameKind.TAIL if work.rows else FrameKind.NONE

    def _delta(self, frame: Frame, watch: Stopwatch) -> np.ndarray | None:
        """The blocks (int [n]) to put on the history as a delta frame, if one is due."""
        reference = self._history_reference
        if reference is None or self._delta_stamp is None:
            return None
        if (frame.stamp - self._delta_stamp) * _NANO < self.config.delta_interval:
            return None
        with watch.stage('plan'):
            fresh = self._planner.plan(frame, reference).fresh
        if not fresh.any():
            return None
        reference.admit(frame, fresh)
        self._delta_stamp = frame.stamp
        return np.flatnonzero(fresh)

    @property
    def _tail_mode(self) -> str:
        """The setting; `auto` means `exact` for a family that cannot refresh rows in place."""
        mode = self.config.tail_mode
        return 'exact' if mode == 'auto' and not self.family.capabilities.tail_refresh else mode

    def _must_be_exact(self, tail: Tail, frame: Frame) -> bool:
        """Whether the tail must be replaced whole: in exact mode, or refreshed for too long."""
        mode = self._tail_mode
        if mode == 'exact':
            return not tail.shows(frame)
        if mode == 'refresh' or tail.exact:
            return False
        share = tail.refreshed_rows / frame.grid.blocks
        age = (frame.stamp - tail.exact_stamp) * _NANO
        return share > self.config.max_refreshed or age > self.config.max_refresh_age

    def _keep_within_budget(self, grown: int) -> None:
        """Compress, or see that the next generation is ready in time."""
        config = self.config
        if config.compression == 'infinipot':
            self._compress(config.token_budget)
            return
        if self._generations.due(config):
            self._audit = None  # two caches at a time are enough
            # A history that begins with a delta frame would be worth nothing.
            self._forced |= not self._generations.begin(config)
        if self._generations.build(config, grown=grown):
            self._carried_over()

    def _budget_notes(self) -> list[str]:
        """A warning where the budget cannot hold what the settings ask to keep."""
        config, tail = self.config, self.cache.ledger.tail
        assert tail is not None
        frames = 6 if config.compression == 'infinipot' else 2 * max(1, config.keep_keyframes)
        needed = frames * len(tail.rows)
        if config.token_budget >= needed:
            return []
        return [
            f'token_budget {config.token_budget} is too small for frames of {len(tail.rows)} rows: '
            f'set it to at least {needed}, or lower keep_keyframes or max_blocks'
        ]

    def _compress(self, cap: int) -> None:
        """Make room for the next frame, so that the cap holds at every moment."""
        assert self._tail is not None
        frame = self._tail.frame
        # A frame adds itself whole, and itself once more as a delta frame; its caption may grow.
        need = 2 * (len(self.family.captioned_rows(frame, 0)) + bool(self.family.caption(frame)))
        if self.cache.ledger.rows + need > cap:
            self._audit = None  # the rows that it has compared are going
            self.cache.compress(min(int(_COMPRESS_TO * cap), cap - need))
            self._carried_over()

    def _build_slice(self) -> None:
        if self._generations.build_slice():
            self._carried_over()

    def _carried_over(self) -> None:
        """The current generation has just prefilled the tail's features whole."""
        assert self._tail is not None
        self._tail.carried_over()

    def ask(self, question: Question) -> Asking:
        """Take up a question; iterate over the result to answer it.

        Cheap, unless it is the first about a refreshed tail: that catches up.

        Raises:
            NoEvidence: no frame has been admitted, or none as early as `as_of`.
            InvalidRequest: the question is too long.
            Unsupported: the model's family cannot be asked about the past.
        """
        if self._tail is None:
            raise NoEvidence('no image has been admitted yet: is the camera publishing?')
        start = time.perf_counter()
        recomputed = self._catch_up(question.as_of)
        fork = self.cache.fork(question.as_of)
        newest = self._tail.frame
        frames = fork.frames
        # A frame that changed nothing moves the present, but not the ledger's tail.
        at_present = not question.as_of or question.as_of >= newest.stamp
        stamp = newest.stamp if at_present else frames[-1].stamp
        with_tail = fork.segments[-1].kind is Kind.TAIL
        evidence = Evidence(
            oldest_stamp=frames[0].stamp,
            newest_stamp=stamp,
            frame_id=newest.frame_id,
            oldest_block_age=self._tail.reference.oldest_age(stamp) if with_tail else 0.0,
            exact=(self._tail.exact or not with_tail) and not self.cache.ledger.compressed,
        )
        asking = Asking(
            family=self.family,
            fork=fork,
            question=question,
            evidence=evidence,
            config=self.config,
            start=start,
            recomputed=recomputed,
        )
        self._probe = asking.suffix
        return asking

    def _catch_up(self, as_of: int) -> int:
        """Recompute what went stale in the tail, if a question is about it; how many rows."""
        assert self._tail is not None
        shown = self.cache.ledger.tail
        if shown is None or shown.frame is None or 0 < as_of < shown.frame.stamp:
            return 0
        return self._tail.catch_up(self.cache)

    def idle(self) -> bool:
        """Use idle time: a slice of settling, rebuilding or auditing; True: there is more."""
        if self._tail is None:
            return False
        if self._unsettled:
            self._tail.settle(self.cache)
        elif not self._tail.caught_up:
            self._tail.catch_up(self.cache)
        elif self._generations.building:
            self._build_slice()
        elif self._audit is not None or self._audit_due():
            self.audit_slice()
        else:
            return False
        return self._has_work()

    @property
    def idle_cost(self) -> float:
        """Seconds that a slice of idle work takes at most, estimated; 0: not known yet."""
        tail = self.cache.ledger.tail
        return self._calibration.cold_dense(frames=1, rows=len(tail.rows)) if tail else 0.0

    def _has_work(self) -> bool:
        assert self._tail is not None
        behind = self._unsettled or not self._tail.caught_up
        return behind or self._generations.building or self._audit is not None

    @property
    def _unsettled(self) -> bool:
        """Whether the tail is to be settled."""
        return self._tail is not None and self._tail_mode != 'refresh' and not self._tail.settled

    def audit(self) -> AuditReport:
        """Audit now, whatever it takes; a mismatch rebuilds the session from its ledger.

        Raises:
            NoEvidence, Unsupported: as `begin_audit`.
        """
        self.begin_audit()
        while (report := self.audit_slice()) is None:
            pass
        return report

    def begin_audit(self) -> None:
        """Begin to audit the cache; idle time and `audit_slice` go on with it.

        Raises:
            NoEvidence: there is nothing to audit yet.
            Unsupported: a compressed cache cannot be audited.
        """
        if self._tail is None:
            raise NoEvidence('there is nothing to audit yet: no image has been admitted')
        if self.cache.ledger.compressed:
            raise Unsupported('a compressed cache is not what a cold prefill gives: no audit')
        self._audit = Audit(self.family)
        self._last_audit_stamp = self._tail.frame.stamp

    def audit_slice(self) -> AuditReport | None:
        """Go on with the audit, or begin one; the report ends it.

        A generation under construction is finished first: two caches at a time are enough.

        Raises:
            NoEvidence, Unsupported: as `begin_audit`.
        """
        if self._generations.building:
            self._build_slice()
            return None
        if self._audit is None:
            self.begin_audit()
        assert self._audit is not None
        assert self._tail is not None
        if self._audit.nearly_done(self.cache) and not self._tail.exact:
            self._tail.settle(self.cache)
        report = self._audit.step(self.cache, self._probe)
        if report is None:
            return None
        self._audit = None
        if not report.ok:
            self._generations.replay(self.cache.ledger.history)
            self._carried_over()
            report = replace(report, text=report.text + '; the session was rebuilt from it')
        self.last_audit = report
        return report

    def _audit_due(self) -> bool:
        assert self._tail is not None
        elapsed = (self._tail.frame.stamp - self._last_audit_stamp) * _NANO
        interval = self.config.audit_interval
        replayable = self._tail.exact and not self.cache.ledger.compressed
        return bool(interval) and elapsed >= interval and replayable

    @property
    def _held(self) -> Held:
        """What there is now; an audit in progress is a cache as well."""
        generations = self._generations
        return Held(
            ledger=self.cache.ledger,
            token_budget=self.config.token_budget,
            nbytes=generations.nbytes + (self._audit.nbytes if self._audit else 0),
            generation=self.cache.number,
            progress=generations.progress,
        )


def check_support(family: Family, config: EngineConfig) -> None:
    """Refuse settings that the model's family cannot follow.

    Raises:
        Unsupported: the text names the setting and what it can be set to.
    """
    if config.tail_mode == 'refresh' and not family.capabilities.tail_refresh:
        raise Unsupported(
            f'{family.name} cannot refresh rows in place: set tail_mode to auto or exact'
        )
    if config.delta_interval != math.inf and not family.capabilities.delta_frames:
        raise Unsupported(f'{family.name} takes whole frames only: set delta_interval to inf')
    if config.compression != 'none' and not family.capabilities.compression:
        raise Unsupported(f'{family.name} cannot be compressed: set compression to none')
