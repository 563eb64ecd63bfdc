# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What it would spare to keep the views of a head that returns to presets.  Nothing keeps them.

`python -m bench.moving_views` counts, for a pan-tilt head over real clips, what is bought whole
although an earlier whole image of the same preset differs in fewer blocks than make a frame whole:
where everything is paid at once, and in the node, in simulated time.  It is a bound: a view is
found whatever lattice it was bought on, and all but its changed blocks are spared.  What restored
views answer is `moving_restored`.  Adds both to docs/results/moving.json and moving.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import mlx.core as mx

from bench import live_simulated
from bench.moving import FOOTAGE, MODES, PANNED, RESULTS, clip
from bench.moving_head import Head, shown
from bench.moving_page import page
from bench.moving_restored import HISTORY, against, answers
from vlmaxxing_ros.engine.cache.ledger import Ledger
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.seeing.frame import Frame, fit_grid
from vlmaxxing_ros.engine.seeing.sight import Sight
from vlmaxxing_ros.engine.stream.decision import SETTLE_AFTER

KEPT = 4  # views
HEADS = (Head(3.0, 1.0), Head(3.0, 0.3), Head(8.0, 1.0))
RATE = 10.0  # images per second
SECONDS = 120.0
PAUSES = (0.0, 3.0, 10.0)  # s from one question to the next; 0: nobody asks
QUESTIONS = 20
WHOLE = 1.2  # s of a whole frame
CLIP = 600  # images


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
        plans = [against(view, frame, self.config) for view in before]
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


if __name__ == '__main__':
    main()
