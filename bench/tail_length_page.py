# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Tails of several frames, tabulated from docs/results/tail_length.json.

`python -m bench.tail_length_page` writes docs/results/tail_length.md; docs/tail.md draws the
conclusions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / 'docs' / 'results'
KINDS = ('present', 'nothing', 'going on', 'lately', 'now', 'over')
FIVE = ((4, 1), (3, 2), (1, 4))
"""Keyframes and newest frames: five frames each."""

HEAD = """# How many frames the tail should have: measurements

Written by `python -m bench.tail_length_page` from what `python -m bench.tail_length` measured; what
follows from it is in [tail.md](../tail.md#how-many-frames).

| kind | what is asked |
|---|---|
| present | where, colors, count, exists, gripper: the newest frame |
| nothing | a change, and there was none now or lately |
| going on | a change, the same now and lately |
| lately | a change 2 to 7 s ago; now the answer would differ or be unclear |
| now | a change in the span of the longest tail (0.3 s at 10 Hz, 0.6 at 5); lately otherwise |
| over | what changes now: nothing, though something did lately |

Right is what greedy decoding would answer word for word. Many questions of *lately* are asked
again, by the other truth, under *now* and *over*: no window of one model can be right on both.
There is no total, because it would hang on how many of each are asked. theta10 and theta100, the
stand-ins, understand questions about the present and about direction, and were asked at 10 Hz
only. Differences come with the wider of two 95 % intervals, Newcombe's for pairs and a bootstrap
over streams, not corrected for their number."""


def main() -> None:
    """Write the page."""
    text = (RESULTS / 'tail_length.json').read_text(encoding='utf-8')
    results = json.loads(text)['results']
    parts = [
        HEAD,
        *(accuracies(own) for own in by_model(results).values()),
        *(
            differences(own[0], other)
            for own in by_model(results).values()
            for other in ('same_rows', 'same_keyframes')
        ),
        families(results[0]),
    ]
    page = '\n\n'.join(parts) + '\n'
    (RESULTS / 'tail_length.md').write_text(page, encoding='utf-8')


def by_model(results: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The results of each model, one per rate."""
    models: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        models.setdefault(result['model'], []).append(result)
    return models


def accuracies(results: list[dict[str, Any]]) -> str:
    """Right answers, %, of one model at every rate, by kind and cell."""
    rates = ' / '.join(f'{result["fps"]}' for result in results)
    kinds = asked(results[0])
    heads = []
    for kind in kinds:
        counts = (f'{result["cells"][0]["kinds"][kind]["questions"]}' for result in results)
        heads.append(f'{kind} ({" / ".join(counts)})')
    lines = [
        f'**{results[0]["model"]}** at {rates} Hz, % right:',
        '',
        f'| keyframes + newest | rows | {" | ".join(heads)} |',
        '|---|---|' + '---|' * len(kinds),
    ]
    for cells in sorted(zip(*(r['cells'] for r in results), strict=True), key=rows):
        shares = (' / '.join(share(cell['kinds'][kind]) for cell in cells) for kind in kinds)
        lines.append(f'| {name(cells[0])} | {cells[0]["rows"]} | {" | ".join(shares)} |')
    return '\n'.join(lines)


def rows(cells: tuple[dict[str, Any], ...]) -> int:
    """Rows of a cell, which are the same at every rate."""
    return int(cells[0]['rows'])


def asked(result: dict[str, Any]) -> list[str]:
    """The kinds of question that a model was asked."""
    return [kind for kind in KINDS if kind in result['cells'][0]['kinds']]


def differences(result: dict[str, Any], other: str) -> str:
    """Tails of several frames less those of one: percentage points and the wider 95 % interval."""
    title = {
        'same_rows': 'less a tail of one at equal rows',
        'same_keyframes': 'less a tail of one behind the same keyframes',
    }[other]
    kinds = asked(result)
    lines = [
        f'**{result["model"]}** at {result["fps"]} Hz, {title}, points:',
        '',
        '| keyframes + newest | less | ' + ' | '.join(kinds) + ' |',
        '|---|---|' + '---|' * len(kinds),
    ]
    for cell in result['cells']:
        n, k = cell['keyframes'], cell['tail']
        if k > 1:
            before = f'{n + k - 1 if other == "same_rows" else n} + 1'
            found = (difference(cell['kinds'][kind][other]) for kind in kinds)
            lines.append(f'| {name(cell)} | {before} | ' + ' | '.join(found) + ' |')
    return '\n'.join(lines)


def families(result: dict[str, Any]) -> str:
    """Right answers, %, by family, in windows of five frames."""
    cells = [
        next(cell for cell in result['cells'] if (cell['keyframes'], cell['tail']) == wanted)
        for wanted in FIVE
    ]
    lines = [
        f'**{result["model"]}** at {result["fps"]} Hz, five frames, % right by family:',
        '',
        '| kind | family | questions | ' + ' | '.join(name(cell) for cell in cells) + ' |',
        '|---|---|---|---|---|---|',
    ]
    for kind in KINDS:
        for family, tally in cells[0]['kinds'][kind]['families'].items():
            shares = (share(cell['kinds'][kind]['families'][family]) for cell in cells)
            start = f'| {kind} | {family} | {tally["questions"]} | '
            lines.append(start + ' | '.join(shares) + ' |')
    return '\n'.join(lines)


def name(cell: dict[str, Any]) -> str:
    """Keyframes and newest frames."""
    return f'{cell["keyframes"]} + {cell["tail"]}'


def share(tally: dict[str, Any]) -> str:
    """Percent right."""
    return f'{100 * tally["right"] / tally["questions"]:.1f}'


def difference(paired: dict[str, Any]) -> str:
    """In points, with the wider of Newcombe's interval and the bootstrap's over streams."""
    intervals = [paired['interval'], paired['interval_by_stream'] or paired['interval']]
    low, high = min(i[0] for i in intervals), max(i[1] for i in intervals)
    return f'{100 * paired["difference"]:+.1f} ({100 * low:.1f} to {100 * high:.1f})'


if __name__ == '__main__':
    main()
