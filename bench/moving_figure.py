# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The picture in docs/moving.md: an image of a pan, planned with the lattice that follows and not.

`python -m bench.moving_figure` writes docs/figures/following.png.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from bench.moving_world import Sweep
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.overlay import draw_overlay
from vlmaxxing_ros.engine.seeing.sight import Sight

FIGURE = Path(__file__).parents[1] / 'docs' / 'figures' / 'following.png'
GRID = Grid(6, 8, 28)
STEP, PERIOD, IMAGES = 7.0, 0.1, 20


def main() -> None:
    """Draw both and put them side by side."""
    pictures = [drawn(follow) for follow in ('off', 'auto')]
    height = max(picture.shape[0] for picture in pictures)
    padded = [
        cv2.copyMakeBorder(p, 0, height - p.shape[0], 0, 8, cv2.BORDER_CONSTANT, value=(24, 24, 28))
        for p in pictures
    ]
    FIGURE.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(FIGURE), np.concatenate(padded, axis=1)[..., ::-1])


def drawn(follow: str) -> np.ndarray:
    """The last image of the pan: uint8 [height, width, 3]."""
    world = Sweep(seed=90_001, step=STEP, shake=0.0, period=PERIOD)
    sight, bought = None, 0
    for index in range(IMAGES):
        seconds = index * PERIOD
        frame = Frame(world.render(seconds), GRID, round((1 + seconds) * 1e9))
        if sight is None:
            sight = Sight(EngineConfig(follow=follow), frame)
        else:
            bought += int(sight.see(frame).fresh.sum())
        plan = sight.plan
        sight.paid(plan, plan.fresh)
    share = bought / ((IMAGES - 1) * GRID.blocks)
    paid = f'{share:.0%} of the blocks of {IMAGES - 1} images paid'
    lines = [f'follow: {follow}', paid]
    return draw_overlay(plan, lines)


if __name__ == '__main__':
    main()
