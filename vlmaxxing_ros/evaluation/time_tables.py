# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Tables of how long answers take, and what is late."""

from __future__ import annotations

from typing import Any

from vlmaxxing_ros.evaluation.robot import DEADLINES
from vlmaxxing_ros.evaluation.table import Table, count, ms, ratio, share

KINDS = {
    'first': ('First question', 'the first one asked about a stream'),
    'live': ('Live question', 'at least one new frame has arrived since the last question'),
    'follow_up': ('Warm follow-up', 'no new frame since the last question'),
}


def robot(arms: dict[str, Any]) -> Table:
    """What a robot asks: deadlines, the slowest answers, what is over."""
    rows = []
    for name, arm in arms.items():
        figures = arm['robot']
        if not figures['questions']:
            continue
        owed = figures['owed']
        rows.append(
            (
                name,
                str(figures['questions']),
                *(share(missed) for missed in figures['misses'].values()),
                ms(figures['ttft_p99']),
                ms(figures['latency_p99']),
                count(arm['stale']),
                f'{owed["mean"]:.1f} ({owed["max"]})' if owed['questions'] else '–',
            )
        )
    return Table(
        "Robot's numbers",
        'Answers that came after their deadline (seconds from question to end of answer), the '
        'slowest in a hundred in milliseconds, answers that are over, and blocks owed when '
        'answered: mean (max). From event to right answer: see above.',
        (
            'arm',
            'questions',
            *(f'> {deadline:g} s' for deadline in DEADLINES),
            'TTFT p99',
            'total p99',
            'stale',
            'owed',
        ),
        rows,
    )


def changes(arms: dict[str, Any]) -> Table:
    """How long an answer takes to follow what changed."""
    rows = []
    for name, arm in arms.items():
        change = arm['change_to_correct']
        if change['changes']:
            delays = [f'{change[p]:.2f}' if change[p] is not None else '–' for p in ('p50', 'p95')]
            counts = [str(change[key]) for key in ('changes', 'at_once', 'later', 'never')]
            rows.append((name, *counts, *delays))
    return Table(
        'From a change to the right answer',
        'The truth of a repeated question changed: when was the answer right? In seconds of the '
        'recording plus answering; no finer than the moments at which it was asked.',
        ('arm', 'changes', 'at once', 'later', 'never', 'p50 s', 'p95 s'),
        rows,
    )


def denominator(kind: str, arms: dict[str, Any]) -> Table:
    """How long answers to one kind of questions take, and how much longer cold dense does."""
    title, meaning = KINDS[kind]
    rows = []
    for name, arm in arms.items():
        figures = arm['denominators'][kind]
        if not figures['questions']:
            continue
        rows.append(
            (
                name,
                str(figures['questions']),
                ms(figures['ttft']['p50']),
                ms(figures['ttft']['p95']),
                ratio(figures['ttft_speedup']['p50']),
                ms(figures['with_admission']['p50']),
                ratio(figures['with_admission_speedup']['p50']),
                ms(figures['latency']['p50']),
                ms(figures['latency']['p95']),
                ratio(figures['latency_speedup']['p50']),
                f'{figures["rows"]:.0f}' if figures['rows'] else '–',
                f'{figures["windows"]:.0f}' if figures['rows'] else '–',
                f'{figures["frames_shown"]:.1f}',
            )
        )
    return Table(
        title,
        f'{meaning[0].upper()}{meaning[1:]}. Milliseconds; ratios are medians of cold dense over '
        'this arm, question by question. With frame: the admission of the newest frame included.',
        (
            'arm',
            'questions',
            'TTFT p50',
            'p95',
            'dense / arm',
            'with frame p50',
            'dense / arm',
            'total p50',
            'p95',
            'dense / arm',
            'rows',
            'windows',
            'frames shown',
        ),
        rows,
    )
