# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The standing questions of a node: told what was seen, asked when due, within a share of the time.

While nothing relevant changes nobody is asked, and their evidence gets newer with every image.
Knows sights, tickets and outcomes; knows nothing of rclpy, messages or models.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from vlmaxxing_ros.engine.question import Token
from vlmaxxing_ros.engine.stream.duty import Duty
from vlmaxxing_ros.ros.settings import NodeConfig
from vlmaxxing_ros.ros.ticket import Outcome, Request, Status, Ticket
from vlmaxxing_ros.ros.watch import Change, Known, Watch
from vlmaxxing_ros.ros.watch_settings import WatchConfig, check_watch_id

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.seeing.sight import Sight


class WatchExists(ValueError):
    """There is a watch with this id and other settings."""


class UnknownWatch(ValueError):
    """There is no watch with this id."""


class TooManyWatches(ValueError):
    """There are `max_watches` already."""


class Submit(Protocol):
    """How a question is queued."""

    def __call__(
        self,
        request: Request,
        *,
        on_token: Callable[[Token], None],
        on_done: Callable[[Outcome], None],
    ) -> Ticket:
        """See `Worker.submit`."""


@dataclass(eq=False)
class _Post:
    """One watch; `asking`: a question of its is on its way, `ticket` is the newest."""

    watch: Watch
    asking: bool = False
    ticket: Ticket | None = None

    @property
    def camera(self) -> str:
        return self.watch.config.camera


