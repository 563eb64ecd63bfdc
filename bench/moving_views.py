# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What it would spare to keep the views of a head that returns to presets.  Nothing keeps them.

`python -m bench.moving_views` counts, for a pan-tilt head over real clips, what is bought whole
although an earlier whole image of the same preset differs in fewer blocks than make a frame whole:
where everything is paid at once, and in the node, in simulated time.  It is a bound: a view is
found whatever lattice it was bought on, and all but its changed blocks are spared.  Then views of
a table are restored, their rows carried to where the tail stands, behind another history than
the one that they were computed behind, and the built-in model is asked about them.  Adds to
docs/results/moving.json and moving.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from bench import live_simulated
from bench.greedy import divergence, greedy_tokens
from bench.moving import FOOTAGE, MODES, PANNED, RESULTS, clip
from bench.moving_head import Head, PresetTable, shown
from bench.moving_page import page
from vlmaxxing_ros.engine.cache.ledger import Ledger
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.seeing.frame import Frame, fit_grid
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.seeing.region import WHOLE as WHOLE_VIEW
from vlmaxxing_ros.engine.seeing.sight import Sight
from vlmaxxing_ros.engine.steps import finish
from vlmaxxing_ros.engine.stream.decision import IN_PLACE, SETTLE_AFTER
from vlmaxxing_ros.engine.stream.tail import Tail

KEPT = 4  # views
HEADS = (Head(3.0, 1.0), Head(3.0, 0.3), Head(8.0, 1.0))
RATE = 10.0  # images per second
SECONDS = 120.0
PAUSES = (0.0, 3.0, 10.0)  # s from one question to the next; 0: nobody asks
QUESTIONS = 20
WHOLE = 1.2  # s of a whole frame
CLIP = 600  # images
HISTORY = 3  # keyframes, a second apart
STOPS = 10
SOON = 0.3  # s from the arrival at a preset to the question
CHANGE = ('Is anything moving?', 'Did a block appear or disappear?', 'Which block moves?')


@dataclass
class Views:
    """The last whole images of some presets, and what could have been spared with them.

    Attributes:
        whole: how many images were bought whole.
        returns: stops at a preset that was seen before.
        met: stops at which a view was found, of any preset.
        spared: share of an image that a view would have spared, by its stamp (ns).
        exact: stamps of those among them that are bought whole all the same: they became
            keyframes, or stood for so long that a tail is settled.
    """

    head: Head
    config: EngineConfig
    kept: dict[int, tuple[int, Frame]] = field(default_factory=dict)
    whole: int = 0
    returns: set[int] = field(default_factory=set)
    met: set[int] = field(default_factory=set)
    spared: dict[int, float] = field(default_factory=dict)
    exact: set[int] = field(default_factory=set)

    def see(self, seconds: float) -> None:
        """Count a return."""
        preset, stop = self.head.preset(seconds), self.head.stop(seconds)
        if preset in self.kept and self.kept[preset][0] != stop:
            self.returns.add(stop)

    def bought(self, seconds: float, frame: Frame) -> None:
        """An image was bought whole: look it up, then keep it if it is one of a preset."""
        self.whole += 1
        preset, stop = self.head.preset(seconds), self.head.stop(seconds)
        if preset is None:
            return
        # What this stop has shown already is not missing for want of a view.
        before = [view for number, view in self.kept.values() if number != stop]
        plans = [_against(view, frame, self.config) for view in before]
        shares = [float(plan.fresh.mean()) for plan in plans if not plan.whole]
        if shares:
            self.met.add(stop)
            self.spared[frame.stamp] = 1.0 - min(shares)
        self.kept.pop(preset, None)
        self.kept[preset] = stop, frame
        if len(self.kept) > KEPT:
            del self.kept[next(iter(self.kept))]

    def figures(self, bought: float) -> dict[str, Any]:
        """As they are written down; `bought` in whole frames."""
        inexact = [share for stamp, share in self.spared.items() if stamp not in self.exact]
        return {
            'returns': len(self.returns),
            'met': len(self.met & self.returns),
            'whole': self.whole,
            'found': len(self.spared),
            'exact': len(self.exact),
            'bought': round(bought, 1),
            'spared': round(sum(self.spared.values()) / bought, 3),
            'spared_inexact': round(sum(inexact) / bought, 3),
        }


def _against(view: Frame, frame: Frame, config: EngineConfig) -> Plan:
    """A frame's plan if a view were what is in use; no camera has moved between the two."""
    planner = Planner(config)
    planner.admit(planner.plan(planner.look(replace(view, anchor=0))))
    look = planner.look(replace(frame, anchor=0))
    return planner.plan(replace(look, motion=(0.0, 0.0)))


