# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The report's tables, in its order; those of perception, work and whole sessions are here."""

from __future__ import annotations

from typing import Any

from vlmaxxing_ros.evaluation.quality_tables import divergence, drift, quality, tasks
from vlmaxxing_ros.evaluation.table import Table, ratio, share
from vlmaxxing_ros.evaluation.time_tables import KINDS, changes, denominator, robot


def tables(report: dict[str, Any]) -> list[Table]:
    """Every table, in the order of the report."""
    arms = {name: arm for name, arm in report['arms'].items() if 'unavailable' not in arm}
    return [
        quality(arms),
        drift(arms),
        divergence(arms),
        changes(arms),
        robot(arms),
        *(denominator(kind, arms) for kind in KINDS),
        _perception(arms),
        _work(arms),
        _ceilings(arms),
        _sessions(arms),
        *tasks(arms),
    ]


def _perception(arms: dict[str, Any]) -> Table:
    rows = []
    for name, arm in arms.items():
        seen = arm['perception']
        fresh = seen['effective_fresh_frames']
        rows.append(
            (
                name,
                str(seen['frames']),
                str(seen['planned']),
                str(seen['admitted']),
                '–' if seen['planned_fps'] is None else f'{seen["planned_fps"]:.1f}',
                '–' if seen['admitted_fps'] is None else f'{seen["admitted_fps"]:.1f}',
                share(seen['fresh_ratio']),
                '–' if fresh is None else f'{fresh["value"]:.1f} of {fresh["of"]:.1f}',
                f'{arm["memory"]["peak"] / 1e6:.1f}',
                f'{arm["memory"]["cache"] / 1e6:.1f}',
            )
        )
    return Table(
        'Perception',
        'Frames per second that the arm can take in on this machine (planned: looked at; admitted: '
        'something was paid for). Effective fresh frames: median over the recordings. '
        'Peak memory of MLX with the model, and of keys and values, in MB.',
        (
            'arm',
            'frames',
            'planned',
            'admitted',
            'planned fps',
            'admitted fps',
            'fresh',
            'effective fresh frames',
            'peak MB',
            'cache MB',
        ),
        rows,
    )


def _work(arms: dict[str, Any]) -> Table:
    rows = []
    for name, arm in arms.items():
        stages, seen = arm['stages'], arm['perception']
        total = sum(stages.values())
        rows.append(
            (
                name,
                *_counted(seen),
                f'{total:.1f}',
                f'{seen["processor_seconds"]:.1f}',
                *(share(seconds / total if total else None) for seconds in stages.values()),
            )
        )
    return Table(
        'Work and where the time went',
        'Rows through the language model and windows through the vision tower, for all frames and '
        'questions together. CPU seconds: of all threads, reading the recording included; on a '
        'busy machine steadier than the clock. Other: rebuilding and bookkeeping. The stock path '
        'is not split: all of it is under answer, and its rows are not counted.',
        (
            'arm',
            'rows',
            'windows',
            'seconds',
            'CPU seconds',
            'plan',
            'vision',
            'prefill',
            'other',
            'answer',
        ),
        rows,
    )


def _counted(seen: dict[str, Any]) -> tuple[str, str]:
    rows = seen['frame_rows'] + seen['question_rows']
    windows = seen['frame_windows'] + seen['question_windows']
    return (str(rows), str(windows)) if rows else ('–', '–')


def _ceilings(arms: dict[str, Any]) -> Table:
    rows = []
    for name, arm in arms.items():
        ceiling = arm['ceiling']
        cells = []
        for scope in ('questions', 'session'):
            figures = ceiling[scope]
            cells += [
                ratio(figures['predicted']),
                ratio(figures['observed']),
                share(figures['residual']),
            ]
        rows.append((name, *cells))
    return Table(
        'Ceiling',
        "Speed-up over cold dense that its stage shares allow (Amdahl's law), what was observed, "
        'and the residual. Questions: from the question on. Session: the admission of every frame '
        'of the recording included; below 1x the stream costs more than asking cold.',
        (
            'arm',
            'questions: predicted',
            'observed',
            'residual',
            'session: predicted',
            'observed',
            'residual',
        ),
        rows,
    )


def _sessions(arms: dict[str, Any]) -> Table:
    rows = []
    counts: list[str] = []
    for name, arm in arms.items():
        sessions = arm['session_speedup']
        counts = list(sessions)
        rows.append(
            (
                name,
                *(_measured(sessions[n], sessions['1']['recordings']) for n in counts),
                *(ratio(sessions[n]['unchanged']) for n in counts),
            )
        )
    return Table(
        'Whole sessions, set-up included',
        'Cold dense over this arm for the first n questions. Live: along the recordings, every '
        'frame that was admitted until then included; in brackets how many recordings have so many '
        'questions, where not all do. Unchanged: n questions on one window that does not change '
        '(from medians; the first one pays for the window).',
        (
            'arm',
            *(f'live, {n}' for n in counts),
            *(f'unchanged, {n}' for n in counts),
        ),
        rows,
    )


def _measured(figures: dict[str, Any], recordings: int) -> str:
    text = ratio(figures['stream'])
    few = 0 < figures['recordings'] < recordings
    return f'{text} ({figures["recordings"]})' if few else text
