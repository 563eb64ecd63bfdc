# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The live table in README.md and docs/live.md, from docs/results/live.json.

`python -m bench.live_page`; `bench.live` calls it where it writes to docs/results.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / 'docs' / 'results' / 'live.json'
BEGIN = '<!-- from docs/results/live.json: bench.live -->'
END = '<!-- end of the live table -->'
EASY = ('room', 'screen', 'outdoor')
"""Clips in which little changes: their reach is stricter."""


def table(results: dict[str, Any]) -> str:
    """The figures as a Markdown table, each with its reach."""
    prices = results['prices']
    lines = [
        f'A whole frame of {prices["blocks"]} blocks takes {prices["whole"]:.2f} s, '
        f'{prices["whole"] * results["fps"]:.0f} camera periods; the last four dense '
        f'{prices["dense_last4"]:.1f} s.',
        '',
        '| what | clip | measured | reach |',
        '|---|---|---|---|',
    ]
    for found in results['asked']:
        lines += _asked(found)
    for found in results['idle']:
        most = 0.25 if (found['clip'], found['max_duty']) == ('room', 1.0) else None
        reach = found['max_duty'] + 0.05 if most is None else most
        lines.append(
            f'| model busy while nobody asks, `max_duty` {found["max_duty"]:g} | {found["clip"]} | '
            f'{found["busy"]:.2f} | {_reach(found["busy"], reach)} |'
        )
    if flashes := results.get('flashes'):
        seen, count = flashes['seen'], flashes['flashes']
        lines.append(
            f'| a light of 0.2 s is in the history at the next question | room, still | '
            f'{seen} of {count} | all ({"reached" if seen == count else "**not reached**"}) |'
        )
    return '\n'.join(lines)


def _asked(found: dict[str, Any]) -> list[str]:
    clip, easy = found['clip'], found['clip'] in EASY
    newest, rows = found['newest_in_frames'], []
    share = found['planned_of_received']
    rows.append(('images planned of images received', f'{share:.3f}', _reach(-share, -0.98)))
    cores = found['seeing_cores']
    rows.append(('the seeing thread, cores', f'{cores:.2f}', _reach(cores, 0.15)))
    if fast := found.get('fastest_over_floor'):
        rows.append(
            (
                'TTFT of the fastest answer over the floor, p50 and p95',
                f'{fast["p50"]:.2f}, {fast["p95"]:.2f}',
                f'p50 {_reach(fast["p50"], 1.2)}',
            )
        )
    p50, p95 = (0.3, 1.0) if easy else (1.0, 1.3)
    rows.append(
        (
            'TTFT of the newest evidence less the floor, in whole frames, p50 and p95',
            f'{newest["p50"]:.2f}, {newest["p95"]:.2f}',
            f'p50 {_reach(newest["p50"], p50)}, p95 {_reach(newest["p95"], p95)}',
        )
    )
    dense = found['newest_over_dense_last4']
    rows.append(('the same over four dense frames, p50', f'{dense:.2f}', _reach(dense, 0.3)))
    return [f'| {what} | {clip} | {measured} | {reach} |' for what, measured, reach in rows]


def _reach(value: float, most: float) -> str:
    """The reach, and whether it is reached; negative ones are least values."""
    word = 'at most' if most >= 0.0 else 'at least'
    return f'{word} {abs(most):.3g} ({"reached" if value <= most else "**not reached**"})'


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
