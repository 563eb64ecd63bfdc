# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a soak has seen, what of it does not hold, and a plot of the memory.

Knows nothing of the processes that `bench.soak` runs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure

from vlmaxxing_msgs.msg import Answer
from vlmaxxing_ros.palette import BAD, REUSED, hexadecimal

WARM = 1 / 3
"""Share of the time after which memory should grow no more."""
GROWTH = 1.1
"""Times the memory at that time that there may be at the end."""
OVERDUE = 2.0
"""Seconds after its deadline by which a question must have its status, with this machine's load."""


@dataclass
class Seen:
    """What was seen: samples once a second, and everything that was answered."""

    samples: list[dict[str, float]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    audits: list[str] = field(default_factory=list)
    bad_audits: list[str] = field(default_factory=list)
    failures: set[str] = field(default_factory=set)
    budgets: int = 0
    killed: int = 0
    lost_cameras: int = 0
    cut_links: int = 0
    cache_bytes: float = 0.0


def judged(seen: Seen, status: int) -> dict[str, Any]:
    """What came of it, and what of it does not hold."""
    resident = [sample['resident_mb'] for sample in seen.samples]
    middle, part = int(len(resident) * WARM), max(1, len(resident) // 6)
    before, after = max(resident[middle : middle + part]), max(resident[-part:])
    statuses = Counter(answer['status'] for answer in seen.answers)
    overdue = [answer for answer in seen.answers if answer['late'] > OVERDUE]
    wrong = {
        'questions lost': statuses[-1],
        'questions that the model failed': statuses[Answer.MODEL_ERROR],
        'statuses after the deadline': len(overdue),
        'audits that failed': len(seen.bad_audits),
        'audits': 0 if seen.audits else 'none was made',
        'failures': sorted(seen.failures),
        'memory': 0 if after <= GROWTH * before else f'{before:.0f} MB, then {after:.0f} MB',
        'exit status': status,
    }
    return {
        'wrong': {what: value for what, value in wrong.items() if value},
        'seconds': seen.samples[-1]['s'],
        'questions': len(seen.answers),
        'by_status': {str(status): count for status, count in sorted(statuses.items())},
        'latest_status_s': max((answer['late'] for answer in seen.answers), default=0.0),
        'askers_killed': seen.killed,
        'cameras_lost': seen.lost_cameras,
        'links_cut': seen.cut_links,
        'images_planned': seen.budgets,
        'audits': len(seen.audits),
        'bad_audits': seen.bad_audits,
        'resident_mb': [before, after],
        'samples': seen.samples,
    }


def plot(result: dict[str, Any]) -> Figure:
    """Memory over time."""
    samples = result['samples']
    times = [sample['s'] / 60 for sample in samples]
    figure = Figure(figsize=(8, 4), layout='constrained')
    top, bottom = figure.subplots(2, 1, sharex=True)
    top.plot(times, [sample['resident_mb'] for sample in samples], color=hexadecimal(REUSED))
    top.axhline(GROWTH * result['resident_mb'][0], color=hexadecimal(BAD), ls='--', lw=1)
    top.set(ylabel='process (MiB)\ndashed: the bound', ylim=(0, None))
    bottom.plot(times, [sample['cache_mb'] for sample in samples], color=hexadecimal(REUSED))
    bottom.set(ylabel="a camera's cache (MiB)", xlabel='minutes', ylim=(0, None))
    for axis in (top, bottom):
        axis.spines[['top', 'right']].set_visible(False)
    return figure
