# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The frontier of rows against drift, drawn and tabulated from docs/results.

`python -m bench.tail_frontier_page` draws docs/figures/tail_frontier.svg from tail_frontier.json
and puts its tables into docs/tail.md, between the two marks there; before them those of
tail_default.json (fewer rules, more clips) and of tail_every.json (asked after every frame).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

DOCS = Path(__file__).parents[1] / 'docs'
MARK = '<!-- tables: bench.tail_frontier_page -->'
COLORS = {
    'fresh and closing row': '#888888',
    'exact K/V': '#7b3fa0',
    'another sample': '#2da44e',
    'in turn': '#1f6feb',
    'stale': '#e36209',
}


def main() -> None:
    """Write figure and tables."""
    mpl.rcParams.update({'svg.hashsalt': 'tail', 'svg.fonttype': 'none', 'font.size': 9})
    default, every, frontier = (
        json.loads((DOCS / 'results' / f'{name}.json').read_text())
        for name in ('tail_default', 'tail_every', 'tail_frontier')
    )
    folder = DOCS / 'figures'
    folder.mkdir(exist_ok=True)
    draw(frontier['results']).savefig(folder / 'tail_frontier.svg', metadata={'Date': None})
    page = DOCS / 'tail.md'
    before, _, after = page.read_text().split(MARK)
    text = '\n\n'.join(
        f'{measured["clips"]} clips per stream, asked after '
        f'{"every" if measured["every"] == 1 else "the last"} frame:\n'
        f'{tables(measured["results"])}'
        for measured in (default, every, frontier)
    )
    page.write_text(f'{before}{MARK}\n\n{text}\n\n{MARK}{after}')


def names(rows: list[dict[str, Any]], key: str) -> list[str]:
    """What occurs under `key`, in order of appearance."""
    return list(dict.fromkeys(row[key] for row in rows))


def draw(rows: list[dict[str, Any]]) -> Figure:
    """One panel per model: rows of dense against divergence, all streams together.

    As wide as a page shows it, so that its text is as large as the page's.
    """
    models, rules = names(rows, 'model'), names(rows, 'rule')
    figure = Figure(figsize=(5.8, 2.0 * len(models) + 1.6), layout='constrained')
    axes = figure.subplots(len(models), 1, sharex=True, squeeze=False)[:, 0]
    for axis, model in zip(axes, models, strict=True):
        for rule in rules:
            share, divergence = together(
                [row for row in rows if (row['model'], row['rule']) == (model, rule)]
            )
            axis.plot(share, max(divergence, 1e-5), label=rule, **style(rule))
        axis.set(yscale='log', xlim=(0, 1.05), ylabel='divergence (nats)', title=model)
        axis.spines[['top', 'right']].set_visible(False)
    axes[-1].set_xlabel('rows of dense')
    figure.legend(handles=axes[0].lines, loc='outside lower center', fontsize=8)
    return figure


def together(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Rows of dense, and nats of divergence, of several streams together."""
    answers = sum(row['answers'] for row in rows)
    divergence = sum(row['divergence'] * row['answers'] for row in rows) / answers
    return sum(row['rows'] for row in rows) / len(rows), divergence


def style(rule: str) -> dict[str, Any]:
    """A rule's colour and mark."""
    kind = next(kind for kind in reversed(COLORS) if kind in rule)
    color = COLORS[kind]
    mark = {'1/4': 's', '1/2': 'D', '1/8': '^', 'whole': 'P', '1/16': 'o'}
    mark |= {'exact': '*', 'another': 'X'}
    shape = next((shape for part, shape in mark.items() if part in rule), 'v')
    hollow = 'above 0.1' in rule
    return {
        'marker': shape,
        'color': color,
        'markerfacecolor': 'none' if hollow else color,
        'linestyle': 'none',
        'markersize': 6,
    }


def tables(rows: list[dict[str, Any]]) -> str:
    """Per model: rules by streams, then all streams together."""
    lines: list[str] = []
    for model in names(rows, 'model'):
        own = [row for row in rows if row['model'] == model]
        streams = names(own, 'stream')
        novel = [100 * next(r['novel'] for r in own if r['stream'] == s) for s in streams]
        heads = ' | '.join(f'{s} ({n:.0f} % novel)' for s, n in zip(streams, novel, strict=True))
        lines += ['', f'**{model}**', '', f'| rule | {heads} | all streams |']
        lines.append('|---|' + '---|' * (len(streams) + 1))
        for rule in names(own, 'rule'):
            found = [row for row in own if row['rule'] == rule]
            cells = [cell([row]) for row in found] + [f'**{cell(found)}**']
            lines.append(f'| {rule} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def cell(rows: list[dict[str, Any]]) -> str:
    """Rows of dense; answers that differ (and those of which dense was sure), %; nats / 1000."""
    answers = sum(row['answers'] for row in rows)
    differ, sure = (
        100 * sum(row[key] for row in rows) / answers for key in ('differ', 'differ_though_sure')
    )
    share, divergence = together(rows)
    return f'{share:.2f}; {differ:.2f} ({sure:.2f}) %; {1e3 * divergence:.1f}'


if __name__ == '__main__':
    main()
