# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The tables of docs/results/watches.md, from docs/results/watches.json.

`python -m bench.watches_page`; `bench.watches` calls it where it writes to docs/results.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / 'docs' / 'results' / 'watches.json'
PAGE = ROOT / 'docs' / 'results' / 'watches.md'
BEGIN = '<!-- from docs/results/watches.json: bench.watches -->'
END = '<!-- end of the watches -->'
_HEAD = (
    '| stream | arm | missed | of them brief | false | to the event, s: p50 (p95) | asked per hour '
    '| rows per hour | windows per hour |'
)


def tables(results: dict[str, Any]) -> str:
    """A table per speed: a row per kind of stream and arm."""
    lines: list[str] = []
    for speed in dict.fromkeys(row['speed'] for row in results['rows']):
        lines += [f'At {speed:g} rows per second:', '', _HEAD, '|---|---|' + '---:|' * 7]
        lines += [_line(row) for row in results['rows'] if row['speed'] == speed]
        lines.append('')
    return '\n'.join(lines[:-1])


def _line(row: dict[str, Any]) -> str:
    tally, hours = row['tally'], row['seconds'] / 3600.0
    delays = tally['delays']
    late = f'{np.median(delays):.2f} ({np.percentile(delays, 95):.2f})' if delays else '–'
    cells = [
        row['kind'],
        row['arm'],
        f'{tally["missed"]} of {tally["changes"]}',
        f'{tally["brief_missed"]} of {tally["brief"]}',
        str(tally['false']),
        late,
        *(f'{row[name] / hours:,.0f}' for name in ('asked', 'rows', 'windows')),
    ]
    return f'| {" | ".join(cells)} |'


def update(results: dict[str, Any]) -> None:
    """Put the tables between the page's two markers."""
    head, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(f'{head}{BEGIN}\n{tables(results)}\n{END}{rest.split(END)[1]}')


def main() -> None:
    """The page."""
    update(json.loads(RESULT.read_text()))


if __name__ == '__main__':
    main()
