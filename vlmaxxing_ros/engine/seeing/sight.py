# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a camera shows, and what of it is owed: seen, but not in the cache yet.

Every image is planned here at camera rate, whatever the model does; the reference moves only when
something is really paid.  Used by two threads: one sees, the other pays.  Knows pixels, blocks
and stamps; knows nothing of models, caches or messages.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.beginnings import Beginning, beginnings
from vlmaxxing_ros.engine.seeing.bursts import Brief, Bursts
from vlmaxxing_ros.engine.seeing.follower import Follower
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.note import Note
from vlmaxxing_ros.engine.seeing.plan import Plan, Verdict
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.seeing.reach import Reach
from vlmaxxing_ros.engine.seeing.region import Region

_VIEWS = 512  # images whose piece is remembered: longer than anything is owed


@dataclass(frozen=True)
class Past:
    """A frame of the past that may have to be told.

    Attributes:
        frame: as it was seen.
        changed: bool [rows, cols], what has changed between it and the newest frame.
    """

    frame: Frame
    changed: np.ndarray


@dataclass(frozen=True)
class Owed:
    """What is owed at one moment.

    Attributes:
        plan: of the newest frame.
        blocks: bool [rows, cols], what differs from what was paid: the novel ones, or all.
        riders: bool [rows, cols], what differs a little: paid where something is paid anyway.
        calm: bool [rows, cols], of these, what has stood still since it is owed for `calm` seconds,
            or as long as was asked for.
        due: bool [rows, cols], what has been owed, or the same, for longer than its bound.
        still: seconds for which nothing has changed; the blocks that are owed changed last.
        accounted: stamp (ns) of the newest frame that what was paid fully accounts for: the one
            before the first that showed what is still owed; at least the first.
        briefs: brief events that nobody has paid, oldest first.
        past: the newest frame as old as the history should reach; None: there is none.
        notes: lines of text that are not on the history yet, oldest first.
        whole_view: all of the newest image, taken whole, where what is paid is a piece of it and
            the camera rests; None: it is not time for that.
    """

    plan: Plan
    blocks: np.ndarray
    riders: np.ndarray
    calm: np.ndarray
    due: np.ndarray
    still: float
    accounted: int
    briefs: tuple[Brief, ...]
    past: Past | None = None
    notes: tuple[Note, ...] = ()
    whole_view: Plan | None = None

    @property
    def stamp(self) -> int:
        """Of the newest frame, nanoseconds."""
        return self.plan.look.frame.stamp

    @property
    def age(self) -> float:
        """Seconds since the newest frame that is fully accounted for."""
        return (self.stamp - self.accounted) * 1e-9

    @property
    def urgent(self) -> np.ndarray:
        """Of what is owed, the blocks of protected regions: bool [rows, cols]."""
        urgent: np.ndarray = self.blocks & self.plan.protected
        return urgent

    @property
    def count(self) -> int:
        """How many blocks are owed."""
        return int(np.count_nonzero(self.blocks))


