# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Tables of how right the answers are, and how like those of cold dense."""

from __future__ import annotations

from typing import Any

from vlmaxxing_ros.evaluation.table import Table, count, points, share, span


def quality(arms: dict[str, Any]) -> Table:
    """Right answers, and how many more or fewer than cold dense has."""
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
                count(arm['stale']),
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


def drift(arms: dict[str, Any]) -> Table:
    """Answers unlike those of cold dense on the same frames."""
    rows = [
        (
            name,
            count(arm['drift']['answer']),
            count(arm['drift']['choice']),
            count(arm['drift']['token']),
            count(arm['drift']['correctness']),
            count(arm['failures']['parse']),
            count(arm['failures']['degenerate']),
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


def divergence(arms: dict[str, Any]) -> Table:
    """How far the first token is from cold dense's."""
    rows = []
    for name, arm in arms.items():
        figures, flips = arm['divergence'], arm['drift']['answer']
        if figures['questions']:
            values = [f'{figures[key]:.2g}' for key in ('mean', 'p50', 'p95', 'max')]
            rows.append((name, str(figures['questions']), *values, count(flips)))
    return Table(
        'Divergence of the first answer token',
        'Kullback-Leibler divergence from cold dense on the frames that the session held, in nats, '
        'beside the answers that flipped. Arms that do not show their logits are left out.',
        ('arm', 'questions', 'mean', 'p50', 'p95', 'max', 'flips'),
        rows,
    )


def tasks(arms: dict[str, Any]) -> list[Table]:
    """Right answers by kind of question; none where nothing was scored."""
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
