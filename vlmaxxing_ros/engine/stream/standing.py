# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How a cache stands, as far as it matters to what is paid next.

Reads a ledger; decides nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vlmaxxing_ros.engine.cache.generations import BEGIN
from vlmaxxing_ros.engine.cache.ledger import Kind, Ledger
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Capabilities
from vlmaxxing_ros.engine.seeing.reach import Reach


@dataclass(frozen=True)
class Standing:
    """How the cache stands.

    Attributes:
        tail: stamp of the frame that the tail shows, nanoseconds; None: there is no tail.
        exact: the tail is what a prefill gives behind what stands before it.
        refreshed: rows recomputed since it was, over its size.
        caught_up: no row of it is stale beyond the limit.
        keyframe: stamp of the newest keyframe, where history is carried of those that are not of
            another time; None: there is none.
        outdated: some of the history is of another time.
        expired: has been for so long that a question does not put up with it.
        late: the tail was to be a keyframe long ago.
        put_off: a question has put a keyframe off.
        attended: somebody has asked within twice what a history may reach back.
        remembers: the history shows a moment long enough ago for a question.
        recalls: the history does, or the tail.
        reaches: history and tail reach back as far as they should.
        wanted: a keyframe was asked for.
        whole_only: rows are never recomputed in place.
        settles: history and tail are to be made exact when all is calm.
        behind: it is to be the newest image to the last pixel, and is not.
        carries: history and tail can be carried; a frame more fits the budget.
        carried: some of the history was, and is to be what a prefill gives again.
        crowded: with one keyframe more the generation has grown enough to be replaced.
    """

    tail: int | None
    exact: bool
    refreshed: float
    caught_up: bool
    keyframe: int | None
    outdated: bool
    expired: bool
    late: bool
    put_off: bool
    attended: bool
    remembers: bool
    recalls: bool
    reaches: bool
    wanted: bool
    whole_only: bool
    settles: bool
    behind: bool
    carries: bool = False
    carried: bool = False
    crowded: bool = False

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        config: EngineConfig,
        *,
        now: int,
        accounted: int,
        shows_newest: bool,
        able: Capabilities,
        wanted: bool,
        put_off: bool,
        asked: int | None,
    ) -> Standing:
        """Read it.

        Args:
            ledger: of the current generation.
            config: settings.
            now: stamp of the newest image, nanoseconds.
            accounted: of the newest that the tail fully accounts for.
            shows_newest: the tail is exact, and that image to the last pixel.
            able: what the model's family can do.
            wanted: a keyframe was asked for.
            put_off: a question has put a keyframe off.
            asked: stamp of the newest image when somebody asked last; None: nobody has.
        """
        tail, mode, reach = ledger.tail, config.tail_mode, Reach.of(config)
        # The background has a while to see to it; where it does nothing, a question does at once.
        tolerated = reach.most + (reach.least if config.max_duty > 0.0 else 0.0)
        shown = tail.frame.stamp if tail and tail.frame else None
        exact = tail is not None and tail.refreshed is None
        refreshed = tail.refreshed.rows / len(tail.rows) if tail and tail.refreshed else 0.0
        history = [(s, s.frame) for s in ledger.history if s.frame is not None]
        keyframes = [frame.stamp for s, frame in history if s.kind is Kind.KEYFRAME]
        # What looks like the tail is true for as long as the tail is.
        alike = math.inf if shown is None else shown
        until = [max(s.until, accounted if s.until >= alike else 0) for s, _ in history]
        dated = zip(history, until, strict=True)
        lasting = [frame.stamp for (_, frame), end in dated if now - end <= reach.most]
        whole_only = mode == 'exact' or not able.tail_refresh
        fits = tail is not None and ledger.rows + len(tail.rows) <= config.token_budget
        # What is carried is left out once it ended too long ago: that bounds how far it drifts.
        timed = reach.most < math.inf and config.compression == 'none'
        carries = able.carry and fits and timed and not (whole_only or wanted)
        reaching = [*lasting, *([shown] if shown is not None and (exact or carries) else [])]
        carried = not ledger.compressed and any(s.refreshed is not None for s, _ in history)
        if carries:
            keyframes = [stamp for stamp in keyframes if stamp in lasting]
        full = tail is not None and ledger.rows + len(tail.rows) > BEGIN * config.token_budget
        return cls(
            tail=shown,
            exact=exact,
            refreshed=refreshed if mode == 'auto' else 0.0,
            caught_up=tail is not None and tail.caught_up,
            keyframe=keyframes[-1] if keyframes else None,
            outdated=len(lasting) < len(history),
            expired=any(now - end > tolerated for end in until),
            late=exact and now - (shown or now) >= reach.most,
            put_off=put_off,
            attended=asked is not None and now - asked <= 2 * reach.most,
            remembers=any(now - stamp >= reach.least / 2 for stamp in lasting),
            recalls=any(now - stamp >= reach.least / 2 for stamp in reaching),
            reaches=any(now - stamp >= reach.least for stamp in reaching),
            wanted=wanted,
            whole_only=whole_only,
            settles=mode != 'refresh' and (carried or not shows_newest),
            behind=mode == 'exact' and not shows_newest,
            carries=carries,
            carried=carried,
            crowded=full or len(keyframes) + 1 >= 2 * max(1, config.keep_keyframes),
        )