class Watches:
    """All watches of a node.

    Args:
        limits: to begin with.
        on_change: told every change of an answer, on whatever thread it came about.
        on_outcome: told how each of their questions ended, likewise.
        wake: called when there may be something to ask.
        clock: seconds that never go back.

    Attributes:
        limits: bounds, the cameras' names, the share of the time.
    """

    def __init__(
        self,
        limits: NodeConfig,
        *,
        on_change: Callable[[Change], None],
        on_outcome: Callable[[Outcome], None],
        wake: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._on_change = on_change
        self._on_outcome = on_outcome
        self._wake = wake
        self._lock = threading.Lock()
        self._posts: dict[str, _Post] = {}
        self._sights: dict[str, Sight] = {}
        self._clock = clock
        self._duty = Duty(clock())

    def __len__(self) -> int:
        return len(self._posts)

    # The executor's thread

    def add(self, name: str, config: WatchConfig, begin: Callable[[], None]) -> None:
        """Begin a watch; one that is there with the same settings goes on.

        Args:
            name: its id.
            config: its settings.
            begin: called where it is new, before it can have anything to tell.

        Raises:
            WatchExists, TooManyWatches: see there.
            InvalidRequest: the question cannot be asked.
            ValueError: the id cannot be used.
        """
        check_watch_id(name)
        limits = self.limits
        _request(config).check(list(limits.cameras), limits.max_question_characters)
        config = replace(config, camera=config.camera or limits.cameras[0])
        with self._lock:
            if (post := self._posts.get(name)) is not None:
                if post.watch.config == config:
                    return
                raise WatchExists(
                    f'there is a watch {name!r} with other settings: remove it first, or choose '
                    'another id'
                )
            if len(self._posts) >= limits.max_watches:
                raise TooManyWatches(
                    f'there are {len(self._posts)} watches (max_watches): remove one, or raise it'
                )
        begin()  # may take a while, which nobody waits for
        with self._lock:
            self._posts[name] = _Post(Watch(name, config))
        self._wake()

    def remove(self, name: str) -> None:
        """End a watch: nothing is told of it any more.

        Raises:
            UnknownWatch: there is none with this id.
        """
        with self._lock:
            post = self._posts.pop(name, None)
            if post is None:
                there = ', '.join(self._posts) or 'none'
                raise UnknownWatch(f'no watch {name!r}: there is {there}')
        if post.ticket is not None:
            post.ticket.cancel()

    def look_up(self) -> list[Watch]:
        """Every watch as it stands, in the order in which they came."""
        with self._lock:
            return [copy(post.watch) for post in self._posts.values()]

    # The seeing thread

    def seen(self, camera: str, sight: Sight) -> None:
        """A camera's newest image has been seen."""
        with self._lock:
            anew = self._sights.get(camera) is not sight
            self._sights[camera] = sight
            for post in self._posts.values():
                if post.camera != camera:
                    continue
                if anew:
                    post.watch.begin_anew()
                self._look(post, sight)

    # The model's thread

    def forget(self) -> None:
        """What was seen is gone: whatever comes next is another stream's."""
        with self._lock:
            self._sights.clear()
            for post in self._posts.values():
                post.watch.begin_anew()

    def due(self, now: float) -> bool:
        """Whether one is to be asked now (seconds of its clock), and may be."""
        with self._lock:
            allowed = self._duty.allows(self.limits.watch_duty, now)
            return allowed and self._next(now) is not None

    def wait(self, now: float) -> float | None:
        """Seconds until one is due by itself; None: not before something is seen."""
        with self._lock:
            moments = [post.watch.due_at - now for post in self._free()]
            wait = max(min(moments, default=math.inf), self._duty.wait(self.limits.watch_duty))
        return wait if wait < math.inf else None

    def ask(self, submit: Submit) -> None:
        """Ask the one that is due and was answered longest ago."""
        with self._lock:
            post = self._next(self._clock())
            if post is None:
                return
            post.asking, sight = True, self._sights[post.camera]
        post.ticket = submit(
            _request(post.watch.config),
            on_token=lambda _: None,
            on_done=lambda outcome: self._ended(post, sight, outcome),
        )

    def _free(self) -> list[_Post]:
        """Those that can be asked, if they are due."""
        return [p for p in self._posts.values() if not p.asking and p.camera in self._sights]

    def _next(self, now: float) -> _Post | None:
        due = (post for post in self._free() if post.watch.due_at <= now)
        return min(due, key=lambda post: post.watch.answered_at, default=None)

    def _ended(self, post: _Post, sight: Sight, outcome: Outcome) -> None:
        with self._lock:
            post.asking = False
            self._duty.spend(outcome.busy)
            if self._posts.get(post.watch.name) is post:
                self._take(post, sight, outcome)
        self._on_outcome(outcome)

    def _take(self, post: _Post, sight: Sight, outcome: Outcome) -> None:
        watch, now, answer = post.watch, self._clock(), outcome.answer
        if outcome.status is not Status.OK or answer is None:
            watch.failed(f'{outcome.status.name}: {outcome.status_text}', now)
            if outcome.status is Status.NOT_ACTIVE:
                self._sights.pop(post.camera, None)
        elif self._sights.get(post.camera) is sight:  # else it is about another stream
            known = Known.answered(
                answer.answer,
                answer.choice_probabilities,
                stamp=answer.evidence.newest_stamp,
                frame_id=answer.evidence.frame_id,
                note=outcome.status_text,
            )
            self._tell(watch.answered(known, now))
            self._look(post, sight)

    def _look(self, post: _Post, sight: Sight) -> None:
        """Tell a watch what was seen since its evidence."""
        watch = post.watch
        if watch.evidence is None:
            return
        newest = sight.newest  # before the count: what comes between counts as change
        rows, cols = sight.touched(watch.config.region())
        changed = sight.changed_since(watch.evidence, (rows, cols))
        of = (rows.stop - rows.start) * (cols.stop - cols.start)
        self._tell(watch.seen(newest.stamp, changed, of))

    def _tell(self, change: Change | None) -> None:
        """Under the lock, so that nothing is told of a watch once it is removed."""
        if change is not None:
            self._on_change(change)


def _request(config: WatchConfig) -> Request:
    return Request(
        asked=config.asked, camera=config.camera, deadline=config.deadline, standing=True
    )
