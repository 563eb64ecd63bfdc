# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The report as Markdown."""

from __future__ import annotations

from typing import Any

from vlmaxxing_ros.evaluation.table import Table
from vlmaxxing_ros.evaluation.tables import tables
from vlmaxxing_ros.evaluation.verdict import verdict

_SHOWN = 40


def to_markdown(report: dict[str, Any]) -> str:
    """Everything but the pictures."""
    recordings = report['recordings']
    machine = report['machine']
    lines = [
        '# Evaluation',
        '',
        f'Recordings: {len(recordings)}, frames: {sum(r["frames"] for r in recordings)}, '
        f'questions: {sum(r["questions"] for r in recordings)}. Model: {report["model"]}. '
        f'{machine["device"]}, {machine["processor"]}; mlx {machine["mlx"]}, '
        f'mlx-vlm {machine["mlx_vlm"]}.',
        '',
        '```',
        report['command'],
        '```',
        '',
    ]
    lines += [f'- {sentence}' for sentence in verdict(report)] + ['']
    if notices := left_out(report):
        lines += [*(f'- {notice}' for notice in notices), '']
    if report['gates']:
        lines += [f'- {gate_line(gate)}' for gate in report['gates']] + ['']
    for table in tables(report):
        lines += table_lines(table)
    unavailable = {n: a['unavailable'] for n, a in report['arms'].items() if 'unavailable' in a}
    if unavailable:
        lines += ['## Not run', '', *(f'- `{n}`: {why}' for n, why in unavailable.items()), '']
    lines += _drifted(report['drifted'])
    return '\n'.join(lines).rstrip() + '\n'


def left_out(report: dict[str, Any]) -> list[str]:
    """A line for each reason for which images were dropped, and for each remark."""
    return [
        line
        for recording in report['recordings']
        for line in (
            *(
                f'{recording["name"]}: {count} images dropped: {reason}'
                for reason, count in recording['dropped'].items()
            ),
            *recording['remarks'],
        )
    ]


def gate_line(gate: dict[str, Any]) -> str:
    """One gate and what became of it."""
    value = 'not measured' if gate['value'] is None else f'{gate["value"]:g}'
    return f'{"kept" if gate["kept"] else "BROKEN"}: {gate["gate"]} (is {value})'


def table_lines(table: Table) -> list[str]:
    """One table; nothing of an empty one."""
    if not table.rows:
        return []
    return [
        f'## {table.title}',
        '',
        table.note,
        '',
        _row(table.head),
        _row(('---', *('---:' for _ in table.head[1:]))),
        *(_row(row) for row in table.rows),
        '',
    ]


def _row(cells: tuple[str, ...]) -> str:
    return '| ' + ' | '.join(cell.replace('|', '\\|').replace('\n', ' ') for cell in cells) + ' |'


def _drifted(found: list[dict[str, Any]]) -> list[str]:
    if not found:
        return []
    keys = ('arm', 'recording', 'at', 'question', 'answer', 'dense', 'truth')
    rows = [tuple(str(entry[key]) for key in keys) for entry in found[:_SHOWN]]
    note = "Arms on the session's own frames whose answer is unlike cold dense."
    if len(found) > _SHOWN:
        note += f' The first {_SHOWN} of {len(found)}; all are in report.json.'
    head = ('arm', 'recording', 'at s', 'question', 'answer', 'cold dense', 'truth')
    return table_lines(Table('Answers that drifted', note, head, rows))
