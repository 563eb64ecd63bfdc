# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What to pay, and how: a function of what is owed and of how the cache stands.

Four times to pay.  Never, where nothing changed.  Calm: change that has stood still.  Due: what
has been owed, or the same, for too long.  Asked: what is still owed when somebody asks.  What is
protected waits for none of them.  Knows blocks and stamps; does nothing, and knows nothing of
models.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.bursts import Brief
from vlmaxxing_ros.engine.seeing.note import Note
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.reach import Reach
from vlmaxxing_ros.engine.seeing.sight import Owed
from vlmaxxing_ros.engine.stream.payment import IN_PLACE, Payment, Why
from vlmaxxing_ros.engine.stream.standing import Standing

SETTLE_AFTER = 1.0
"""Seconds for which nothing may have changed before the tail is made exact."""


SMALL = 0.25
"""Share of the blocks up to which a question pays for a brief event before it is answered."""


PATIENCE = 0.7
"""Share of the time since somebody asked last for which change has to stand still to be calm: who
asks often finds it paid, and where nobody does most of it is overtaken before."""


def patience(quiet: float, config: EngineConfig) -> float:
    """Seconds for which change has to stand still to be calm, `quiet` seconds after a question."""
    longer = min(PATIENCE * quiet, config.max_owed) if config.calm else 0.0  # 0: all of it is
    return max(config.calm, longer)


def asked(owed: Owed, standing: Standing, config: EngineConfig) -> Payment | None:
    """What a question pays that wants the newest evidence; None: nothing is owed."""
    changed = owed.blocks.any() or any(map(_small, owed.briefs)) or bool(owed.notes)
    changed = changed or owed.whole_view is not None
    forgot = not _recalls(owed, standing, config) and owed.past is not None
    late = standing.expired and standing.late
    # What ended too long ago can be left out at no cost.
    spared = standing.outdated and standing.carries
    if standing.tail is None or changed or forgot or standing.behind or late or spared:
        return _form(Why.ASKED, owed, owed.blocks, standing, config)
    if standing.whole_only or standing.caught_up:
        return None
    return Payment(Why.ASKED, owed.plan, np.zeros_like(owed.blocks))


def eager(owed: Owed, standing: Standing, config: EngineConfig) -> Payment | None:
    """All that is owed or due, at once; None: nothing is."""
    blocks = owed.blocks | owed.due
    changed = blocks.any() or bool(owed.notes) or owed.whole_view is not None
    if standing.tail is None or standing.wanted or standing.behind or changed:
        return _form(Why.EAGER, owed, blocks, standing, config)
    return None


def sure(owed: Owed, standing: Standing, config: EngineConfig) -> Payment:
    """What a question pays whose answer is not sure: the newest frame, whole.

    An exact tail, which was spared for a keyframe and answered aside of, becomes that keyframe.
    """
    promote = _promotable(owed, standing, config)
    return settled(owed.plan, standing, config, promote=promote)


def settled(
    plan: Plan, standing: Standing, config: EngineConfig, *, promote: bool = False
) -> Payment:
    """A frame whole, in place of the tail; what was carried is prefilled, so that all is exact."""
    since = plan.look.frame.stamp - Reach.of(config).most
    return Payment.settling(
        plan,
        promote=promote,
        afresh=standing.carried,
        since=since,
        keep_notes=config.keep_notes,
    )


def background(owed: Owed, standing: Standing, config: EngineConfig) -> Payment | None:
    """What is paid though nobody asks; None: nothing now."""
    if standing.tail is None:
        return _form(Why.FIRST, owed, owed.blocks, standing, config)
    if standing.wanted or owed.notes:
        return _form(Why.KEYFRAME, owed, owed.blocks, standing, config)
    if (
        standing.put_off
        and not standing.carries
        and (owed.blocks.any() or owed.briefs or not standing.reaches)
    ):
        return _form(Why.KEYFRAME, owed, owed.blocks, standing, config)
    # Where change goes on it comes with the next keyframe.
    if standing.attended and not owed.blocks.any() and not all(map(_small, owed.briefs)):
        return _form(Why.KEYFRAME, owed, owed.blocks, standing, config)
    # Paid in place, an exact tail can no longer become the keyframe that the next question lacks.
    spared = standing.attended and standing.exact and _due(standing.tail, standing, config)
    if spared and not standing.carries:
        # Nor once it is of another time.
        fades = owed.blocks.any() and owed.stamp - owed.accounted >= Reach.of(config).least
        if not (fades or owed.due.any() or owed.urgent.any()):
            return None
        return _form(Why.KEYFRAME, owed, owed.blocks | owed.due, standing, config)
    if owed.urgent.any():
        return _form(Why.PROTECTED, owed, owed.urgent | owed.due, standing, config)
    if owed.due.any():
        return _form(Why.DUE, owed, owed.blocks | owed.due, standing, config)
    if owed.plan.protected.any() and standing.refreshed > config.max_refreshed:
        # What is protected does not wait for the exact frame that the bound forces.
        return Payment.settling(owed.whole_view or owed.plan)
    if owed.calm.any() and (owed.calm.all() or not owed.plan.whole):
        return _form(Why.CALM, owed, owed.calm, standing, config)
    if owed.whole_view is not None:
        return Payment.settling(owed.whole_view)
    return _calmed(owed, standing, config)


