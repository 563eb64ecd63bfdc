# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The report's tables: headings and rows of text, the same for Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vlmaxxing_ros.evaluation.robot import DEADLINES


@dataclass(frozen=True)
class Table:
    """A table of texts; `note` says how to read it."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


KINDS = {
    'first': ('First question', 'the first one asked about a stream'),
    'live': ('Live question', 'at least one new frame has arrived since the last question'),
    'follow_up': ('Warm follow-up', 'no new frame since the last question'),
}


def tables(report: dict[str, Any]) -> list[Table]:
    """Every table, in the order of the report."""
    arms = {name: arm for name, arm in report['arms'].items() if 'unavailable' not in arm}
    return [
        _quality(arms),
        _drift(arms),
        _divergence(arms),
        _time(arms),
        _robot(arms),
        *(_denominator(kind, arms) for kind in KINDS),
        _perception(arms),
        _work(arms),
        _ceilings(arms),
        _sessions(arms),
        *_tasks(arms),
    ]


def share(value: float | None, digits: int = 1) -> str:
    """A share in per cent."""
    return '–' if value is None else f'{100 * value:.{digits}f} %'


def points(value: float | None) -> str:
    """A difference of shares in percentage points."""
    return '–' if value is None else f'{100 * value:+.1f}'


def span(interval: list[float] | None, scale: float = 100.0) -> str:
    """An interval."""
    return '–' if interval is None else f'{scale * interval[0]:.1f} to {scale * interval[1]:.1f}'


def ms(value: float | None) -> str:
    """Seconds in milliseconds."""
    return '–' if value is None else f'{1e3 * value:.1f}'


def ratio(value: float | None) -> str:
    """A ratio."""
    return '–' if value is None else f'{value:.2f}x'


def _count(value: dict[str, Any]) -> str:
    if not value['of']:
        return '–'
    return f'{share(value["share"])} ({value["count"]} of {value["of"]})'


def _quality(arms: dict[str, Any]) -> Table:
    rows = []
    for name, arm in arms.items():
        figures = arm['accuracy']
        if not figures['questions']:
            continue
        rows.append(
            (
                name,
                str(figures['questions']),
                share(figures['accuracy']),
                span(figures['interval']),
                points(figures['difference']),
                span(figures['difference_interval']),
                span(figures['difference_interval_by_recording']),
                f'{figures["gained"]} / {figures["lost"]}',
                _count(arm['stale']),
            )
        )
    return Table(
        'Accuracy',
        'Against cold dense on the same questions. Difference in percentage points with '
        "Newcombe's 95 % interval for paired shares, and a bootstrap over recordings where "
        'there are ten or more. Stale: wrong now, right earlier.',
        (
            'arm',
            'questions',
            'right',
            '95 %',
            'difference',
            '95 %',
            '95 % by recording',
            'gained / lost',
            'stale',
        ),
        rows,
    )


def _drift(arms: dict[str, Any]) -> Table:
    rows = [
        (
            name,
            _count(arm['drift']['answer']),
            _count(arm['drift']['choice']),
            _count(arm['drift']['token']),
            _count(arm['drift']['correctness']),
            _count(arm['failures']['parse']),
            _count(arm['failures']['degenerate']),
            str(arm['drift']['windows_unlike_dense']),
            str(arm['drift']['not_exact']),
        )
        for name, arm in arms.items()
    ]
    return Table(
        'Drift',
        'Answers unlike cold dense on the frames that the session held. Arms with other frames '
        '(on how many questions) differ by choice of frames, not by error. Not exact: on how '
        'many questions the cache was refreshed, repaired, reused unseen or compressed.',
        (
            'arm',
            'answers',
            'choices',
            'token streams',
            'correctness',
            'not parsed',
            'degenerate',
            'other frames',
            'not exact',
        ),
        rows,
    )


def _divergence(arms: dict[str, Any]) -> Table:
    rows = []
    for name, arm in arms.items():
        figures, flips = arm['divergence'], arm['drift']['answer']
        if figures['questions']:
            values = [f'{figures[key]:.2g}' for key in ('mean', 'p50', 'p95', 'max')]
            rows.append((name, str(figures['questions']), *values, _count(flips)))
    return Table(
        'Divergence of the first answer token',
        'Kullback-Leibler divergence from cold dense on the frames that the session held, in nats, '
        'beside the answers that flipped. Arms that do not show their logits are left out.',
        ('arm', 'questions', 'mean', 'p50', 'p95', 'max', 'flips'),
        rows,
    )


def _robot(arms: dict[str, Any]) -> Table:
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
                _count(arm['stale']),
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


def _time(arms: dict[str, Any]) -> Table:
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


def _denominator(kind: str, arms: dict[str, Any]) -> Table:
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


def _tasks(arms: dict[str, Any]) -> list[Table]:
    reports = {n: a['accuracy'] for n, a in arms.items() if a['accuracy']['questions']}
    if not reports:
        return []
    names = list(reports)
    first = reports[names[0]]['by_task']
    rows = [
        (
            task or '(none)',
            str(figures['questions']),
            *(share(reports[name]['by_task'].get(task, {}).get('accuracy')) for name in names),
        )
        for task, figures in first.items()
    ]
    return [Table('Accuracy by task', 'Share of right answers.', ('task', 'n', *names), rows)]
