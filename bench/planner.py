# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the planner costs, what it misses and what it wastes, statistic by statistic.

`python -m bench.planner` runs every statistic over the blind-spot suite of the tests, at the
default thresholds and over a range of them, and times a plan beside numpy's mean absolute
difference of the same two frames.  Writes docs/results/planner.json and planner.md; the figures
are drawn by `python -m bench.planner_figures`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.frame import Frame, fit_grid
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.seeing.statistics import STATISTICS

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / 'docs' / 'results'
FOOTAGE = ROOT.parent / 'shared' / 'footage'
sys.path.insert(0, str(ROOT / 'test'))

from engine.seeing import blind_spots, plan_scores  # noqa: E402 (the suite lives with the tests)

LightAt = Callable[[int, int], float | np.ndarray]
"""Brightness in frame `index`: of all of it, or of each of `height` rows."""

SIZES = {(640, 480): 1.0, (1920, 1080): 4.0}
"""Width and height of camera images, and the reach in ms."""

GRIDS = (EngineConfig.max_blocks, 4096)
"""Most blocks: the default, for which an image is made smaller, and enough for each as it is."""

# high; low is 3/8 of it, as in the defaults.
THRESHOLDS = (1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0, 96.0)

# Where the camera moves there is no place to compare with; a cut is taken whole by any statistic.
STEADY = [case for case in blind_spots.CASES if case.name not in ('jitter', 'pan', 'cut')]


def main() -> None:
    """Measure everything and write the results."""
    parser = argparse.ArgumentParser(prog='python -m bench.planner')
    parser.add_argument('--seeds', type=int, default=3, help='renderings of every case')
    parser.add_argument('--frames', type=int, default=200, help='frames timed per case')
    parser.add_argument('--out', type=Path, default=RESULTS)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    results = {
        'machine': f'{platform.processor() or platform.machine()}, {os.cpu_count()} cores',
        'load_before': os.getloadavg()[0],
        'seeds': options.seeds,
        'speed': speed(options.frames),
        'cases': cases(options.seeds),
        'tradeoff': tradeoff(),
        'footage': footage(),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1) + '\n'
    (options.out / 'planner.json').write_text(text, encoding='utf-8')
    (options.out / 'planner.md').write_text(page(results), encoding='utf-8')


# Speed


def speed(frames: int) -> list[dict[str, Any]]:
    """Processor time of `plan` in different circumstances, beside numpy's on the same frames."""
    circumstances: dict[str, tuple[LightAt, int]] = {
        'steady': (_steady, 0),
        'dimmed to 0.7': (lambda index, height: 1.0 if index == 0 else 0.7, 0),
        'flicker': (_flicker, 0),
        'rolling-shutter bands': (_bands, 0),
        'shaking by 1 px': (_steady, 1),
        'shaking by 1 px in flicker': (_flicker, 1),
        'panning by 4 px': (_steady, 4),
    }
    return [
        _time(*size, max_blocks, name, light, frames, shift)
        for max_blocks in GRIDS
        for size in SIZES
        for name, (light, shift) in circumstances.items()
    ]


def _steady(index: int, height: int) -> float:
    return 1.0


def _flicker(index: int, height: int) -> float:
    return 1.0 + 0.15 * math.sin(index)


def _bands(index: int, height: int) -> np.ndarray:
    down = np.arange(height, dtype=np.float32)[:, None, None] / height
    return 1 + np.float32(0.12) * np.sin(2 * np.pi * (1.7 * down + 0.37 * index))