def _calmed(owed: Owed, standing: Standing, config: EngineConfig) -> Payment | None:
    """What makes the cache exact, once nothing has changed for a while; None: nothing is to."""
    if owed.blocks.any() or owed.still < SETTLE_AFTER or not standing.settles:
        return None
    if not (standing.carried or (standing.carries and standing.outdated)):
        return None if standing.exact else Payment.settling(owed.plan)
    # By then most of what was carried has ended too long ago to be prefilled again.
    least = Reach.of(config).least
    if owed.still * 1e9 < least < math.inf:
        return None
    settling = replace(settled(owed.plan, standing, config), afresh=True, since=owed.stamp - least)
    if not (standing.carries and standing.attended):
        return settling
    # A frame alone does not tell that nothing moves: one of the past, which looks the same, does.
    past, anchor = owed.past, owed.plan.look.frame.anchor
    if past is None or past.frame.anchor != anchor or past.changed.any():
        return None
    return replace(settling, past=past)


def protecting(
    owed: Owed, standing: Standing, config: EngineConfig, why: Why = Why.PROTECTED
) -> Payment | None:
    """What is protected, in place, whatever becomes of the rest; None: nothing can be.

    Beside a payment that is under way, or for a question that has no time for more.
    """
    if standing.tail is None or not owed.urgent.any():
        return None
    owed = replace(owed, whole_view=None, past=None, briefs=(), notes=())
    if not why.asks:
        standing = replace(standing, carries=False)  # the other one's history would be lost
    blocks = owed.urgent if why.asks else owed.urgent | owed.due
    payment = _form(why, owed, blocks, standing, config)
    return None if payment.whole else replace(payment, partial=True)


def _form(
    why: Why, owed: Owed, blocks: np.ndarray, standing: Standing, config: EngineConfig
) -> Payment:
    """Whole, or only the blocks in place; and what becomes of the tail that there is."""
    if standing.carries and (why.asks or standing.attended):
        return _carrying(why, owed, blocks, standing, config)
    reach = Reach.of(config)
    promotable = _promotable(owed, standing, config)
    # A tail that is to be a keyframe has to be exact: taken whole.
    keyframe = why.remembers and (promotable or _due(owed.stamp, standing, config))
    # Who asks does not wait for the history's sake, unless nobody else sees to it.
    left = why.asks and config.max_duty > 0.0
    puts_off = left and not standing.late and standing.remembers
    # A large event that came and went is left to the background in any case.
    spares = left or (why is Why.KEYFRAME and standing.attended and bool(owed.blocks.any()))
    briefs, notes = _waiting(why, owed, spares=spares)
    lacks = why.remembers and not (
        _recalls(owed, standing, config) if why.asks else standing.reaches
    )
    past = owed.past if lacks and config.keep_keyframes else None
    outdated = standing.expired and why.remembers and not puts_off
    remade = (
        outdated
        or (keyframe and not puts_off)
        or bool(briefs)
        or bool(notes)
        or (why.asks and past is not None)
    )
    whole = why is Why.KEYFRAME or _whole(why, owed, blocks, standing, config)
    if not (whole or remade):
        return Payment(
            why, owed.plan, blocks | owed.riders, aside=promotable and why.asks, puts_off=keyframe
        )
    return Payment(
        why,
        # Whole anyway: all of the image, if the camera rests.
        owed.whole_view or owed.plan,
        np.ones_like(blocks),
        whole=True,
        promote=promotable and why.remembers,
        afresh=outdated or past is not None,
        since=owed.stamp - reach.least,
        past=past,
        briefs=briefs,
        notes=notes,
        keep_notes=config.keep_notes,
        # It takes the place of a tail that was not exact: a keyframe is lacking all the same.
        puts_off=puts_off and keyframe and not promotable,
    )