def main() -> None:
    """Measure everything and write the results."""
    parser = argparse.ArgumentParser(prog='python -m bench.moving_views')
    parser.add_argument('--model', default='nano', help='nano or a folder')
    parser.add_argument('--tables', type=int, default=12)
    parser.add_argument('--out', type=Path, default=RESULTS)
    options = parser.parse_args()
    mx.set_default_device(mx.cpu)
    path = options.out / 'moving.json'
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    family = load_family(options.model)
    results['views'] = {
        'answers': [answers(family, count, options.tables) for count in (0, HISTORY)],
        'planned': [eager(*case) for case in _cases()],
        'lived': [
            lived(family, *case, pause)
            for case in _cases()
            if case[2] == 'auto'
            for pause in PAUSES
        ],
    }
    path.write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
    if 'table' in results:
        (options.out / 'moving.md').write_text(page(results), encoding='utf-8')


def _cases() -> Iterator[tuple[str, Head, str]]:
    for name in PANNED:
        for head in HEADS:
            for mode in MODES:
                yield name, head, mode


def _named(name: str, head: Head, mode: str) -> dict[str, Any]:
    return {'clip': PANNED[name], 'dwell': head.dwell, 'transit': head.transit, 'follow': mode}


# Rows


def eager(name: str, head: Head, mode: str) -> dict[str, Any]:
    """The planner alone, everything paid at once."""
    config = EngineConfig(max_age=1e6, follow=mode)
    views, bought = Views(head, config), 0.0
    sight: Sight | None = None
    for frame in takewhile(lambda f: f.stamp <= SECONDS * 1e9, _frames(name, head, 192)):
        seconds = _seconds(frame)
        if sight is None:
            sight = Sight(config, frame)
        else:
            sight.see(frame)
        owed = sight.owed()
        plan = owed.whole_view or owed.plan
        views.see(seconds)
        bought += float(plan.fresh.mean())
        if plan.whole:
            views.bought(seconds, frame)
        sight.paid(plan, plan.fresh)
    return _written(_named(name, head, mode), views, bought)


def lived(family: Family, name: str, head: Head, mode: str, pause: float) -> dict[str, Any]:
    """The node in simulated time, with default settings, asked every `pause` seconds."""
    config = EngineConfig(follow=mode)
    frames = _frames(name, head, live_simulated.MAX_BLOCKS)
    node = BoundedNode(family, frames, WHOLE, config, Views(head, config))
    if pause:
        node.asked(QUESTIONS, pause)
    else:
        node.wait(SECONDS)
    case = {**_named(name, head, mode), 'pause': pause}
    return _written(case, node.views, node.bought)


class BoundedNode(live_simulated.Node):
    """A node whose payments are looked at.

    Attributes:
        views: what was bought whole, looked up in what was before.
        bought: rows, in whole frames.
    """

    def __init__(
        self,
        family: Family,
        frames: Iterator[Frame],
        whole: float,
        config: EngineConfig,
        views: Views,
    ) -> None:
        super().__init__(family, frames, whole, config)
        self.views, self.bought = views, 0.0
        self._images: dict[int, Frame] = {}
        self._paid = 0  # stamp of the image that was bought whole last

    def _see(self) -> None:
        """The images that have come by now, and what was bought since the last ones."""
        stream = self._arm.session.stream
        ledger = stream.cache.ledger if stream else Ledger()
        tail, stamps = ledger.tail, {segment.stamp for segment in ledger.history}
        if stream is not None and tail is not None and tail.refreshed is None:
            owed = stream.sight.owed()
            if owed.still >= SETTLE_AFTER and not owed.blocks.any():
                stamps.add(tail.stamp)
        self.views.exact |= stamps & self.views.spared.keys()
        if tail is not None and tail.refreshed is None and tail.stamp != self._paid:
            self._paid = tail.stamp
            image = self._images[tail.stamp]
            self.views.bought(_seconds(image), image)
        while self._next.stamp * 1e-9 <= self._arm.clock.time:
            self._images[self._next.stamp] = self._next
            self.views.see(_seconds(self._next))
            self.bought += self._arm.session.see(self._next).tokens_added / self._next.grid.blocks
            self._next = next(self._frames)


def _frames(name: str, head: Head, max_blocks: int) -> Iterator[Frame]:
    for seconds, image in shown([i for _, i in clip(FOOTAGE / name, CLIP)], RATE, head):
        grid = fit_grid(*image.shape[:2], block=28, max_blocks=max_blocks)
        yield Frame.from_image(image, grid, stamp=round((1 + seconds) * 1e9)).seen