def _time(
    width: int, height: int, max_blocks: int, name: str, light: LightAt, count: int, shift: int
) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    grid = fit_grid(height, width, block=28, max_blocks=max_blocks)
    coarse = rng.uniform(30, 220, (height // 7, width // 7 + 64, 3)).astype(np.float32)
    wide = cv2.resize(coarse, (width + 448, height), interpolation=cv2.INTER_CUBIC)
    planner = Planner(EngineConfig())
    resize_times, plan_times, numpy_times, fresh = [], [], [], []
    pool = [rng.normal(0, 3, (height, width, 3)).astype(np.float32) for _ in range(3)]
    before = np.zeros((height, width, 3), np.uint8)
    for index in range(count):
        x = shift * index % 448 if shift > 1 else shift * (index % 2)
        lit = wide[:, x : x + width] * np.float32(light(index, height))
        content = lit + pool[index % 3]
        image = np.clip(np.rint(content), 0, 255).astype(np.uint8)
        start = time.thread_time()
        frame = Frame.from_image(image, grid, stamp=round((index + 1) / 30 * 1e9))
        resized = time.thread_time()
        plan = planner.plan(planner.look(frame))
        planned = time.thread_time()
        np.abs(image.astype(np.int16) - before).mean()
        numpy_times.append(time.thread_time() - planned)
        resize_times.append(resized - start)
        plan_times.append(planned - resized)
        before = image
        planner.admit(plan)
        fresh.append(float(plan.fresh.mean()))
    return {
        'image': f'{width}x{height}',
        'blocks': f'{grid.cols}x{grid.rows}',
        'case': name,
        'resize_ms': _quantiles(resize_times),
        'plan_ms': _quantiles(plan_times),
        'numpy_ms': _quantiles(numpy_times),
        'reach_ms': SIZES[width, height],
        'fresh': round(float(np.mean(fresh)), 3),
        'load': round(os.getloadavg()[0], 1),
    }


def _quantiles(times: list[float]) -> list[float]:
    """10th percentile, median and 95th without the first frames, ms."""
    return [round(1e3 * float(q), 3) for q in np.quantile(times[10:], (0.1, 0.5, 0.95))]


# What is missed and what is wasted


def cases(seeds: int) -> list[dict[str, Any]]:
    """Every statistic at its default thresholds on every case."""
    rows = []
    for case in blind_spots.CASES:
        totals = {name: plan_scores.Score() for name in STATISTICS}
        for seed in range(seeds):
            steps = list(case.steps(seed))
            for name in STATISTICS:
                totals[name] += plan_scores.score(steps, plan_scores.settings(statistic=name))
        for name, total in totals.items():
            rows.append({'case': case.name, 'about': case.about, **_sums(name, total)})
    return rows


def tradeoff() -> list[dict[str, Any]]:
    """Every statistic over a range of thresholds, on all cases with a steady camera together."""
    totals = {(name, high): plan_scores.Score() for name in STATISTICS for high in THRESHOLDS}
    for case in STEADY:
        steps = list(case.steps())
        for name, high in totals:
            config = plan_scores.settings(statistic=name, high=high, low=0.375 * high)
            totals[name, high] += plan_scores.score(steps, config)
    return [{'high': high, **_sums(name, total)} for (name, high), total in totals.items()]


def _sums(statistic: str, total: plan_scores.Score) -> dict[str, Any]:
    return {
        'statistic': statistic,
        'changed': total.changed,
        'missed': total.missed,
        'missed_rate': round(total.missed_rate, 5),
        'unchanged': total.unchanged,
        'wasted': total.wasted,
        'wasted_rate': round(total.wasted_rate, 5),
        'whole': total.whole,
        'plan_ms': round(1e3 * total.seconds / max(1, total.frames), 3),
    }


def footage() -> list[dict[str, Any]]:
    """What is bought of real clips, with nothing expiring; empty where they are not there."""
    config = EngineConfig(max_age=float('inf'))
    rows = []
    for path in sorted(FOOTAGE.glob('*.mp4')) + sorted(FOOTAGE.glob('*.avi')):
        planner = Planner(config)
        fresh, whole, motion = [], 0, []
        for frame in _clip(path, config.max_blocks):
            plan = planner.plan(planner.look(frame))
            planner.admit(plan)
            if np.isinf(plan.change).all():  # the first frame
                continue
            fresh.append(float(plan.fresh.mean()))
            whole += plan.whole
            motion.append(float(np.hypot(*plan.motion)))
        rows.append(
            {
                'clip': path.name,
                'frames': len(fresh),
                'fresh_mean': round(float(np.mean(fresh)), 3),
                'fresh_p50': round(float(np.median(fresh)), 3),
                'fresh_max': round(float(np.max(fresh)), 3),
                'whole': whole,
                'motion_p50': round(float(np.median(motion)), 2),
            }
        )
    return rows


def _clip(path: Path, max_blocks: int) -> Iterator[Frame]:
    """The first seconds of a clip, at about 10 frames per second, on the default grid."""
    video = cv2.VideoCapture(str(path))
    rate = video.get(cv2.CAP_PROP_FPS)
    stride = max(1, round(rate / 10))
    for index in range(120 * stride):
        if not video.grab():
            return
        if index % stride == 0:
            _, image = video.retrieve()
            rgb = np.ascontiguousarray(image[..., ::-1])
            grid = fit_grid(*rgb.shape[:2], block=28, max_blocks=max_blocks)
            yield Frame.from_image(rgb, grid, stamp=round(index / rate * 1e9))


# The page


def page(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    speed_rows = [
        (
            f'{row["image"]} on {row["blocks"]} blocks',
            row['case'],
            *(
                ' / '.join(f'{value:.2f}' for value in row[name])
                for name in ('plan_ms', 'resize_ms', 'numpy_ms')
            ),
            f'{row["reach_ms"]:.1f}',
            f'{100 * row["fresh"]:.0f} %',
            f'{row["load"]:.1f}',
        )
        for row in results['speed']
    ]
    names = list(STATISTICS)
    by_case: dict[str, dict[str, dict[str, Any]]] = {}
    for row in results['cases']:
        by_case.setdefault(row['case'], {})[row['statistic']] = row
    case_rows = [
        (
            case,
            row['tile_mean']['about'],
            *(
                f'{100 * row[name]["missed_rate"]:.1f} / {100 * row[name]["wasted_rate"]:.1f}'
                for name in names
            ),
        )
        for case, row in by_case.items()
    ]
    times = [
        float(np.mean([r['plan_ms'] for r in results['cases'] if r['statistic'] == name]))
        for name in names
    ]
    case_rows.append(('ms per plan', '448x336', *(f'{value:.2f}' for value in times)))
    clip_rows = [
        (
            row['clip'],
            str(row['frames']),
            f'{100 * row["fresh_mean"]:.1f} %',
            f'{100 * row["fresh_p50"]:.1f} %',
            f'{100 * row["fresh_max"]:.1f} %',
            str(row['whole']),
            f'{row["motion_p50"]:.2f}',
        )
        for row in results['footage']
    ]
    return '\n'.join(
        [
            '# Planner: measurements',
            '',
            f'Written by `python -m bench.planner`. Machine: {results["machine"]}, shared with '
            'other work (the load is given). How it works: [planner.md](../planner.md).',
            '',
            '## Time per plan',
            '',
            'Processor time of one core, ms: 10th percentile / median / 95th, of the plan of a '
            'frame on its grid (what the reach is for), and of resizing the image onto it first: '
            'the default grid, for which it is made smaller, and one for all its pixels. Noise of '
            'sigma 3, a quarter of the blocks admitted in turn. Beside it numpy on whole images: '
            '`np.abs(a.astype(np.int16) - b).mean()` of this one and the last.',
            '',
            *_table(
                ('image', 'case', 'plan', 'resizing', 'numpy', 'reach', 'fresh', 'load'),
                speed_rows,
            ),
            '',
            '## Missed and wasted, default thresholds',
            '',
            'Share of the visibly changed block-frames that were not bought / share of the '
            f'unchanged ones that were, in per cent; {results["seeds"]} renderings of each case. '
            'Every statistic has the same light fit and hysteresis.',
            '',
            *_table(('case', 'what happens', *names), case_rows),
            '',
            '## Real clips',
            '',
            'Blocks bought per frame with nothing expiring, at about 10 frames per second on at '
            'most 192 blocks; motion in pixels of the grid.',
            '',
            *_table(
                ('clip', 'frames', 'fresh mean', 'median', 'max', 'whole', 'motion'), clip_rows
            ),
            '',
        ]
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [head, ('---',) * len(head), *rows]
    return ['| ' + ' | '.join(line) + ' |' for line in lines]


if __name__ == '__main__':
    main()
