# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Rendered streams in which something easy to overlook happens, with the truth about it.

Every case yields, frame by frame, what the camera delivers and what is really there: the content
in neutral light, without noise or shake.  Knows nothing of planners.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vlmaxxing_ros.engine.seeing.frame import Grid

GRID = Grid(12, 16, 28)
FRAMES = 20
RATE = 30.0  # frames per second

_MARGIN = 128

Step = tuple[np.ndarray, np.ndarray]
"""Delivered (uint8 [height, width, 3]) and content (float32 [height, width, 3])."""


@dataclass(frozen=True)
class Case:
    """One stream: its name, what happens in it, and how to render it from a seed."""

    name: str
    about: str
    render: Callable[[np.random.Generator], Iterator[Step]]

    def steps(self, seed: int = 0) -> Iterator[Step]:
        """The stream, frame by frame."""
        return self.render(np.random.default_rng(seed))


def background(rng: np.random.Generator, width: int = GRID.width) -> np.ndarray:
    """A room: soft gradients, texture, hard edges, a window that is blown out, a dark corner."""
    height = GRID.height
    image = cv2.resize(
        rng.uniform(60, 180, (7, 9, 3)), (width, height), interpolation=cv2.INTER_CUBIC
    )
    for scale, strength in ((2, 6), (8, 10)):
        coarse = rng.normal(0, strength, (height // scale, width // scale, 3))
        image += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    for _ in range(14):
        x, y = int(rng.integers(0, width - 60)), int(rng.integers(0, height - 60))
        w, h = (int(v) for v in rng.integers(10, 60, 2))
        image[y : y + h, x : x + w] = rng.uniform(30, 220, 3) + rng.normal(0, 3, (h, w, 1))
    image[:70, :90] = 300.0
    image[-60:, -80:] = 8.0 + rng.normal(0, 2, (60, 80, 1))
    return np.maximum(image, 0).astype(np.float32)


def delivered(
    content: np.ndarray,
    rng: np.random.Generator,
    *,
    sigma: float = 1.0,
    light: float | np.ndarray = 1.0,
) -> np.ndarray:
    """What the camera makes of it."""
    y, x = rng.integers(0, _MARGIN, 2)
    noise = _noise()[y : y + content.shape[0], x : x + content.shape[1]]
    seen = content * np.float32(light) + np.float32(sigma) * noise
    return np.clip(np.rint(seen, out=seen), 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def _noise() -> np.ndarray:
    """Gaussian noise to cut frames from: as good as new at another place, and much cheaper."""
    shape = (GRID.height + _MARGIN, GRID.width + _MARGIN, 3)
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def lamps(rng: np.random.Generator, count: int = 12, size: int = 4) -> list[tuple[int, int]]:
    """Places (y, x) of small squares, at any alignment but inside one block, in mid-tones."""
    rows = rng.integers(3, GRID.rows - 3, count)
    cols = rng.integers(4, GRID.cols - 4, count)
    y = rows * GRID.block + rng.integers(0, GRID.block - size + 1, count)
    x = cols * GRID.block + rng.integers(0, GRID.block - size + 1, count)
    return list(zip(y.tolist(), x.tolist(), strict=True))


def toggle(
    image: np.ndarray, places: list[tuple[int, int]], index: int, change: float, size: int = 4
) -> np.ndarray:
    """Lamps that are on in half of the frames, each in its own rhythm."""
    image = image.copy()
    for number, (y, x) in enumerate(places):
        if (index + number) // (2 + number % 3) % 2:
            patch = image[y : y + size, x : x + size]
            patch += np.where(patch.mean() < 128, change, -change).astype(np.float32)
    return image


def _lamps(
    change: float, sigma: float, light: Callable[[int], float | np.ndarray]
) -> Callable[[np.random.Generator], Iterator[Step]]:
    """Lamps toggle in some light and noise."""

    def render(rng: np.random.Generator) -> Iterator[Step]:
        room, places = background(rng), lamps(rng)
        for index in range(FRAMES):
            content = toggle(room, places, index, change)
            yield delivered(content, rng, sigma=sigma, light=light(index)), content

    return render


def _steady(index: int) -> float:
    return 1.0


def _exposure(index: int) -> float:
    return 0.7 if index // 6 % 2 else 1.0


def _step(rng: np.random.Generator) -> Iterator[Step]:
    """As much darker, in all levels alike, as the outdoor clip gets at its exposure step."""
    room, places = background(rng), lamps(rng)
    for index in range(FRAMES):
        content = toggle(room, places, index, 60)
        yield delivered(content - (18 if index // 6 % 2 else 0), rng, sigma=2.0), content


def _ramp(index: int) -> float:
    return 0.985**index


def _flicker(index: int) -> float:
    """A lamp on 50 Hz mains, seen by a global shutter."""
    return 1.0 + 0.15 * math.sin(2 * math.pi * 100 * index / RATE * 1.003)


def _bands(index: int) -> np.ndarray:
    """The same through a rolling shutter that takes 17 ms for the frame."""
    row = np.arange(GRID.height, dtype=np.float32)[:, None, None]
    seconds = index / RATE * 1.003 + row / GRID.height * 0.017
    return (1.0 + 0.12 * np.sin(2 * np.pi * 100 * seconds)).astype(np.float32)


def _cable(rng: np.random.Generator) -> Iterator[Step]:
    room = background(rng)
    for index in range(FRAMES):
        content = room.copy()
        if index % 8 >= 2:
            slide = 6 * (index % 8)
            start, end = (20 + slide, 80), (150 + slide, 300)
            cable = cv2.line(np.zeros(room.shape[:2], np.uint8), start, end, 1, 2)
            content[cable > 0] = np.where(room[cable > 0].mean(axis=1) < 110, 160, 40)[:, None]
        yield delivered(content, rng, sigma=2.0), content


def _equal_luma(rng: np.random.Generator) -> Iterator[Step]:
    room, places = background(rng), lamps(rng, size=12)
    # Y = 0.299 R + 0.587 G + 0.114 B is 71 for both.
    colours = np.array([[200.0, 10.0, 47.0], [10.0, 109.0, 35.0]], np.float32)
    for index in range(FRAMES):
        content = room.copy()
        for number, (y, x) in enumerate(places):
            content[y : y + 12, x : x + 12] = colours[(index + number) // 3 % 2]
        yield delivered(content, rng, sigma=2.0), content


def _fade(rng: np.random.Generator) -> Iterator[Step]:
    room, places = background(rng), lamps(rng, size=16)
    for index in range(2 * FRAMES):
        content = room.copy()
        for y, x in places:
            content[y : y + 16, x : x + 16] += 1.0 * index
        yield delivered(content, rng, sigma=1.0), content


def _stripes(rng: np.random.Generator) -> Iterator[Step]:
    """Stripes of two pixels change places with their gaps: no 4x4 mean ever moves."""
    room, places = background(rng), lamps(rng, size=12)
    stripes = np.where(np.arange(12) // 2 % 2, 30.0, -30.0).astype(np.float32)[:, None, None]
    for index in range(FRAMES):
        content = room.copy()
        for number, (y, x) in enumerate(places):
            sign = 1 if (index + number) // 3 % 2 else -1
            content[y : y + 12, x : x + 12] = 120 + sign * stripes
        yield delivered(content, rng, sigma=2.0), content


def _jitter(rng: np.random.Generator) -> Iterator[Step]:
    room, places = background(rng), lamps(rng)
    for index in range(FRAMES):
        content = toggle(room, places, index, 80)
        shift = np.array([[1, 0, rng.uniform(-1, 1)], [0, 1, rng.uniform(-1, 1)]])
        shaken = cv2.warpAffine(
            content, shift, (GRID.width, GRID.height), borderMode=cv2.BORDER_REPLICATE
        )
        yield delivered(shaken, rng, sigma=2.0), content


def _pan(rng: np.random.Generator) -> Iterator[Step]:
    wide = background(rng, GRID.width + 2 * FRAMES)
    for index in range(FRAMES):
        content = wide[:, 2 * index : 2 * index + GRID.width]
        yield delivered(content, rng, sigma=1.0), content


def _cut(rng: np.random.Generator) -> Iterator[Step]:
    rooms = [background(rng), background(rng)[::-1, ::-1].copy()]
    for index in range(FRAMES):
        content = rooms[index // 6 % 2]
        yield delivered(content, rng, sigma=2.0), content


def _walker(rng: np.random.Generator) -> Iterator[Step]:
    """Something grey and textured, two fifths of the frame, crosses it."""
    room = background(rng)
    body = 90 + rng.normal(0, 12, (280, 190, 1)).astype(np.float32)
    for index in range(FRAMES):
        content = room.copy()
        x = -180 + 28 * index
        left, right = max(0, x), min(GRID.width, x + 190)
        if left < right:
            content[40:320, left:right] = body[:, left - x : right - x]
        yield delivered(content, rng, sigma=2.0), content


CASES = [
    Case('still', 'nothing happens, noise of sigma 1', _lamps(0, 1.0, _steady)),
    Case('lamps', 'lamps of 4x4 px toggle by 60', _lamps(60, 2.0, _steady)),
    Case('dim lamps', 'lamps of 4x4 px toggle by 16, no noise', _lamps(16, 0.0, _steady)),
    Case('cable', 'a cable of 2 px appears, slides, disappears', _cable),
    Case('equal luma', 'red turns green at equal luma', _equal_luma),
    Case('exposure', 'exposure x0.7 and back; lamps', _lamps(60, 2.0, _exposure)),
    Case('exposure step', '18 levels darker and back; lamps', _step),
    Case('exposure ramp', 'exposure falls by 1.5 % per frame; lamps', _lamps(60, 2.0, _ramp)),
    Case('flicker', '100 Hz, 15 %; lamps', _lamps(60, 2.0, _flicker)),
    Case('bands', 'rolling-shutter bands, 12 %; lamps', _lamps(60, 2.0, _bands)),
    *(
        Case(f'noise {sigma}', f'noise of sigma {sigma}; lamps', _lamps(60, sigma, _steady))
        for sigma in (1, 2, 3, 5, 8)
    ),
    Case('fade', 'squares brighten by 1 per frame', _fade),
    Case('stripes', '2 px stripes change places with their gaps', _stripes),
    Case('jitter', 'the camera shakes by up to 1 px; lamps', _jitter),
    Case('pan', 'slow pan, 2 px per frame', _pan),
    Case('cut', 'hard cuts', _cut),
    Case('walker', 'something large walks through', _walker),
]
