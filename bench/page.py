# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The benchmark's page: a table and a plot of the ratios."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from vlmaxxing_ros.palette import BAD, REUSED, hexadecimal

BEGIN = '<!-- from docs/results/bench.json: make bench -->'
END = '<!-- end of what comes from there -->'


def write_page(folder: Path, name: str, results: dict[str, Any]) -> None:
    """Write `name`.md and `name`.svg for the results of one run."""
    _plot(results).savefig(folder / f'{name}.svg')
    lines = [
        f'# Benchmark: {results["device"]}',
        '',
        f'`{results["command"]}`, {results["date"]}.  Every figure is the median of ratios of two',
        'things measured alternately in one run; quartiles in brackets.  Seconds are for',
        'orientation only.',
        '',
        table(results),
        '',
        f'![ratios]({name}.svg)',
        '',
        f'Sizes: {"; ".join(sorted({row["sizes"] for row in results["rows"]}))}.',
        '',
    ]
    transport = results.get('transport')
    if transport:
        lines += ['## Images through rclpy', '', *textwrap.wrap(_images(transport), 100), '']
    (folder / f'{name}.md').write_text('\n'.join(lines))


def _images(found: dict[str, Any]) -> str:
    return (
        '640x480 raw at 30 fps, recorded, played by `bag_player` to the node and to a subscriber '
        f'that does nothing: {found["sent"]} sent, {found["idle_received"]} received by that '
        f'subscriber, {found["received"]} by the node, {found["planned"]} planned, '
        f'{found["dropped"]} dropped. Both then publish a budget. At the median the node has its '
        f'out {found["behind_idle_median"] * 1e3:.2f} ms after the other, vision and '
        'prefill not counted (reach: 3 ms). Of these, conversion takes '
        f'{found["convert_median"] * 1e3:.2f} ms and planning {found["plan_median"] * 1e3:.2f} ms.'
    )


def update_readme(readme: Path, results: dict[str, Any]) -> None:
    """Put the table between the README's two markers."""
    text = readme.read_text()
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    readme.write_text(f'{head}{BEGIN}\n{table(results)}\n{END}{tail}')


def table(results: dict[str, Any]) -> str:
    """The rows as a Markdown table."""
    lines = ['| what | measured against | ratio | reach |', '|---|---|---|---|']
    for row in results['rows']:
        mark = {True: ' (reached)', False: ' (**not reached**)', None: ''}[row['reached']]
        low, high = row['spread']
        lines.append(
            f'| {row["what"]} | {row["against"]} | **{row["ratio"]:.2f}x** '
            f'[{low:.2f}, {high:.2f}] | {row["reach"]}{mark} |'
        )
    return '\n'.join(lines)


def _plot(results: dict[str, Any]) -> Figure:
    rows = results['rows']
    figure = Figure(figsize=(8, 0.55 * len(rows) + 1), layout='constrained')
    axis = figure.subplots()
    for place, row in enumerate(rows):
        low, high = row['spread']
        color = hexadecimal(BAD if row['reached'] is False else REUSED)
        axis.plot([low, high], [place, place], color=color, linewidth=3)
        axis.plot(row['ratio'], place, 'o', color=color)
    axis.set_yticks(range(len(rows)), [textwrap.fill(row['what'], 48) for row in rows], fontsize=7)
    axis.set(xscale='log', xlabel='ratio (median and quartiles)')
    axis.axvline(1, color='#999', linewidth=0.8)
    axis.invert_yaxis()
    axis.spines[['top', 'right']].set_visible(False)
    return figure
