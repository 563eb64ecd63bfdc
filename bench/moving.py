# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a camera that moves costs, with the lattice that follows it and without.

`python -m bench.moving` lets the built-in model look at a table from a camera that pans, shakes
or rests, frame by frame, and asks it about what it sees: rows and tower windows as shares of
dense, answers unlike those on the same piece of the same image prefilled whole, beside what
another sample of the camera's noise changes, and answers that are true.  The planner alone is run
over rendered cameras and over real clips that are panned artificially.  All of it are counts,
the same on any machine.  Writes docs/results/moving.json and moving.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import mlx.core as mx
import numpy as np

from bench.greedy import divergence, greedy_tokens
from bench.moving_page import page
from bench.moving_world import Sweep
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame, fit_grid, resize
from vlmaxxing_ros.engine.seeing.lattice import Lattice
from vlmaxxing_ros.engine.seeing.sight import Sight
from vlmaxxing_ros.engine.steps import finish
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.engine.stream.tail import Tail

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / 'docs' / 'results'
FOOTAGE = ROOT.parent / 'shared' / 'footage'
sys.path.insert(0, str(ROOT / 'test'))

from engine.seeing import pans  # noqa: E402 (the suite lives with the tests)

MODES = ('off', 'auto')
PARTS = ('rendered', 'footage', 'table')
STEPS = (0.0, 1.0, 3.7, 7.1, 10.3, 14.0, 20.0, 40.0)
"""Pixels of the image per frame."""

SHAKE = 3.0
PERIOD = 0.1  # s from frame to frame
START = 12.0  # s on the table: two blocks move, come or go in what follows
EVERY = 5  # frames from one moment at which is asked to the next
PANNED = {'static_room_mostly_empty.mp4': 'room', 'screen_desktop_rerun_2558x1592.mp4': 'desktop'}
SPEEDS = (2.0, 5.0, 10.0)  # pixels of the grid per frame
WINDOW = 0.7  # of a clip's width and height, in which it is panned
CLIP = 80  # frames
WIDEST = 1280  # pixels of an image: four times what the grid has, and less memory


def main() -> None:
    """Measure everything and write the results."""
    parser = argparse.ArgumentParser(prog='python -m bench.moving')
    parser.add_argument('--model', default='nano', help='nano or a folder')
    parser.add_argument('--clips', type=int, default=2, help='tables per speed')
    parser.add_argument('--frames', type=int, default=36, help='of each clip')
    parser.add_argument(
        '--part', choices=PARTS, action='append', help='only this, beside what is there; repeat'
    )
    parser.add_argument('--out', type=Path, default=RESULTS)
    options = parser.parse_args()
    mx.set_default_device(mx.cpu)
    cv2.setNumThreads(1)
    path = options.out / 'moving.json'
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    results['margin'] = EngineConfig().follow_margin
    for part in options.part or PARTS:
        if part == 'table':
            results['table'] = tables(options.model, options.clips, options.frames)
            results['model'] = Path(options.model).name
            results |= {'clips': options.clips, 'frames': options.frames}
        else:
            results[part] = {'rendered': rendered, 'footage': footage}[part]()
    options.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
    if all(part in results for part in PARTS):
        (options.out / 'moving.md').write_text(page(results), encoding='utf-8')


# The model


def tables(model: str, clips: int, frames: int) -> list[dict[str, Any]]:
    """Every speed, with the lattice that follows and without."""
    family, rows = load_family(model), []
    for step, shake in (*((step, 0.0) for step in STEPS), (0.0, SHAKE)):
        for mode in MODES:
            rows.append(table(family, mode, step, shake, clips, frames))
            print(json.dumps(rows[-1]), flush=True)
    return rows


def table(
    family: Family, mode: str, step: float, shake: float, clips: int, frames: int
) -> dict[str, Any]:
    """One speed: sums over the clips."""
    found = Found()
    config = EngineConfig(follow=mode, keep_keyframes=0, max_age=1e6)
    for clip in range(clips):
        world = Sweep(seed=90_000 + clip, step=step, shake=shake, period=PERIOD)
        _watch(family, config, world, frames, found)
    return {'step': step, 'shake': shake, 'follow': mode, **found.figures()}


