# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Rendered cameras that move over a wide textured wall, with the truth about where they look.

Every case yields what the camera delivers, what is really there, without noise, and how far its
content has moved.  `score` runs a sight over a case, pays at once what it owes, and compares what
stays in use with what is really there.

Knows the sight only from outside: `see`, then `paid`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
from engine.seeing.passing import Painter, band, crossing, hand, passing

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.lattice import Lattice
from vlmaxxing_ros.engine.seeing.sight import Sight

GRID = Grid(8, 12, 28)
FRAMES = 45
RATE = 30.0  # frames per second
_WIDE, _HIGH = 2200, 1600  # pixels of the wall

VISIBLE, AREA = 16, 16
"""A block has visibly changed if so many of its pixels differ by so many grey levels."""


@dataclass(frozen=True)
class Pose:
    """How the content lies in the picture: moved right and down (pixels), turned, enlarged."""

    right: float = 0.0
    down: float = 0.0
    roll: float = 0.0  # degrees
    zoom: float = 1.0


@dataclass(frozen=True)
class CameraPath:
    """One camera: what it does, its pose in each frame, things that move, what its twist says.

    `twist` is the factor by which it is wrong; None: there is none.  `passes` is drawn over what
    it sees; `blank`: the wall has no texture.
    """

    name: str
    pose: Callable[[int], Pose]
    things: int = 0
    twist: float | None = None
    sigma: float = 2.0
    passes: Painter | None = None
    blank: bool = False


def _straight(right: float, down: float = 0.0) -> Callable[[int], Pose]:
    return lambda index: Pose(right * index, down * index)


def _reversing(index: int) -> Pose:
    turn = FRAMES // 2
    return Pose(-7.1 * (index if index < turn else 2 * turn - index))


def _stopping(index: int) -> Pose:
    moved = sum(1 for i in range(index) if i % 15 < 8)
    return Pose(6.0 * moved)


def _shaking(index: int) -> Pose:
    random = np.random.default_rng(index)
    right, down = random.uniform(-3, 3, 2)
    return Pose(float(right), float(down))


