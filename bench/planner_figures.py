# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Draw the figures of docs/planner.md: `python -m bench.planner_figures`.

The trade-off is drawn from docs/results/planner.json, all else from the planner at work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import matplotlib as mpl
import numpy as np

from bench.planner import RESULTS, ROOT, blind_spots, plan_scores
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.overlay import draw_overlay
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.seeing.statistics import STATISTICS, Compared

mpl.use('Agg')
import matplotlib.pyplot as plt
from PIL import Image

FIGURES = ROOT / 'docs' / 'figures'
COLOURS = dict(
    zip(STATISTICS, ('tab:orange', 'tab:blue', 'tab:green', 'tab:red', 'tab:purple'), strict=True)
)
GRID = blind_spots.GRID


def main() -> None:
    """Draw them all."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    plt.rcParams.update({'svg.hashsalt': 'planner', 'font.size': 9, 'svg.fonttype': 'none'})
    tradeoff()
    separation()
    overlays()


def tradeoff() -> None:
    """Missed against wasted, threshold by threshold."""
    rows = json.loads((RESULTS / 'planner.json').read_text(encoding='utf-8'))['tradeoff']
    figure, axes = plt.subplots(figsize=(7, 3.4), layout='constrained')
    for name, colour in COLOURS.items():
        own = [row for row in rows if row['statistic'] == name]
        x, y = ([100 * row[key] for row in own] for key in ('wasted_rate', 'missed_rate'))
        axes.plot(x, y, 'o-', color=colour, label=name, markersize=3, linewidth=1.2)
        chosen = next(row for row in own if row['high'] == 8)
        axes.plot(100 * chosen['wasted_rate'], 100 * chosen['missed_rate'], 'o', color=colour)
    axes.set_xscale('symlog', linthresh=0.1)
    axes.set_yscale('symlog', linthresh=0.1)
    axes.set_xlim(-0.01, 110)
    axes.set_ylim(-0.01, 110)
    axes.set_xlabel('unchanged blocks bought, %')
    axes.set_ylabel('visible changes missed, %')
    axes.grid(alpha=0.3)
    figure.legend(title='large dot:\ndefault thresholds', loc='outside right upper')
    _save(figure, 'planner_tradeoff.svg')


def separation() -> None:
    """What each statistic reads in blocks with noise alone, and with a small lamp besides."""
    rng = np.random.default_rng(0)
    shape = (GRID.height, GRID.width, 3)
    before, after = (120 + rng.normal(0, 3, shape) for _ in range(2))
    lit = after.copy()
    for row in range(GRID.rows):
        for col in range(GRID.cols):
            y = row * GRID.block + rng.integers(0, GRID.block - 3)
            x = col * GRID.block + rng.integers(0, GRID.block - 3)
            lit[y : y + 4, x : x + 4] += 60
    images = [np.clip(np.rint(image), 0, 255).astype(np.uint8) for image in (before, after, lit)]
    figure, axes = plt.subplots(1, 5, figsize=(8, 2.4), layout='constrained')
    for axis, (name, statistic) in zip(axes, STATISTICS.items(), strict=True):
        reference, *seen = (statistic.prepare(image, GRID).astype(np.int16) for image in images)
        readings = [
            statistic.compare(Compared(image, reference, GRID, statistic.cell(GRID))).ravel()
            for image in seen
        ]
        bins = np.linspace(0, max(r.max() for r in readings) * 1.05, 40)
        axis.hist(readings[0], bins, color='0.6', histtype='stepfilled', label='noise')
        axis.hist(
            readings[1],
            bins,
            color=COLOURS[name],
            alpha=0.8,
            histtype='stepfilled',
            label='and a lamp',
        )
        axis.set_title(name, fontsize=8)
        axis.set_yticks([])
    axes[0].legend(fontsize=7)
    figure.supxlabel('change of a block; grey levels, per cent for changed_pixel_fraction')
    _save(figure, 'planner_separation.svg')


def overlays() -> None:
    """Two frames of the suite with their plans."""
    pictures = []
    for name, at in (('bands', 9), ('walker', 9)):
        case = next(case for case in blind_spots.CASES if case.name == name)
        for index, (_, plan) in enumerate(_plans(case.steps())):
            if index == at:
                pictures.append(draw_overlay(plan, [case.about]))
    joined = Image.fromarray(np.concatenate(pictures, axis=1))
    small = joined.resize((joined.width // 2, joined.height // 2), Image.Resampling.LANCZOS)
    # In 32 levels per channel: the noise would be most of the file.
    coarse = Image.fromarray((np.asarray(small) // 8 * 8 + 4).astype(np.uint8))
    coarse.save(FIGURES / 'planner_overlay.png', optimize=True)


def _plans(steps: Iterator[blind_spots.Step]) -> Iterator[tuple[Frame, Plan]]:
    """Plan a stream with the suite's settings."""
    planner = Planner(plan_scores.settings())
    for index, (pixels, _) in enumerate(steps):
        frame = Frame(pixels, GRID, round(index / blind_spots.RATE * 1e9))
        plan = planner.plan(planner.look(frame))
        planner.admit(plan)
        yield frame, plan


def _save(figure: plt.Figure, name: str) -> None:
    figure.savefig(FIGURES / name, metadata={'Date': None} if name.endswith('svg') else None)
    plt.close(figure)


if __name__ == '__main__':
    main()
