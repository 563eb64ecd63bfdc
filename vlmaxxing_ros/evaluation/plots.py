# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The report's plots, as SVG texts that need nothing but themselves."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from vlmaxxing_ros.evaluation.costs import SESSIONS

_OURS, _DENSE, _OTHER = '#d9620f', '#222222', '#7a8794'
_STAGES = {
    'plan': '#b8c4cc',
    'vision': '#3c7aa8',
    'prefill': '#79b2d6',
    'other': '#d8d2c4',
    'answer': '#d9620f',
}
_SESSION_ARMS = ('auto', 'refresh', 'exact', 'infinipot')


def plots(report: dict[str, Any]) -> dict[str, str]:
    """Title to SVG; a plot without data is left out."""
    arms = {name: arm for name, arm in report['arms'].items() if 'unavailable' not in arm}
    drawn = {
        'Accuracy and what a live answer takes': _draw(_frontier, arms),
        'Answers unlike cold dense on the same frames': _draw(_drift, arms),
        'Rows computed against drift': _draw(_rows, arms),
        'Where the time of a whole run goes': _draw(_stages, arms),
        'Whole sessions along the recordings, set-up included': _draw(_sessions, arms),
    }
    return {title: svg for title, svg in drawn.items() if svg}


def _draw(fill: Callable[[Axes, dict[str, Any]], bool], arms: dict[str, Any]) -> str:
    figure = Figure(figsize=(6.4, 0.9 + 0.3 * max(len(arms), 7)), layout='constrained')
    axes = figure.add_subplot()
    axes.spines[['top', 'right']].set_visible(False)
    if not fill(axes, arms):
        return ''
    text = io.StringIO()
    # Without date and with fixed ids the same report gives the same file.
    figure.savefig(text, format='svg', metadata={'Date': None}, transparent=True)
    svg = text.getvalue()
    return svg[svg.index('<svg') :]


def _color(name: str) -> str:
    return _OURS if name in _SESSION_ARMS else _DENSE if name == 'dense' else _OTHER


def _palette() -> Iterator[Any]:
    """Colours, however many are wanted."""
    return cycle(colormaps['tab20'].colors)  # type: ignore[attr-defined]


def _frontier(axes: Axes, arms: dict[str, Any]) -> bool:
    points = [
        (
            1e3 * arm['denominators']['live']['with_admission']['p50'],
            100 * arm['accuracy']['accuracy'],
            name,
        )
        for name, arm in arms.items()
        if arm['accuracy']['questions'] and arm['denominators']['live']['questions']
    ]
    _scatter(axes, points)
    axes.set_ylim(top=min(axes.get_ylim()[1], 101))  # no more than all of them
    axes.set_xlabel('newest frame to first token, live question, p50 (ms)')
    axes.set_ylabel('right answers (%)')
    return bool(points)


def _scatter(axes: Axes, points: list[tuple[float, float, str]]) -> None:
    """Named points over a logarithmic x axis; the legend has them from the top down."""
    colors = _palette()
    for x, y, name in sorted(points, key=lambda point: (-point[1], point[0])):
        mark = 'o' if name in _SESSION_ARMS else 'D' if name == 'dense' else 's'
        axes.plot(x, y, mark, color=next(colors), label=name)
    axes.set_xscale('log')
    axes.margins(x=0.15, y=0.15)
    _label_decades(axes.xaxis)
    if points:
        axes.legend(loc='upper left', bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)


def _label_decades(axis: Axis) -> None:
    """Label 1, 2 and 5 of every decade: a logarithmic axis may span less than one."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter('{x:g}')


def _drift(axes: Axes, arms: dict[str, Any]) -> bool:
    shown = {n: a['drift']['answer'] for n, a in arms.items() if n != 'dense'}
    names = list(shown)[::-1]
    for row, name in enumerate(names):
        value, (low, high) = shown[name]['share'], shown[name]['interval']
        axes.barh(row, 100 * value, color=_color(name), height=0.6)
        axes.plot([100 * low, 100 * high], [row, row], color='#00000088', linewidth=1)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel('answers unlike cold dense (%), with 95 % interval')
    return bool(names)


def _rows(axes: Axes, arms: dict[str, Any]) -> bool:
    points = []
    for name, arm in arms.items():
        seen, asked = arm['perception'], arm['drift']['questions']
        rows = seen['frame_rows'] + seen['question_rows']
        if rows and asked:
            points.append((rows / asked, 100 * arm['drift']['answer']['share'], name))
    _scatter(axes, points)
    axes.set_xlabel('rows through the language model per question, frames included')
    axes.set_ylabel('answers unlike cold dense (%)')
    return bool(points)


def _stages(axes: Axes, arms: dict[str, Any]) -> bool:
    names = list(arms)[::-1]
    for row, name in enumerate(names):
        left = 0.0
        for stage, color in _STAGES.items():
            seconds = arms[name]['stages'][stage]
            axes.barh(row, seconds, left=left, color=color, height=0.6, label=stage)
            left += seconds
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel('seconds, all recordings')
    handles, labels = axes.get_legend_handles_labels()
    count = len(_STAGES)
    axes.legend(handles[:count], labels[:count], fontsize=8, frameon=False)
    return bool(names)


def _sessions(axes: Axes, arms: dict[str, Any]) -> bool:
    drawn = False
    colors = _palette()
    for name, arm in arms.items():
        points = [
            (int(n), figures['stream'])
            for n, figures in arm['session_speedup'].items()
            if figures['stream'] is not None
        ]
        if name == 'dense' or len(points) < 2:
            continue
        drawn = True
        style = '-' if name in _SESSION_ARMS else '--'
        axes.plot(
            *zip(*points, strict=True), style, color=next(colors), marker='o', ms=3, label=name
        )
    axes.axhline(1.0, color=_DENSE, linewidth=1)
    axes.set_xscale('log')
    axes.set_yscale('log')
    axes.set_xticks(SESSIONS, [str(count) for count in SESSIONS])
    axes.xaxis.set_minor_locator(NullLocator())
    _label_decades(axes.yaxis)
    axes.set_xlabel('questions asked')
    axes.set_ylabel('cold dense / arm')
    axes.legend(fontsize=7, frameon=False, ncols=2)
    return drawn
