# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The engine itself, paying every frame as it comes, in one of its modes.

No idle time between frames: settling and auditing get none.  This is the worst case for a
refreshed tail, and it makes two runs do the same.
"""

from __future__ import annotations

from dataclasses import replace

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.evaluation.arms.base import (
    Admission,
    Arm,
    Reply,
    Windows,
    finish,
    reply_from,
)

_FEWEST = 6
"""Frames that the compressed arm has room for at least: with fewer there is nothing to choose."""


class SessionArm(Arm):
    """`refresh`, `exact`: a StreamSession with these settings, which pays every frame at once."""

    def __init__(self, family: Family, config: EngineConfig) -> None:
        super().__init__(family, config)
        self.session = StreamSession(family, config)

    def admit(self, frame: Frame) -> Admission:
        """Plan the frame and pay for what changed."""
        budget = self.session.admit(frame)
        return Admission(
            kind=budget.kind.name.lower(),
            blocks=budget.blocks_admitted,
            plan=budget.plan_time,
            vision=budget.vision_time,
            prefill=budget.prefill_time,
            cache_bytes=budget.cache_bytes,
            effective_fresh_frames=budget.effective_fresh_frames,
            frame_plan=budget.plan,
        )

    def ask(self, name: str, question: Question) -> Reply:
        """Answer on a fork of the stream's cache."""
        asking = self.session.ask(question)
        assert self.session.stream is not None
        ledger = self.session.stream.cache.ledger
        history = ledger.segments[:-1] if ledger.tail else ledger.segments
        window = [s.frame.stamp for s in history if s.frame is not None]
        answer = finish(asking)
        assert self.session.newest_stamp is not None
        # The newest frame may stand in the history as well.
        return reply_from(answer, dict.fromkeys([*window, self.session.newest_stamp]))


class CompressedArm(SessionArm):
    """`infinipot`: compression instead of forgetting, in the rows of the longest window."""

    def __init__(self, family: Family, config: EngineConfig, windows: Windows) -> None:
        super().__init__(family, replace(config, compression='infinipot'))
        self._frames = max([_FEWEST, *(len(window) for window in windows.values())])
        self._capped = False

    def admit(self, frame: Frame) -> Admission:
        """Set the cap by the first frame's size, then admit."""
        if not self._capped:
            rows = len(self.family.captioned_rows(frame, 0))
            cap = len(self.family.text.prefix_ids) + self._frames * rows
            self.session.configure(replace(self.config, token_budget=max(64, cap)))
            self._capped = True
        return super().admit(frame)
