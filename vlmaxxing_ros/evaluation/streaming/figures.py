# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One arm's figures on some events: right answers, drift, work, and a robot's numbers.

Formulas: docs/evaluation.md.  Knows charges and events; judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vlmaxxing_ros.evaluation.first_token import divergence
from vlmaxxing_ros.evaluation.intervals import wilson
from vlmaxxing_ros.evaluation.robot import misses, percentile, robot
from vlmaxxing_ros.evaluation.streaming.events import FPS, EventCase
from vlmaxxing_ros.evaluation.streaming.runs import Charge
from vlmaxxing_ros.evaluation.text import normalised


@dataclass(frozen=True)
class Answered:
    """An event, what an arm made of it, and what the oracle and low-fps dense did."""

    family: str
    video: str
    case: EventCase
    ours: Charge
    oracle: Charge
    low_fps: Charge

    @property
    def right(self) -> bool:
        """Whether the answer is the truth."""
        return normalised(self.ours.question.answer) == normalised(self.case.question.answer)

    @property
    def stale(self) -> bool:
        """Whether the answer was the truth before the event, and is no more."""
        return not self.right and normalised(self.ours.question.answer) == normalised(
            self.case.before
        )

    @property
    def flipped(self) -> bool:
        """Whether the oracle answers something else."""
        return normalised(self.ours.question.answer) != normalised(self.oracle.question.answer)


def figures(answered: Sequence[Answered], speed: float) -> dict[str, Any]:
    """An arm's figures.

    Args:
        speed: rows per second of an imagined slower model, for the second set of seconds.
    """
    questions = [a.ours.question for a in answered]
    right = sum(a.right for a in answered)
    return {
        'events': len(answered),
        'right': right,
        'interval': wilson(right, len(answered)),
        'stale': sum(a.stale for a in answered),
        'brief': _share([a for a in answered if a.case.brief]),
        'earlier_event': _share([a for a in answered if a.case.earlier is not None]),
        'flips': sum(a.flipped for a in answered),
        'divergence': _divergence(answered),
        'frames_shown': _mean([len(q.window) for q in questions]),
        'per_event': {
            'windows': _mean([a.ours.windows for a in answered]),
            'calls': _mean([a.ours.calls for a in answered]),
            'rows': _mean([a.ours.rows for a in answered]),
            'rows_after_question': _mean([q.rows for q in questions]),
            'busy': _mean([a.ours.busy for a in answered]),
        },
        'fewer_windows': _fewer([(a.low_fps.windows, a.ours.windows) for a in answered]),
        'fewer_calls': _fewer([(a.low_fps.calls, a.ours.calls) for a in answered]),
        'ttft': _spread([q.ttft for q in questions]),
        'ttft_with_newest_frame': _spread([q.ttft + q.admission for q in questions]),
        'event_to_right': _event_to_right(answered, [q.latency for q in questions]),
        'robot': robot(questions),
        'slower_model': _slower(answered, speed),
    }


def _slower(answered: Sequence[Answered], speed: float) -> dict[str, Any]:
    """The same answers from a model of `speed` rows per second, were nothing else in its way.

    `load` is all work over all time: from 1 on the arm does not keep up.
    """
    seconds = [a.ours.question.rows / speed for a in answered]
    elapsed = sum(len(a.ours.frames) for a in answered) / FPS
    rows = sum(a.ours.rows for a in answered)
    return {
        'rows_per_second': speed,
        'latency': _spread(seconds),
        'misses': misses(seconds),
        'event_to_right': _event_to_right(answered, seconds),
        'load': rows / speed / elapsed if elapsed else None,
    }


def _event_to_right(answered: Sequence[Answered], latency: Sequence[float]) -> dict[str, Any]:
    """Seconds from an event's end (a visit's start) to the end of the right answer."""
    delays = []
    for a, seconds in zip(answered, latency, strict=True):
        since = a.case.start if a.case.kind == 'visit' else a.case.end
        if a.right:
            delays.append(a.case.question.at - since + seconds)
    return {**_spread(delays), 'never': len(answered) - len(delays)}


def _share(answered: Sequence[Answered]) -> dict[str, int]:
    return {'events': len(answered), 'right': sum(a.right for a in answered)}


def _divergence(answered: Sequence[Answered]) -> dict[str, float | None]:
    values = [
        divergence(a.oracle.question.first_token, a.ours.question.first_token)
        for a in answered
        if a.ours.question.first_token and a.oracle.question.first_token
    ]
    return {'mean': _mean(values), 'p95': percentile(values, 95), 'max': max(values, default=None)}


def _fewer(pairs: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Low-fps dense over this arm: the median, the worst event, events with half or less."""
    ratios = [theirs / ours if ours else float('inf') for theirs, ours in pairs]
    return {
        'p50': percentile(ratios, 50),
        'worst': min(ratios, default=None),
        'halved': sum(ratio >= 2.0 for ratio in ratios),
    }


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    return {f'p{which}': percentile(values, which) for which in (50, 95, 99)}


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None