def _seconds(frame: Frame) -> float:
    """Since the head began."""
    return frame.stamp * 1e-9 - 1


def _written(case: dict[str, Any], views: Views, bought: float) -> dict[str, Any]:
    row = {**case, **views.figures(bought)}
    print(json.dumps(row), flush=True)
    return row


# Answers


def answers(family: Family, keyframes: int, tables: int) -> dict[str, Any]:
    """Views of a table restored behind so many keyframes, against the same frame whole."""
    found, head = Restored(), Head(3.0, 1.0)
    for seed in range(91_000, 91_000 + tables):
        table = PresetTable(seed=seed, head=head)
        kept: dict[int, tuple[RollingCache, Tail]] = {}
        for stop in range(STOPS):
            # Late in a stop its view is kept; soon after the next one at this preset it is asked.
            arrived = stop * (head.dwell + head.transit)
            preset = head.order[stop % len(head.order)]
            if preset in kept:
                _restore(family, table, kept[preset], arrived + SOON, keyframes, found)
            late = arrived + head.dwell - 0.1
            cache, tail = _behind(family, table, late, keyframes), Tail(family)
            finish(tail.replacing(cache, _shot(family, table, late)))
            kept[preset] = cache, tail
    row = {'keyframes': keyframes, **found.figures()}
    print(json.dumps(row), flush=True)
    return row


@dataclass
class Restored:
    """Sums over all returns."""

    returns: int = 0
    found: int = 0
    rows: int = 0
    dense_rows: int = 0
    asked: int = 0
    differ: int = 0
    noise_differs: int = 0
    judged: int = 0
    right: int = 0
    dense_right: int = 0
    diverged: list[float] = field(default_factory=list)
    noise_diverged: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """As they are written down."""
        counts = {name: value for name, value in vars(self).items() if isinstance(value, int)}
        return {
            **counts,
            'divergence': round(float(np.mean(self.diverged)), 5),
            'noise_divergence': round(float(np.mean(self.noise_diverged)), 5),
        }


def _restore(
    family: Family,
    table: PresetTable,
    kept: tuple[RollingCache, Tail],
    seconds: float,
    keyframes: int,
    found: Restored,
) -> None:
    """Restore a view for the image of a moment, and ask about it."""
    source, tail = kept
    segment, frame = source.ledger.tail, _shot(family, table, seconds)
    assert segment is not None
    assert segment.frame is not None
    found.returns += 1
    plan = _against(segment.frame, frame, EngineConfig())
    if plan.whole or plan.fresh.mean() >= IN_PLACE:
        return
    found.found += 1
    ours = _behind(family, table, seconds, keyframes)
    finish(ours.carrying(segment, source.excerpt(segment)))
    if plan.fresh.any():
        found.rows += finish(tail.refreshing(ours, frame, plan.fresh, catch_up=True)).rows
    else:
        found.rows += finish(tail.catching_up(ours)).rows
    dense, noise = (_behind(family, table, seconds, keyframes) for _ in range(2))
    found.dense_rows += finish(Tail(family).replacing(dense, frame)).rows
    finish(Tail(family).replacing(noise, _shot(family, table, seconds + 1e-6)))
    true = dict(table.questions(seconds, WHOLE_VIEW))
    for text in (*true, *CHANGE):
        told = [greedy_tokens(family, cache, text) for cache in (ours, dense, noise)]
        (first, ids), (dense_first, dense_ids), (noise_first, noise_ids) = told
        found.asked += 1
        found.differ += ids != dense_ids
        found.noise_differs += noise_ids != dense_ids
        found.diverged.append(divergence(dense_first, first))
        found.noise_diverged.append(divergence(dense_first, noise_first))
        if text in true:
            found.judged += 1
            found.right += family.text.decode(ids).strip() == true[text]
            found.dense_right += family.text.decode(dense_ids).strip() == true[text]


def _behind(family: Family, table: PresetTable, seconds: float, keyframes: int) -> RollingCache:
    """A cache with the last seconds as its history."""
    cache, tail = RollingCache(family), Tail(family)
    for number in range(keyframes, 0, -1):
        if seconds - number >= 0:
            finish(tail.replacing(cache, _shot(family, table, seconds - number)))
            cache.promote_tail()
    return cache


def _shot(family: Family, table: PresetTable, seconds: float) -> Frame:
    image = table.render(seconds)
    height, width = image.shape[:2]
    grid = family.grid(height, width, EngineConfig().max_blocks)
    return Frame.from_image(image, grid, stamp=round((1 + seconds) * 1e9))


if __name__ == '__main__':
    main()
