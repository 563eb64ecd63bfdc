# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The narrow interface of an arm, and the values that pass through it.

Frames go in, questions go in, replies come out; an arm knows nothing of truths, files or other
arms.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from vlmaxxing_ros.engine.answering.answering import Asking
from vlmaxxing_ros.engine.cache.fork import Fork
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.question import Answer, Evidence, Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.steps import SteadyClock

Windows = Mapping[str, tuple[int, ...]]
"""Question id to the stamps (ns) of the frames that the session's window held when it was asked."""


@dataclass(frozen=True, kw_only=True)
class Admission:
    """What an arm did with one frame; seconds and blocks.

    Attributes:
        kind: name of the engine's FrameKind; '' for an arm that only remembers frames.
        blocks: blocks paid for.
        plan, vision, prefill: seconds of the stages.
        cache_bytes: keys and values held afterwards.
        effective_fresh_frames: of the newest frames, as the engine counts.
        frame_plan: what the planner decided.
    """

    kind: str = ''
    blocks: int = 0
    plan: float = 0.0
    vision: float = 0.0
    prefill: float = 0.0
    cache_bytes: int = 0
    effective_fresh_frames: float = 0.0
    frame_plan: Plan | None = None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer and what it cost; seconds.

    Attributes:
        window: stamps (ns) of the frames that it rests on, oldest first.
        vision, prefill: time spent on frames after the question was asked.
        ttft, latency: from the question to the first token and to the end, frames included.
        simulated: seconds to the first token at the simulated speed; 0: not simulated.
        parsed: False where a choice was wanted and the text is none of them.
        owed: blocks that had changed and were not accounted for; None: the arm does not say.
    """

    answer: str
    finish_reason: str
    window: tuple[int, ...]
    choice_index: int = -1
    token_ids: tuple[int, ...] = ()
    vision: float = 0.0
    prefill: float = 0.0
    ttft: float = 0.0
    latency: float = 0.0
    simulated: float = 0.0
    exact: bool = True
    parsed: bool = True
    owed: int | None = None


class Arm(ABC):
    """One way to look at one stream."""

    def __init__(self, family: Family, config: EngineConfig) -> None:
        self.family = family
        self.config = config

    @abstractmethod
    def admit(self, frame: Frame) -> Admission:
        """Take note of a frame."""

    @abstractmethod
    def ask(self, name: str, question: Question) -> Reply:
        """Answer a question, whose id is `name`, from what was admitted."""


class WindowArm(Arm):
    """An arm that is shown the frames which the session's window held at each question."""

    def __init__(self, family: Family, config: EngineConfig, windows: Windows) -> None:
        super().__init__(family, config)
        self._windows = windows
        self._uses = Counter(stamp for window in windows.values() for stamp in window)
        self._frames: dict[int, Frame] = {}

    def admit(self, frame: Frame) -> Admission:
        """Keep the frame if a question still needs it."""
        if self._uses[frame.stamp]:
            self._frames.setdefault(frame.stamp, frame)
        return Admission()

    def window(self, name: str) -> list[Frame]:
        """The frames for one question, oldest first; each question takes them once."""
        stamps = self._windows[name]
        frames = [self._frames[stamp] for stamp in stamps]
        self._uses.subtract(stamps)
        for stamp in stamps:
            if not self._uses[stamp]:
                del self._frames[stamp]
        return frames


def finish(asking: Asking) -> Answer:
    """Run a question to its end."""
    for _ in asking:
        pass
    assert asking.answer is not None
    return asking.answer


def answer_from(
    family: Family, fork: Fork, frames: Iterable[Frame], question: Question, config: EngineConfig
) -> Answer:
    """Answer on a fork that holds `frames`, exactly."""
    shown = list(frames)
    evidence = Evidence(
        oldest_stamp=shown[0].stamp,
        newest_stamp=shown[-1].stamp,
        frame_id=shown[-1].frame_id,
        oldest_block_age=0.0,
        exact=True,
    )
    clock = SteadyClock()
    return finish(
        Asking(
            family=family,
            fork=fork,
            question=question,
            suffix=family.text.question_ids(question.text, question.choices),
            evidence=evidence,
            config=config,
            start=clock.now(),
            clock=clock,
        )
    )


def reply_from(
    answer: Answer,
    window: Iterable[int],
    *,
    vision: float = 0.0,
    prefill: float = 0.0,
    ttft: float | None = None,
    latency: float | None = None,
    simulated: float = 0.0,
) -> Reply:
    """An engine's answer as a reply; time spent on frames comes on top.

    `ttft` and `latency` stand for the answer's own where its clock was not the machine's.
    """
    before = vision + prefill
    if ttft is None:
        # An answer that ends at once has no first token: its end is what was waited for.
        ttft = answer.time_to_first_token or answer.latency
    latency = answer.latency if latency is None else latency
    return Reply(
        answer=answer.answer,
        finish_reason=answer.finish_reason,
        window=tuple(window),
        choice_index=answer.choice_index,
        token_ids=answer.token_ids,
        vision=vision,
        prefill=prefill,
        ttft=before + ttft,
        latency=before + latency,
        simulated=simulated,
        owed=answer.evidence.blocks_owed,
        exact=answer.evidence.exact,
    )


def all_blocks(frame: Frame) -> np.ndarray:
    """Every block of a frame: bool [rows, cols]."""
    return np.ones((frame.grid.rows, frame.grid.cols), bool)
