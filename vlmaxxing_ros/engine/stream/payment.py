# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What to pay, and how: a function of what is owed and of how the cache stands.

Four times to pay.  Never, where nothing changed.  Calm: change that has stood still.  Due: what
has been owed, or the same, for too long.  Asked: what is still owed when somebody asks.  Knows
blocks and stamps; does nothing, and knows nothing of models.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.bursts import Brief
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.reach import Reach
from vlmaxxing_ros.engine.seeing.sight import Owed
from vlmaxxing_ros.engine.stream.standing import Standing

SETTLE_AFTER = 1.0
"""Seconds for which nothing may have changed before the tail is made exact."""


class Why(Enum):
    """What a payment is made for."""

    FIRST = 'first'
    ASKED = 'asked'
    DUE = 'due'
    CALM = 'calm'
    SETTLE = 'settle'

    @property
    def urgency(self) -> int:
        """Place in the order of the background's payments, 0 first."""
        return list(Why).index(self)

    @property
    def asks(self) -> bool:
        """Whether somebody waits for it."""
        return self is Why.ASKED


@dataclass(frozen=True)
class Payment:
    """What to pay.

    Attributes:
        why: what for.
        plan: of the frame that is paid.
        blocks: bool [rows, cols], which of its blocks; every one where it is taken whole.
        whole: encode and prefill the frame whole, rather than recompute rows in place.
        promote: the tail that there is becomes the newest keyframe first.
        afresh: begin a new generation without what is of another time.
        since: stamp (ns) since when a keyframe must have been true to be kept by a new generation.
        past: a frame to put on the history first, so that it reaches back.
        briefs: brief events to put on it then.
    """

    why: Why
    plan: Plan
    blocks: np.ndarray
    whole: bool = False
    promote: bool = False
    afresh: bool = False
    since: float = 0.0
    past: Frame | None = None
    briefs: tuple[Brief, ...] = ()

    @classmethod
    def settling(cls, plan: Plan, *, afresh: bool = False, since: float = 0.0) -> Payment:
        """Take a frame whole in place of the tail, whatever is owed of it."""
        everything = np.ones_like(plan.fresh)
        return cls(Why.SETTLE, plan, everything, whole=True, afresh=afresh, since=since)


def asked(owed: Owed, standing: Standing, config: EngineConfig) -> Payment | None:
    """What a question pays that wants the newest evidence; None: nothing is owed."""
    changed = owed.blocks.any() or bool(owed.briefs)
    if standing.tail is None or changed or standing.outdated or standing.behind:
        return _form(Why.ASKED, owed, owed.blocks, standing, config)
    if standing.whole_only or standing.caught_up:
        return None
    return Payment(Why.ASKED, owed.plan, np.zeros_like(owed.blocks))


def eager(owed: Owed, standing: Standing, config: EngineConfig) -> Payment | None:
    """All that is owed or due, at once; None: nothing is."""
    blocks = owed.blocks | owed.due
    if standing.tail is None or standing.wanted or standing.behind or blocks.any():
        return _form(Why.DUE, owed, blocks, standing, config)
    return None


def background(owed: Owed, standing: Standing, config: EngineConfig) -> Payment | None:
    """What is paid though nobody asks; None: nothing now."""
    if standing.tail is None:
        return _form(Why.FIRST, owed, owed.blocks, standing, config)
    if owed.due.any() or standing.wanted:
        return _form(Why.DUE, owed, owed.blocks | owed.due, standing, config)
    if owed.calm.any() and (owed.calm.all() or not owed.plan.whole):
        return _form(Why.CALM, owed, owed.calm, standing, config)
    if owed.blocks.any() or owed.still < SETTLE_AFTER:
        return None
    if standing.outdated or (standing.settles and not standing.exact):
        since = owed.stamp - Reach.of(config).least
        return Payment.settling(owed.plan, afresh=standing.outdated, since=since)
    return None


def _form(
    why: Why, owed: Owed, blocks: np.ndarray, standing: Standing, config: EngineConfig
) -> Payment:
    """Whole, or only the blocks in place; and what becomes of the tail that there is."""
    promote = (
        standing.tail is not None
        and standing.exact
        and _due(standing.tail, standing, config)
        and owed.stamp - owed.accounted <= Reach.of(config).most
    )
    briefs = owed.briefs if why is Why.ASKED else ()
    # A tail that is to be a keyframe has to be exact: taken whole when somebody pays anyway.
    keyframe = why is not Why.CALM and _due(owed.stamp, standing, config)
    whole = (
        standing.tail is None
        or standing.whole_only
        or standing.outdated
        or owed.plan.whole
        or promote
        or keyframe
        or bool(briefs)
        or np.count_nonzero(blocks) >= config.keyframe_fraction * blocks.size
        or standing.refreshed > config.max_refreshed
    )
    if not whole:
        return Payment(why, owed.plan, blocks)
    lacks = why is Why.ASKED and config.keep_keyframes > 0 and not standing.reaches
    past = owed.past if lacks and owed.past is not None else None
    everything = np.ones_like(blocks)
    afresh = standing.outdated or past is not None
    return Payment(
        why,
        owed.plan,
        everything,
        whole=True,
        promote=promote,
        afresh=afresh,
        since=owed.stamp - Reach.of(config).least,
        past=past,
        briefs=briefs,
    )


def _due(stamp: int, standing: Standing, config: EngineConfig) -> bool:
    """Whether a frame with this stamp is to be a keyframe."""
    if config.keep_keyframes == 0:
        return False
    if standing.wanted or standing.keyframe is None:
        return True
    return (stamp - standing.keyframe) * 1e-9 >= config.keyframe_interval