class Sight:
    """One camera's, since its first frame.

    Args:
        config: settings.
        first: the first frame.
        camera_velocity, protected: as in `Planner.look`.

    Attributes:
        begun: what has begun to change with the newest frame, for whoever sees.
    """

    def __init__(
        self,
        config: EngineConfig,
        first: Frame,
        camera_velocity: tuple[float, float] | None = None,
        protected: Sequence[Region] = (),
    ) -> None:
        self.begun: tuple[Beginning, ...] = ()
        self._config = config
        self._origin = first.stamp
        self._lock = threading.Lock()
        self._planner = Planner(config)
        self._follower = Follower(self._planner, config)
        self._bursts = Bursts(max(1, config.keep_keyframes))
        self._accounted = first.stamp
        self._before = np.full((first.grid.rows, first.grid.cols), first.stamp, np.int64)
        self._past: deque[Frame] = deque()
        self._notes: list[Note] = []
        self._views: deque[tuple[int, int, Region]] = deque(maxlen=_VIEWS)
        self._seen_before = first.stamp  # of the frame before the newest
        shape = (first.grid.rows, first.grid.cols)
        self._moved_at = np.full(shape, first.stamp, np.int64)
        self._changed_at = np.full(shape, first.stamp, np.int64)
        self._owed_since = np.full(shape, first.stamp, np.int64)
        self._plan = self._follower.plan(
            first.since(self._origin), camera_velocity, protected=protected
        )
        self._sample(self.newest)

    def configure(self, config: EngineConfig) -> None:
        """Take on changed settings; what was seen is kept."""
        with self._lock:
            before, self._config = self._config, config
            self._planner.configure(config)
            self._follower.configure(config)
            if before.statistic != config.statistic:  # which looks at another image
                look = self._plan.look
                look = self._planner.instead(look, look.frame, look.around)
                self._plan = replace(self._plan, look=look)

    @property
    def newest(self) -> Frame:
        """The newest frame, or the piece of it that is planned where the camera is followed."""
        return self._plan.look.frame

    @property
    def plan(self) -> Plan:
        """The newest frame's plan, against what has been paid by now."""
        return self._plan

    @property
    def accounted(self) -> int:
        """Stamp (ns) of the newest frame that what was paid fully accounts for."""
        return self._accounted

    @property
    def nbytes(self) -> int:
        """Bytes of the frames that may become keyframes."""
        return self._bursts.nbytes + sum(frame.pixels.nbytes for frame in list(self._past))

    def see(
        self,
        frame: Frame,
        camera_velocity: tuple[float, float] | None = None,
        protected: Sequence[Region] = (),
    ) -> Plan:
        """Plan the next frame, later than the last one and on the same grid."""
        with self._lock:
            before = self._plan
            self._seen_before = before.look.frame.stamp
            plan = self._follower.plan(
                frame.since(self._origin), camera_velocity, before, protected=protected
            )
            self._note_change(before, plan)
            self._take(plan)
            self._bursts.note(plan)
            return plan

    def owed(self, calm: float | None = None) -> Owed:
        """What is owed now; `calm`: for how many seconds it has to stand still to be that."""
        with self._lock:
            plan, config = self._plan, self._config
            stamp, blocks = plan.look.frame.stamp, _novel(plan)
            still = (stamp - self._moved_at) * 1e-9
            waited = (stamp - self._owed_since) * 1e-9
            # What drifts slowly is owed without having moved.
            stood = np.minimum(still, waited)
            expired = plan.verdicts == Verdict.EXPIRED
            return Owed(
                plan=plan,
                blocks=blocks,
                riders=plan.fresh & ~blocks,
                calm=blocks & (stood >= (config.calm if calm is None else calm)),
                due=(blocks & (waited >= config.max_owed)) | expired,
                still=float(still.min()),
                accounted=self._accounted,
                briefs=tuple(b for b in self._bursts.waiting if self._lasts(b.frame.stamp)),
                past=self._past_frame(stamp),
                notes=tuple(self._notes),
                whole_view=self._follower.whole_view(plan),
            )

    def touched(self, region: Region) -> tuple[slice, slice]:
        """The rows and columns of blocks that show some of a region of the image now."""
        frame = self.newest
        return region.within(frame.view).blocks(frame.grid)

    def view_at(self, stamp: int, shown: Frame) -> Region:
        """What of the image with this stamp the blocks show that a frame stands for."""
        with self._lock:
            for at, anchor, view in reversed(self._views):
                if (at, anchor) == (stamp, shown.anchor):
                    return view
        return shown.view

    def changed_since(self, stamp: int, blocks: tuple[slice, slice]) -> int:
        """How many of some rows and columns have changed in images later than `stamp` (ns).

        Counted when a block became novel, and when it moved while it was; whatever was paid since.
        """
        return int(np.count_nonzero(self.changes_since(stamp)[blocks]))

    def changes_since(self, stamp: int) -> np.ndarray:
        """Which blocks these are, of all, be they back again: bool [rows, cols]."""
        with self._lock:
            return self._changed_at > stamp

    def oldest_age(self, stamp: int) -> float:
        """Age of the oldest pixels in use at `stamp` (nanoseconds), in seconds; 0: none are."""
        reference = self._planner.reference
        return reference.oldest_age(stamp) if reference else 0.0

    def still_since(self, plan: Plan, blocks: np.ndarray) -> bool:
        """Whether blocks (bool [rows, cols]) have stood still since a plan's frame."""
        with self._lock:
            return bool((self._moved_at[blocks] <= plan.look.frame.stamp).all())

    def paid(self, plan: Plan, blocks: np.ndarray) -> None:
        """Blocks (bool [rows, cols]) of a plan's frame are in the cache from now on."""
        with self._lock:
            self._planner.admit(plan, blocks)
            self._bursts.paid()
            # What is still owed of these differs from this frame, and not from the one before.
            stamp, owed = plan.look.frame.stamp, blocks & (self._owed_since > 0)
            self._before[owed] = np.maximum(self._before[owed], stamp)
            self._owed_since[owed] = np.maximum(self._owed_since[owed], stamp)
            # What is owed of the newest frame, now that something has been paid.
            self._take(self._follower.again(self._plan), min(stamp, self._seen_before))

    def remembered(self, brief: Brief) -> None:
        """A brief event is in the history, or too old for it."""
        with self._lock:
            if brief in self._bursts.waiting:
                self._bursts.waiting.remove(brief)

    def note(self, note: Note) -> None:
        """A line of text is to stand on the history; of more than are kept the oldest goes."""
        with self._lock:
            self._notes = [*self._notes, note][-max(1, self._config.keep_notes) :]

    def noted(self, notes: tuple[Note, ...]) -> None:
        """Notes are on the history."""
        with self._lock:
            self._notes = [note for note in self._notes if note not in notes]

    def _note_change(self, before: Plan, plan: Plan) -> None:
        stamp, then, now = plan.look.frame.stamp, _novel(before), _novel(plan)
        changed = np.zeros_like(now)
        if plan.whole or plan.look.frame.anchor != before.look.frame.anchor:
            self._moved_at[:], changed[:] = stamp, True
        elif now.any() or then.any():
            moved = self._planner.moved(before, plan)
            if now.any():
                self._moved_at[moved] = stamp
            # What is novel stays so until it is paid, whether or not it goes on changing; what was
            # may have gone back to what was paid.
            changed = (now & ~then) | (moved & (now | then))
        # At a low rate calm is over with the next image: what changed in the last one goes on.
        calm_since = min(self._seen_before, stamp - self._config.calm * 1e9)
        self.begun = self._beginnings(before, plan, changed, self._changed_at >= calm_since)
        self._changed_at[changed] = stamp

    @staticmethod
    def _beginnings(
        before: Plan, plan: Plan, changed: np.ndarray, lately: np.ndarray
    ) -> tuple[Beginning, ...]:
        """What begins with an image, in fractions of all of it."""
        was, frame = before.look.frame.anchor, plan.look.frame
        if was not in (0, frame.anchor):
            return ()  # it went on moving, or came to rest: the lattice alone is another one
        found = beginnings(changed, lately)
        return tuple(replace(begun, region=begun.region.of(frame.view)) for begun in found)

    def _take(self, plan: Plan, before: int | None = None) -> None:
        """It is the newest; what it begins to owe, an image with the stamp `before` did not."""
        self._plan, stamp = plan, plan.look.frame.stamp
        self._sample(plan.look.frame)
        self._note_view(plan.look.frame)
        owed, since = _novel(plan), self._owed_since
        began = owed & (since == 0)
        since[began] = stamp
        self._before[began] = self._seen_before if before is None else before
        since[~owed] = 0
        self._accounted = int(self._before[owed].min()) if owed.any() else stamp

    def _note_view(self, frame: Frame) -> None:
        """Where a camera's lattice stood in an image; nowhere but there if it is not followed."""
        if frame.anchor:
            self._views.append((frame.stamp, frame.anchor, frame.view))

    def _sample(self, frame: Frame) -> None:
        """Keep a frame per keyframe interval, as long as a history may reach back."""
        reach, past = Reach.of(self._config), self._past
        if reach.most == math.inf:
            return
        interval = self._config.keyframe_interval * 1e9
        if not past or frame.stamp - past[-1].stamp >= interval:
            past.append(frame)
        while past and not self._lasts(past[0].stamp):
            past.popleft()

    def _past_frame(self, stamp: int) -> Past | None:
        least = Reach.of(self._config).least
        old = [frame for frame in self._past if stamp - frame.stamp >= least]
        return Past(old[-1], self._changed_at > old[-1].stamp) if old else None

    def _lasts(self, stamp: int) -> bool:
        """Whether a frame of that time still says something about the present."""
        return self._plan.look.frame.stamp - stamp <= Reach.of(self._config).most


def _novel(plan: Plan) -> np.ndarray:
    """What a plan's frame owes: bool [rows, cols]."""
    novel: np.ndarray = plan.verdicts == Verdict.NOVEL
    return np.ones_like(novel) if plan.whole else novel
