# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What to pay, and how: a function of what is owed and of how the cache stands.

Four times to pay.  Never, where nothing changed.  Calm: change that has stood still.  Due: what
has been owed, or the same, for too long.  Asked: what is still owed when somebody asks.  What is
protected waits for none of them.  Knows blocks and stamps; does nothing, and knows nothing of
models.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.bursts import Brief
from vlmaxxing_ros.engine.seeing.reach import Reach
from vlmaxxing_ros.engine.seeing.sight import Owed
from vlmaxxing_ros.engine.stream.payment import Payment, Why
from vlmaxxing_ros.engine.stream.standing import Standing

SETTLE_AFTER = 1.0
"""Seconds for which nothing may have changed before the tail is made exact."""


IN_PLACE = 0.3
"""Share of the blocks up to which it pays, when somebody waits, to recompute them in place: as many
rows again go stale with them, and the whole frame has each row once."""


SMALL = 0.25
"""Share of the blocks up to which a question pays for a brief event before it is answered."""


def asked(owed: Owed, standing: Standing, config: EngineConfig) -> Payment | None:
    """What a question pays that wants the newest evidence; None: nothing is owed."""
    changed = owed.blocks.any() or any(map(_small, owed.briefs)) or bool(owed.notes)
    changed = changed or owed.whole_view is not None
    forgot = not _recalls(owed, standing, config) and owed.past is not None
    late = standing.expired and standing.late
    # What ended too long ago can be left out at no cost.
    spared = standing.outdated and standing.carries and standing.exact and config.max_duty > 0.0
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
    payment = Payment.settling(owed.plan, promote=_promotable(owed, standing, config))
    if not (standing.outdated and standing.carries):
        return payment
    # What the answer left out does not come back.
    since = owed.stamp - Reach.of(config).most
    return replace(payment, afresh=True, since=since, keep_notes=config.keep_notes)


def background(owed: Owed, standing: Standing, config: EngineConfig) -> Payment | None:
    """What is paid though nobody asks; None: nothing now."""
    if standing.tail is None:
        return _form(Why.FIRST, owed, owed.blocks, standing, config)
    if standing.wanted or owed.notes:
        return _form(Why.KEYFRAME, owed, owed.blocks, standing, config)
    if standing.put_off and (owed.blocks.any() or owed.briefs or not standing.reaches):
        return _form(Why.KEYFRAME, owed, owed.blocks, standing, config)
    # Where change goes on it comes with the next keyframe.
    if standing.attended and not owed.blocks.any() and not all(map(_small, owed.briefs)):
        return _form(Why.KEYFRAME, owed, owed.blocks, standing, config)
    # Paid in place, an exact tail can no longer become the keyframe that the next question lacks.
    spared = standing.attended and standing.exact and _due(standing.tail, standing, config)
    if spared:
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
    if owed.blocks.any() or owed.still < SETTLE_AFTER:
        return None
    if standing.settles and not standing.exact:
        return Payment.settling(owed.plan)
    return None


def rebuilds(owed: Owed, standing: Standing) -> bool:
    """Whether the background builds a generation without what is of another time.

    Where questions come that can carry the rest, not before all that has changed is paid.
    """
    left = standing.carries and standing.attended
    return standing.outdated and not (left and owed.blocks.any())


def protecting(
    owed: Owed, standing: Standing, config: EngineConfig, why: Why = Why.PROTECTED
) -> Payment | None:
    """What is protected, in place, whatever becomes of the rest; None: nothing can be.

    Beside a payment that is under way, or for a question that has no time for more.
    """
    if standing.tail is None or not owed.urgent.any():
        return None
    owed = replace(owed, whole_view=None)
    blocks = owed.urgent if why.asks else owed.urgent | owed.due
    payment = _form(why, owed, blocks, standing, config)
    return None if payment.whole else replace(payment, partial=True)


def _form(
    why: Why, owed: Owed, blocks: np.ndarray, standing: Standing, config: EngineConfig
) -> Payment:
    """Whole, or only the blocks in place; and what becomes of the tail that there is."""
    reach = Reach.of(config)
    promotable = _promotable(owed, standing, config)
    # A tail that is to be a keyframe has to be exact: taken whole.
    keyframe = why.remembers and (promotable or _due(owed.stamp, standing, config))
    # Who asks does not wait for the history's sake, unless nobody else sees to it.
    left = why.asks and config.max_duty > 0.0
    puts_off = left and not standing.late and standing.remembers
    # A large event that came and went is left to the background in any case.
    spares = left or (why is Why.KEYFRAME and standing.attended and bool(owed.blocks.any()))
    briefs = tuple(b for b in owed.briefs if _small(b) or not spares) if why.remembers else ()
    notes = owed.notes if why.remembers else ()
    lacks = why.remembers and not (
        _recalls(owed, standing, config) if why.asks else standing.reaches
    )
    past = owed.past if lacks and config.keep_keyframes else None
    most = min(IN_PLACE, config.keyframe_fraction) if why.asks else config.keyframe_fraction
    # Where a question can carry what is not, the background need not leave it out.
    outdated = standing.expired and why.remembers and not puts_off
    outdated &= not (why is Why.KEYFRAME and standing.carries and standing.attended)
    remade = (
        outdated
        or (keyframe and not puts_off)
        or bool(briefs)
        or bool(notes)
        or (why.asks and past is not None)
    )
    whole = (
        standing.tail is None
        or standing.whole_only
        or owed.plan.whole
        or (owed.whole_view is not None and why is not Why.PROTECTED)
        or why is Why.KEYFRAME
        or np.count_nonzero(blocks) >= most * blocks.size
        or (standing.refreshed > config.max_refreshed and why is not Why.PROTECTED)
    )
    in_place = Payment(
        why, owed.plan, blocks | owed.riders, aside=promotable and why.asks, puts_off=keyframe
    )
    payment = in_place
    if whole or remade:
        payment = Payment(
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
    if not left or past is not None or briefs or notes:
        return payment
    shown = in_place if standing.exact and not whole else payment
    # A keyframe behind which the frame is taken whole is put on for nothing as it is.
    spares = payment.whole and not shown.whole
    if not standing.carries or not (standing.outdated or (promotable and spares)):
        return payment
    if not (shown.whole or standing.exact):
        return payment  # rows that were refreshed are not carried
    alone = replace(
        shown,
        promote=promotable and bool(shown.blocks.any()),
        afresh=standing.outdated,
        since=owed.stamp - reach.most,
        keep_notes=config.keep_notes,
        aside=True,
        carried=True,
        puts_off=keyframe,
    )
    return replace(payment, alone=alone)


def _promotable(owed: Owed, standing: Standing, config: EngineConfig) -> bool:
    """Whether the tail that there is may become the newest keyframe."""
    return (
        standing.tail is not None
        and standing.exact
        and _due(standing.tail, standing, config)
        and owed.stamp - owed.accounted <= Reach.of(config).most
    )


def _recalls(owed: Owed, standing: Standing, config: EngineConfig) -> bool:
    """Whether the history shows a moment long enough ago, or will with the tail."""
    lasts = owed.stamp - owed.accounted <= Reach.of(config).most
    return standing.remembers or (standing.recalls and lasts)


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
