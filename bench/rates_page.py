# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The table of docs/live.md by how often somebody asks, from docs/results/rates.json.

`python -m bench.rates_page`, after `python -m bench.rates`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / 'docs' / 'results' / 'rates.json'
PAGE = ROOT / 'docs' / 'live.md'
BEGIN = '<!-- from docs/results/rates.json: bench.rates -->'
END = '<!-- end of the rates -->'
ARMS = ('auto', 'eager', 'lazy')


def table(results: dict[str, Any]) -> str:
    """Rows and windows over dense last-4's, by stream and rate; accuracy on the tabletop."""
    rows = results['rows']
    measured = [arm for arm in ARMS if any(arm in row for row in rows)]
    rates = sorted({row['rate'] for row in rows})
    lines = [
        f'| stream | arm | {" | ".join(f"{rate:g} per s" for rate in rates)} |',
        '|---|---|' + '---|' * len(rates),
    ]
    for stream in dict.fromkeys(row['stream'] for row in rows):
        by_rate = {row['rate']: row for row in rows if row['stream'] == stream}
        for arm in measured:
            cells = [_cell(by_rate.get(rate, {}), arm) for rate in rates]
            lines.append(f'| {stream} | {arm} | {" | ".join(cells)} |')
    lines += ['', '| right on the tabletop | ' + ' | '.join(f'{r:g} per s' for r in rates) + ' |']
    lines.append('|---|' + '---|' * len(rates))
    table_rows = {row['rate']: row for row in rows if row['stream'] == 'tabletop'}
    for arm in (*measured, 'dense_last4'):
        found = [table_rows[rate][arm] for rate in rates if rate in table_rows]
        cells = [f'{cost["right"]} of {cost["judged"]}' for cost in found]
        lines.append(f'| {arm} | {" | ".join(cells)} |')
    for arm in measured:
        less = [table_rows[rate]['right_less_dense'][arm] for rate in rates if rate in table_rows]
        lines.append(f'| {arm} less dense | {" | ".join(map(_interval, less))} |')
    return '\n'.join(lines)


def _cell(row: dict[str, Any], arm: str) -> str:
    ours, dense = row.get(arm), row.get('dense_last4')
    if not ours or not dense or not dense['rows']:
        return '–'
    return f'{ours["rows"] / dense["rows"]:.2f}; {ours["windows"] / dense["windows"]:.2f}'


def _interval(bounds: list[float] | None) -> str:
    """Of a difference of shares, in percentage points."""
    if bounds is None:
        return '–'
    low, high = (100 * bound for bound in bounds)
    return f'{low:.1f} to {high:.1f}'


def main() -> None:
    """Put the table between the page's two markers."""
    head, rest = PAGE.read_text().split(BEGIN)
    results = json.loads(RESULT.read_text())
    PAGE.write_text(f'{head}{BEGIN}\n{table(results)}\n{END}{rest.split(END)[1]}')


if __name__ == '__main__':
    main()
