# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One standing question: when it is to be asked again, and what an answer means.

A state machine of facts: how much has changed, what was answered, what time it is.  Knows nothing
of threads, cameras, models or messages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from vlmaxxing_ros.ros.watch_settings import WatchConfig

RETRY = 5.0
"""Seconds after which a question that failed is asked again, if nothing is seen anew before."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """An answer, and for how long it is known to hold; stamps are of images, in nanoseconds.

    Attributes:
        text: the answer.
        probabilities: one per choice; none for an open question.
        stamp: of the newest image that the answer accounts for, with its `frame_id`.
        since: stamp of the first image from which it holds.
        until: stamp of the newest one up to which it does.
        note: what it does not account for, for people.
    """

    text: str
    probabilities: tuple[float, ...] = ()
    stamp: int
    frame_id: str = ''
    since: int
    until: int
    note: str = ''

    @classmethod
    def answered(
        cls,
        text: str,
        probabilities: tuple[float, ...] = (),
        *,
        stamp: int,
        frame_id: str = '',
        note: str = '',
    ) -> Known:
        """What one answer says: it holds for the image with this stamp."""
        return cls(
            text=text,
            probabilities=probabilities,
            stamp=stamp,
            frame_id=frame_id,
            since=stamp,
            until=stamp,
            note=note,
        )


@dataclass(frozen=True)
class Change:
    """The answer has changed; `before` is None where it is the first one."""

    watch: str
    config: WatchConfig
    before: Known | None
    after: Known


class Watch:
    """A standing question's state.

    Attributes:
        told: the answer that counts; None: there is none yet.
        answers: how many there were.
        trouble: what was wrong with the last answer, for people; empty: it counts.
        evidence: stamp (ns) of what the last answer accounts for; None: it has to be asked.
        answered_at: when the last answer came, seconds of a steady clock.
    """

    def __init__(self, name: str, config: WatchConfig) -> None:
        self.name = name
        self.config = config
        self.told: Known | None = None
        self.answers = 0
        self.trouble = ''
        self.evidence: int | None = None
        self.answered_at = -math.inf
        self._other: Known | None = None  # another answer, which has not held for long enough
        self._sure = True  # whether the last answer counts
        self._changed = False
        self._newest = 0
        self._not_before = -math.inf

    @property
    def due_at(self) -> float:
        """When it is to be asked, in seconds of the steady clock; inf: once something changes."""
        if self.evidence is None or self._changed:
            return self._not_before
        period = self.config.period
        if not period or self._newest <= self.evidence:
            return math.inf  # about the very same image there is nothing new to say
        return max(self.answered_at + period, self._not_before)

    def begin_anew(self) -> None:
        """What the last answer rests on is gone, or of another time."""
        self.evidence = self._other = None
        self._changed, self._not_before = False, -math.inf

    def seen(self, stamp: int, changed: int, of: int) -> Change | None:
        """An image was seen: where too little has changed the evidence is as new as the image.

        Args:
            stamp: of the newest image, ns.
            changed: blocks of the region that have changed since `evidence`.
            of: blocks of the region.
        """
        if self.evidence is None:
            return None
        self._newest = stamp
        self._changed = self._changed or changed >= min(self.config.changed_blocks, of)
        if self._sure and not self._changed:
            if self._other is not None:
                self._other = replace(self._other, until=stamp)
            elif self.told is not None:
                self.told = replace(self.told, until=stamp)
        return self._settled()

    def answered(self, answer: Known, now: float) -> Change | None:
        """It was answered, at `now` of the steady clock; tell what was seen meanwhile next."""
        self.answers += 1
        self.answered_at, self.evidence = now, answer.stamp
        self._newest, self._changed, self._not_before = answer.stamp, False, -math.inf
        self.trouble = self._doubt(answer)
        self._sure = not self.trouble
        told, other = self.told, self._other
        if not self._sure:
            self._other = None
        elif told is not None and told.text == answer.text:
            self.told, self._other = _again(told, answer), None
        elif other is not None and other.text == answer.text:
            self._other = _again(other, answer)
        else:
            self._other = answer
        return self._settled()

    def failed(self, why: str, now: float) -> None:
        """It was asked and not answered."""
        self.trouble, self._not_before = why, now + RETRY

    def _doubt(self, answer: Known) -> str:
        """Why an answer does not count; empty: it does."""
        least = self.config.min_probability
        best = max(answer.probabilities, default=1.0)
        if best >= least:
            return ''
        return f'not sure: {answer.text!r} with {best:.3f}, below min_probability {least:g}'

    def _settled(self) -> Change | None:
        """The change that has held for long enough."""
        other, before = self._other, self.told
        if other is None or (other.until - other.since) * 1e-9 < self.config.hold:
            return None
        self.told, self._other = other, None
        return Change(self.name, self.config, before, other)


def _again(known: Known, answer: Known) -> Known:
    """The same answer once more; a recording that begins again goes back in time."""
    return replace(answer, since=min(known.since, answer.since))
