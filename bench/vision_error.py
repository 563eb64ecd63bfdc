# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How far incremental encoding drifts from the stock tower on real clips, and what it saves.

`python -m bench.vision_error FOOTAGE` plans every clip at about 5 fps as the tail does, encodes the
active windows only, and compares the features of all blocks with the stock tower's for the same
frame.  Error is relative: the norm of the difference over the norm of the stock features.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.palette import REUSED, hexadecimal
from vlmaxxing_ros.random_models.families import random_family

DOCS = Path(__file__).parents[1] / 'docs'
FPS = 5.0


@dataclass(frozen=True)
class FootageClip:
    """What one clip showed, medians over its frames but the first."""

    clip: str
    frames: int
    blocks: int
    windows_share: float
    fresh_share: float
    error_median: float
    error_p95: float
    error_after_whole: float


def main() -> None:
    """Run over a folder of clips and write docs/results/vision_error.json and a figure."""
    parser = argparse.ArgumentParser(prog='python -m bench.vision_error')
    parser.add_argument('footage', type=Path)
    parser.add_argument('--seconds', type=float, default=8.0, help='of each clip')
    options = parser.parse_args()
    clips = sorted(p for p in options.footage.iterdir() if p.suffix in ('.mp4', '.avi'))
    results = {}
    for name, family, blocks in (
        ('random small Qwen2.5-VL', random_family('qwen2_5_vl', 'small'), 192),
        ('nano', load_family('nano'), 48),
    ):
        results[name] = [vars(measure(family, c, blocks, options.seconds)) for c in clips]
        for row in results[name]:
            print(name, row)
    (DOCS / 'results').mkdir(parents=True, exist_ok=True)
    (DOCS / 'results' / 'vision_error.json').write_text(json.dumps(results, indent=1) + '\n')
    (DOCS / 'figures').mkdir(exist_ok=True)
    _plot(results).savefig(DOCS / 'figures' / 'vision_error.svg')


def measure(family: Family, path: Path, max_blocks: int, seconds: float) -> FootageClip:
    """Plan and encode one clip both ways."""
    encoder, planner = IncrementalEncoder(family), Planner(EngineConfig())
    errors, shares, fresh_shares, whole_errors = [], [], [], []
    grid = None
    for frame in _frames(family, path, max_blocks, seconds):
        grid = frame.grid
        plan = planner.plan(planner.look(frame))
        encoding = encoder.encode(frame, plan.fresh)
        planner.admit(plan)
        ours = np.array(encoding.features.embeds)
        stock = np.array(IncrementalEncoder(family).encode(frame).features.embeds)
        error = float(np.linalg.norm(ours - stock) / np.linalg.norm(stock))
        if plan.whole:
            whole_errors.append(error)
        else:
            errors.append(error)
            shares.append(encoding.windows_computed / encoding.windows_total)
            fresh_shares.append(float(plan.fresh.mean()))
    assert grid is not None
    return FootageClip(
        clip=path.stem,
        frames=len(errors) + len(whole_errors),
        blocks=grid.blocks,
        windows_share=float(np.median(shares)) if shares else 1.0,
        fresh_share=float(np.median(fresh_shares)) if fresh_shares else 1.0,
        error_median=float(np.median(errors)) if errors else 0.0,
        error_p95=float(np.quantile(errors, 0.95)) if errors else 0.0,
        error_after_whole=max(whole_errors, default=0.0),
    )


def _frames(family: Family, path: Path, max_blocks: int, seconds: float) -> Iterator[Frame]:
    video = cv2.VideoCapture(str(path))
    step = max(1, round(video.get(cv2.CAP_PROP_FPS) / FPS))
    for index in range(int(seconds * FPS) * step):
        read, image = video.read()
        if not read:
            return
        if index % step == 0:
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            grid = family.grid(*rgb.shape[:2], max_blocks)
            yield Frame.from_image(rgb, grid, stamp=round((index + 1) * 1e9 / (step * FPS)))


def _plot(results: dict[str, list[dict]]) -> Figure:
    figure = Figure(figsize=(8, 3.4), layout='constrained')
    for axis, (name, rows) in zip(figure.subplots(1, 2, sharey=True), results.items(), strict=True):
        places = range(len(rows))
        axis.barh(places, [r['error_median'] for r in rows], color=hexadecimal(REUSED), height=0.5)
        axis.plot([r['error_p95'] for r in rows], places, '|', color='#1c2024', markersize=9)
        axis.set_yticks(places, [r['clip'][:30] for r in rows], fontsize=7)
        axis.set(title=name, xlabel='relative feature error: median, | 95 %')
        axis.title.set_fontsize(9)
        axis.spines[['top', 'right']].set_visible(False)
        axis.invert_yaxis()
    return figure


if __name__ == '__main__':
    main()