def _carrying(
    why: Why, owed: Owed, blocks: np.ndarray, standing: Standing, config: EngineConfig
) -> Payment:
    """The same where what is there can be carried: only what has changed is computed.

    The tail becomes a keyframe where it stands, a copy of it the tail, and what has ended too long
    ago is left out.
    """
    reach = Reach.of(config)
    whole = _whole(why, owed, blocks, standing, config)
    changes = whole or bool(blocks.any())
    in_place = blocks | owed.riders if changes else blocks
    lacks = why.asks and config.keep_keyframes and not _recalls(owed, standing, config)
    # What is owed may have changed before.
    past = (
        replace(owed.past, changed=owed.past.changed | owed.blocks) if lacks and owed.past else None
    )
    # A large event that came and went is left to the background, which waits for a lull.
    spares = config.max_duty > 0.0 if why.asks else bool(owed.blocks.any())
    spares &= why is not Why.EAGER
    briefs, notes = _waiting(why, owed, spares=spares)
    promote = bool(changes or briefs or notes) and _moment(owed, standing, config)
    crowded = promote and standing.crowded
    late = any(b.frame.stamp < (standing.keyframe or 0) for b in briefs)  # in the order of time
    afresh = standing.outdated or crowded or late or past is not None
    return Payment(
        why,
        owed.whole_view or owed.plan if whole else owed.plan,
        np.ones_like(blocks) if whole else in_place,
        whole=whole,
        promote=promote,
        afresh=afresh,
        since=owed.stamp - (reach.least if crowded else reach.most),
        past=past,
        briefs=briefs,
        notes=notes,
        keep_notes=config.keep_notes,
        carried=afresh or promote or bool(briefs) or bool(notes),
    )


def _whole(
    why: Why, owed: Owed, blocks: np.ndarray, standing: Standing, config: EngineConfig
) -> bool:
    """Whether a frame is taken whole for its blocks' sake."""
    most = min(IN_PLACE, config.keyframe_fraction) if why.asks else config.keyframe_fraction
    return bool(
        standing.tail is None
        or standing.whole_only
        or owed.plan.whole
        or (owed.whole_view is not None and why is not Why.PROTECTED)
        or np.count_nonzero(blocks) >= most * blocks.size
        or (standing.refreshed > config.max_refreshed and why is not Why.PROTECTED)
    )


def _promotable(owed: Owed, standing: Standing, config: EngineConfig) -> bool:
    """Whether the tail that there is may become the newest keyframe, which is exact."""
    return standing.exact and _moment(owed, standing, config)


def _moment(owed: Owed, standing: Standing, config: EngineConfig) -> bool:
    """Whether the tail shows a moment that the history lacks."""
    due = standing.tail is not None and _due(standing.tail, standing, config)
    return due and _shows_moment(owed, standing, config)


def _shows_moment(owed: Owed, standing: Standing, config: EngineConfig) -> bool:
    """Whether the tail shows one moment, and not too long ago.

    Rather one that is not the same for every block than none at all.
    """
    tail = standing.tail
    if tail is None:
        return False
    whole = standing.exact or tail <= owed.accounted
    lacks = standing.keyframe is None and standing.carries
    until = owed.accounted if whole else tail
    return (whole or lacks) and owed.stamp - until <= Reach.of(config).most


def _recalls(owed: Owed, standing: Standing, config: EngineConfig) -> bool:
    """Whether the history shows a moment long enough ago, or will with the tail."""
    shows = _shows_moment(owed, standing, config)
    still = owed.still * 1e9 >= Reach.of(config).least  # what it shows is that moment as well
    return standing.remembers or (shows and (standing.recalls or still))


def _waiting(why: Why, owed: Owed, *, spares: bool) -> tuple[tuple[Brief, ...], tuple[Note, ...]]:
    """The brief events and notes that go onto the history; `spares`: no large events."""
    if not why.remembers:
        return (), ()
    return tuple(b for b in owed.briefs if _small(b) or not spares), owed.notes


def _small(brief: Brief) -> bool:
    """Whether a brief event is a matter of some blocks."""
    return bool(np.count_nonzero(brief.blocks) <= SMALL * brief.blocks.size)


def _due(stamp: int, standing: Standing, config: EngineConfig) -> bool:
    """Whether a frame with this stamp is to be a keyframe."""
    if config.keep_keyframes == 0:
        return False
    if standing.wanted or standing.keyframe is None:
        return True
    return (stamp - standing.keyframe) * 1e-9 >= config.keyframe_interval