@lru_cache(maxsize=1)
def _wall() -> np.ndarray:
    """Texture of several sizes: float32 [_HIGH, _WIDE, 3]."""
    rng = np.random.default_rng(7)
    wall = np.full((_HIGH, _WIDE, 3), 128, np.float32)
    for scale, strength in ((60, 45), (16, 22), (5, 9)):
        coarse = rng.normal(0, strength, (_HIGH // scale + 1, _WIDE // scale + 1, 3))
        wall += cv2.resize(coarse.astype(np.float32), (_WIDE, _HIGH), interpolation=cv2.INTER_CUBIC)
    return np.clip(wall, 8, 247)


CASES = (
    CameraPath('rest', _straight(0)),
    CameraPath('pan of 1 px', _straight(-1)),
    CameraPath('pan of 3.7 px', _straight(3.7)),
    CameraPath('pan of 7.1 px', _straight(-7.1)),
    CameraPath('pan of 10.3 px', _straight(10.3)),
    CameraPath('pan of 14 px', _straight(-14)),
    CameraPath('tilt', _straight(0, 5.3)),
    CameraPath('diagonal', _straight(-4.4, 3.3)),
    CameraPath('reversal', _reversing),
    CameraPath('stop and go', _stopping),
    CameraPath('shake of 3 px', _shaking),
    CameraPath('things that move in a pan', _straight(-5.2), things=3),
    CameraPath('twist half as large', _straight(-7.1), twist=0.5),
    CameraPath('twist half as large again', _straight(-7.1), twist=1.5),
    CameraPath('roll', lambda index: Pose(roll=2.0 * index)),
    CameraPath('zoom', lambda index: Pose(zoom=1.03**index)),
    CameraPath('fast pan', _straight(-64)),
)


BELT = passing(_wall(), band(0.36), 4.0)
WIDE_BELT = passing(_wall(), band(0.1), 4.0)
SLANTED_BELT = passing(_wall(), band(0.2, 0.8, slant=1.0), 4.0, -4.0)
LARGE = passing(_wall(), crossing((0.7, 0.85), -0.35, 0.02), 0.02 * GRID.width)
PERSON = passing(_wall(), crossing((0.25, 0.9), 0.15, 0.02), 0.02 * GRID.width)
HAND = passing(_wall(), hand(0.55), 3.0)

PASSING = tuple(
    CameraPath(f'{name}, {around} around', _straight(0), passes=painter, blank=around == 'nothing')
    for around in ('texture', 'nothing')
    for name, painter in (
        ('belt', BELT),
        ('belt over most of the image', WIDE_BELT),
        ('slanted belt', SLANTED_BELT),
        ('large thing that crosses', LARGE),
        ('hand', HAND),
        ('person', PERSON),
    )
)
"""Cameras that stand still while something passes before them."""


def content(pan: CameraPath, index: int) -> np.ndarray:
    """What is there, without noise: float32 [GRID.height, GRID.width, 3]."""
    pose = pan.pose(index)
    width, height = GRID.width, GRID.height
    if pan.blank:
        return _painted(pan, np.full((height, width, 3), 128, np.float32), index)
    turn = math.radians(pose.roll)
    c, s = math.cos(turn) / pose.zoom, math.sin(turn) / pose.zoom
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    linear = np.array([[c, -s], [s, c]])
    shift = np.array([_WIDE / 2 - pose.right, _HIGH / 2 - pose.down]) - linear @ middle
    matrix = np.column_stack([linear, shift]).astype(np.float32)
    image = cv2.warpAffine(
        _wall(),
        matrix,
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_WRAP,
    )
    for thing in range(pan.things):
        at = (60 + 90 * thing + 3 * index * (thing - 1), 60 + 40 * thing + 2 * index)
        cv2.circle(
            image, (at[0] % width, at[1] % height), 12, (230, 40 * thing, 20), -1, cv2.LINE_AA
        )
    return _painted(pan, image, index)


def _painted(pan: CameraPath, image: np.ndarray, index: int) -> np.ndarray:
    """With what passes before the camera."""
    if pan.passes is not None:
        pan.passes(image, index)
    return image


def delivered(pan: CameraPath, index: int) -> np.ndarray:
    """What the camera makes of it: uint8 [GRID.height, GRID.width, 3]."""
    noise = np.random.default_rng((index, 1)).normal(0, pan.sigma, (GRID.height, GRID.width, 3))
    return np.clip(np.rint(content(pan, index) + noise), 0, 255).astype(np.uint8)


@dataclass
class PathScore:
    """What became of one case.

    Attributes:
        fresh: share of the blocks bought, image by image, without the first.
        whole: images taken whole.
        followed: images of which a piece was planned.
        errors: pixels by which the lattice was off what it follows, image by image.
        missed: block-images that had visibly changed against what is in use, and were not bought;
            `changed`: those that had.
    """

    fresh: list[float] = field(default_factory=list)
    whole: int = 0
    followed: int = 0
    errors: list[float] = field(default_factory=list)
    missed: int = 0
    changed: int = 0


def settings(**changes: object) -> EngineConfig:
    """Nothing expires."""
    values: dict[str, object] = {'max_age': math.inf, 'follow': 'auto', **changes}
    return EngineConfig(**values)  # type: ignore[arg-type]


def frames(
    pan: CameraPath, count: int = FRAMES
) -> Iterator[tuple[Frame, tuple[float, float] | None]]:
    """The images, and what the robot says of how they move."""
    for index in range(count):
        velocity = None
        if pan.twist is not None and index:
            now, before = pan.pose(index), pan.pose(index - 1)
            factor = pan.twist * RATE
            velocity = (now.right - before.right) * factor, (now.down - before.down) * factor
        yield Frame(delivered(pan, index), GRID, round((index + 1) / RATE * 1e9)), velocity


def score(pan: CameraPath, config: EngineConfig, count: int = FRAMES) -> PathScore:
    """Run a sight over a case, paying at once what it owes."""
    found, sight = PathScore(), None
    held = np.zeros((GRID.height, GRID.width, 3), np.float32)
    anchors: dict[int, tuple[float, float]] = {}
    for index, (frame, velocity) in enumerate(frames(pan, count)):
        if sight is None:
            sight = Sight(config, frame, velocity)
        else:
            sight.see(frame, velocity)
        plan = sight.plan
        piece = plan.look.frame
        truth = content(pan, index)
        if piece.anchor:
            lattice = Lattice(GRID, config.follow_margin)
            canvas = lattice.canvas(truth)
            place = (piece.view.x * canvas.shape[1], piece.view.y * canvas.shape[0])
            truth = lattice.cut(canvas, place)
            pose, zoom = pan.pose(index), lattice.zoom
            stands = place[0] - pose.right * zoom[0], place[1] - pose.down * zoom[1]
            first = anchors.setdefault(piece.anchor, stands)
            found.errors.append(math.hypot(stands[0] - first[0], stands[1] - first[1]))
            found.followed += 1
        if index:
            differs = (np.abs(truth - held) >= VISIBLE).any(axis=2)
            per_block = differs.reshape(GRID.rows, 28, GRID.cols, 28).sum(axis=(1, 3))
            changed = per_block >= AREA
            found.changed += int(changed.sum())
            found.missed += int((changed & ~plan.fresh).sum())
            found.fresh.append(float(plan.fresh.mean()))
            found.whole += plan.whole
        mask = np.repeat(np.repeat(plan.fresh, 28, 0), 28, 1)[..., None]
        held = np.where(mask, truth, held)
        sight.paid(plan, plan.fresh)
    return found