class Found:
    """Sums over everything that was seen and asked."""

    def __init__(self) -> None:
        self.rows = self.windows = self.dense_rows = self.dense_windows = self.followed = 0
        self.images = self.asked = self.right = self.dense_right = self.differ = 0
        self.noise_differs = 0
        self.diverged: list[float] = []
        self.noise_diverged: list[float] = []

    def figures(self) -> dict[str, Any]:
        """As they are written down."""
        return {
            'rows': round(self.rows / self.dense_rows, 3),
            'windows': round(self.windows / self.dense_windows, 3),
            'followed': round(self.followed / self.images, 3),
            'asked': self.asked,
            'right': self.right,
            'dense_right': self.dense_right,
            'differ': self.differ,
            'noise_differs': self.noise_differs,
            'divergence': round(float(np.mean(self.diverged)), 5),
            'noise_divergence': round(float(np.mean(self.noise_diverged)), 5),
        }


def _watch(family: Family, config: EngineConfig, world: Sweep, frames: int, found: Found) -> None:
    """Let a session look at a table, paying at once, and ask it now and then."""
    session, whole = StreamSession(family, config), 0
    for index in range(frames):
        seconds = START + index * PERIOD
        stamp = round((1 + seconds) * 1e9)
        budget = session.admit(session.frame(world.render(seconds), stamp=stamp))
        if index == 0:
            whole = budget.tokens_added
            continue
        found.images += 1
        found.rows += budget.tokens_added
        found.windows += budget.windows_computed
        found.dense_rows += whole
        found.dense_windows += budget.windows_total
        found.followed += budget.crop != (0.0, 0.0, 1.0, 1.0)
        if index % EVERY == 0:
            _ask(family, session, world, seconds, found)


def _ask(
    family: Family, session: StreamSession, world: Sweep, seconds: float, found: Found
) -> None:
    """Ask about the newest image; dense, and dense in other noise, about the same piece of it."""
    assert session.stream is not None
    asking = session.ask(Question(text='Is anything moving?', max_tokens=1))  # catches up
    for _ in asking:
        pass
    # What was asked may have brought all of the image back.
    newest = session.stream.sight.newest
    moment = world.render(seconds + 1e-6)
    noisy = _same_piece(moment, newest, session.config.follow_margin)
    caches = [session.stream.cache, _dense(family, newest), _dense(family, noisy)]
    for text, truth in world.questions(seconds, newest.view):
        ours, dense, noise = (greedy_tokens(family, cache, text) for cache in caches)
        found.asked += 1
        found.right += family.text.decode(ours[1]).strip() == truth
        found.dense_right += family.text.decode(dense[1]).strip() == truth
        found.differ += ours[1] != dense[1]
        found.noise_differs += noise[1] != dense[1]
        found.diverged.append(divergence(dense[0], ours[0]))
        found.noise_diverged.append(divergence(dense[0], noise[0]))


def _dense(family: Family, frame: Frame) -> RollingCache:
    """A frame encoded and prefilled whole, and nothing else."""
    cache = RollingCache(family)
    finish(Tail(family).replacing(cache, frame))
    return cache


def _same_piece(image: np.ndarray, frame: Frame, margin: int) -> Frame:
    """What another image shows where a frame stands."""
    if frame.anchor == 0:
        return Frame.from_image(image, frame.grid, stamp=frame.stamp)
    lattice = Lattice(frame.grid, margin)
    canvas = lattice.canvas(image)
    place = frame.view.x * canvas.shape[1], frame.view.y * canvas.shape[0]
    return Frame(lattice.cut(canvas, place), frame.grid, frame.stamp)


# The planner alone


