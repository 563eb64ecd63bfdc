# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The live table in README.md and docs/live.md, from docs/results/live.json.

`python -m bench.live_page`; `bench.live` calls it where it writes to docs/results.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / 'docs' / 'results' / 'live.json'
BEGIN = '<!-- from docs/results/live.json: bench.live -->'
END = '<!-- end of the live table -->'
EASY = ('room', 'screen', 'outdoor')
"""Clips in which little changes: their reach is stricter."""


def table(results: dict[str, Any]) -> str:
    """The figures as Markdown tables, a column per clip; bold is what misses its reach."""
    prices, asked = results['prices'], results['asked']
    clips = [found['clip'] for found in asked]
    lines = [
        f'A whole frame of {prices["blocks"]} blocks takes {prices["whole"]:.2f} s here, '
        f'{prices["whole"] * results["fps"]:.0f} camera periods, the last four dense '
        f'{prices["dense_last4"]:.1f} s. Bold: not reached.',
        '',
        f'| | {" | ".join(clips)} | reach |',
        '|---|' + '---|' * (len(clips) + 1),
    ]
    for what, reach, read in _MEASURES:
        least, hard = reach
        cells = []
        for found in asked:
            value, most = read(found), least if found['clip'] in EASY else hard
            missed = value < -most if most < 0.0 else value > most
            cells.append(f'**{value:.2f}**' if missed else f'{value:.2f}')
        lines.append(f'| {what} | {" | ".join(cells)} | {_words(least, hard)} |')
    lines += ['', *_while_nobody_asks(results)]
    return '\n'.join(lines)


_MEASURES: tuple[tuple[str, tuple[float, float], Callable[[dict[str, Any]], float]], ...] = (
    ('images planned, of those received', (-0.98, -0.98), lambda f: f['planned_of_received']),
    ('cores of the seeing thread', (0.15, 0.15), lambda f: f['seeing_cores']),
    (
        'first token, fastest answer, over the floor: p50',
        (1.2, 1.2),
        lambda f: f['fastest_over_floor']['p50'],
    ),
    (
        'first token, newest evidence, less the floor, in whole frames: p50',
        (0.3, 1.0),
        lambda f: f['newest_in_frames']['p50'],
    ),
    ('the same: p95', (1.0, 1.3), lambda f: f['newest_in_frames']['p95']),
    (
        'first token, newest evidence, over four dense frames: p50',
        (0.3, 0.3),
        lambda f: f['newest_over_dense_last4'],
    ),
)
"""What, its reach on easy clips and on others (negative: at least), and where it stands."""


def _words(least: float, hard: float) -> str:
    """A reach in words."""
    word = 'at most' if least >= 0.0 else 'at least'
    both = f'{abs(least):g}' if least == hard else f'{abs(least):g}; hands, street {abs(hard):g}'
    return f'{word} {both}'


def _while_nobody_asks(results: dict[str, Any]) -> list[str]:
    """How busy the model is then, and what becomes of a flash, as a sentence."""
    parts = []
    for found in results['idle']:
        easy = (found['clip'], found['max_duty']) == ('room', 1.0)
        reach = 0.25 if easy else found['max_duty'] + 0.05
        mark = '' if found['busy'] <= reach else ', **not reached**'
        parts.append(
            f'{found["busy"]:.2f} ({found["clip"]}, `max_duty` {found["max_duty"]:g}; reach '
            f'{reach:.2f}{mark})'
        )
    lines = [f'Share of the time that the model is busy while nobody asks: {", ".join(parts)}.']
    if flashes := results.get('flashes'):
        lines.append(
            f'A light of 0.2 s is in the history at the next question {flashes["seen"]} of '
            f'{flashes["flashes"]} times.'
        )
    return lines


def update(page: Path, results: dict[str, Any]) -> None:
    """Put the table between a page's two markers."""
    head, rest = page.read_text().split(BEGIN)
    page.write_text(f'{head}{BEGIN}\n{table(results)}\n{END}{rest.split(END)[1]}')


def main() -> None:
    """Both pages."""
    results = json.loads(RESULT.read_text())
    for page in (ROOT / 'README.md', ROOT / 'docs' / 'live.md'):
        update(page, results)


if __name__ == '__main__':
    main()