def rendered() -> list[dict[str, Any]]:
    """The suite of the tests, with the truth about where the camera looks."""
    rows = []
    for case in (*pans.CASES, *pans.PASSING):
        scores = {mode: pans.score(case, pans.settings(follow=mode)) for mode in MODES}
        errors = scores['auto'].errors
        rows.append(
            {
                'case': case.name,
                **{f'fresh_{m}': round(float(np.mean(s.fresh)), 3) for m, s in scores.items()},
                'followed': round(scores['auto'].followed / pans.FRAMES, 3),
                'error_p50': round(float(np.median(errors)), 3) if errors else None,
                'error_p95': round(float(np.quantile(errors, 0.95)), 3) if errors else None,
                'missed': round(scores['auto'].missed / max(1, scores['auto'].changed), 4),
            }
        )
    return rows


def footage() -> list[dict[str, Any]]:
    """Real clips: as they are, panned and shaken; empty where they are not there."""
    rows = []
    for path in sorted(FOOTAGE.glob('*.mp4')) + sorted(FOOTAGE.glob('*.avi')):
        moves = [('as it is', 0.0, 0.0)]
        if path.name in PANNED:
            moves += [(f'pan of {speed:g} px', speed, 0.0) for speed in SPEEDS]
            moves += [(f'shake of {SHAKE:g} px', 0.0, SHAKE)]
        for name, speed, shake in moves:
            row: dict[str, Any] = {'clip': PANNED.get(path.name, path.stem), 'move': name}
            frames = list(_frames(path, name != 'as it is', speed, shake))
            for mode in MODES:
                row |= _planned(frames, mode)
            rows.append(row)
            print(json.dumps(row), flush=True)
    return rows


def _planned(frames: list[Frame], mode: str) -> dict[str, Any]:
    """Share of the blocks bought per image, paid at once; how many images were whole."""
    sight: Sight | None = None
    config = EngineConfig(max_age=1e6, follow=mode)
    fresh, whole, followed = [], 0, 0
    for frame in frames:
        if sight is None:
            sight = Sight(config, frame)
        else:
            plan = sight.see(frame)
            fresh.append(float(plan.fresh.mean()))
            whole += plan.whole
            followed += plan.look.frame.anchor > 0
        sight.paid(sight.plan, sight.plan.fresh)
    return {
        f'fresh_{mode}': round(float(np.mean(fresh)), 3),
        f'whole_{mode}': whole,
        f'followed_{mode}': round(followed / len(fresh), 3),
    }


def _frames(path: Path, windowed: bool, speed: float, shake: float) -> Iterator[Frame]:
    """A clip on its grid, or a window that moves in it."""
    rng = np.random.default_rng(0)
    for index, (seconds, image) in enumerate(clip(path)):
        shown = _window(image, speed * index, rng.uniform(-shake, shake, 2)) if windowed else image
        grid = fit_grid(*shown.shape[:2], block=28, max_blocks=192)
        yield Frame.from_image(shown, grid, stamp=round((1 + seconds) * 1e9))


@lru_cache(maxsize=1)
def clip(path: Path, count: int = CLIP) -> list[tuple[float, np.ndarray]]:
    """The first images of a clip at about 10 per second, each with its time in seconds."""
    video = cv2.VideoCapture(str(path))
    rate = video.get(cv2.CAP_PROP_FPS)
    stride = max(1, round(rate / 10))
    found = []
    for index in range(count * stride):
        if not video.grab():
            break
        if index % stride == 0:
            _, image = video.retrieve()
            rgb = np.ascontiguousarray(image[..., ::-1])
            scale = min(1.0, WIDEST / rgb.shape[1])
            size = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
            found.append((index / rate, resize(rgb, *size)))
    return found


def _window(image: np.ndarray, gone: float, shaken: np.ndarray) -> np.ndarray:
    """A window of a clip's image, moved so many pixels of the grid: to the right, and back."""
    height, width = (round(WINDOW * side) for side in image.shape[:2])
    grid = fit_grid(height, width, block=28, max_blocks=192)
    scale = width / grid.width
    room = image.shape[1] - width
    right = abs((gone * scale + room / 2) % (2 * room) - room) + shaken[0] * scale
    down = (image.shape[0] - height) / 2 + shaken[1] * scale
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return cv2.warpAffine(
        image,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


if __name__ == '__main__':
    main()
