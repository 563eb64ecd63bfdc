# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A robot's tabletop, rendered with its ground truth.

One seed gives one world: blocks of six colours (at most one of each) that rest, move, appear and
disappear, a gripper that opens and closes, clutter, shadows, and a camera with noise, drifting
light, lamp flicker, exposure steps, jitter and a slow pan. Any instant can be rendered in any
order, so a stream may be sampled at any rate and a question may be asked at any time.

Knows nothing about models, questions or ROS.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from vlmaxxing_ros.demo.drawing import draw_ground, fill, shade
from vlmaxxing_ros.demo.tabletop_camera import TabletopCamera, draw_camera, instant_number, noise
from vlmaxxing_ros.demo.tabletop_events import plan_events
from vlmaxxing_ros.demo.tabletop_state import COLORS, Block, Event, Shot, State


class Tabletop:
    """A seeded world with a camera above it.

    seed: everything follows from it.
    size: (height, width) of the picture in pixels.
    duration: seconds for which events are planned; afterwards the world rests.
    pause: mean seconds between the end of one event and the start of the next; inf for none.
    camera: None draws one from the seed.

    Raises ValueError for a picture under 56 pixels or a negative duration.
    """

    def __init__(
        self,
        *,
        seed: int,
        size: tuple[int, int] = (112, 112),
        duration: float = 8.0,
        pause: float = 2.0,
        camera: TabletopCamera | None = None,
    ) -> None:
        if min(size) < 56:
            raise ValueError(f'size {size}: both sides must be at least 56 pixels')
        if duration < 0 or pause < 0:
            raise ValueError('duration and pause must not be negative')
        self.seed = seed
        self.size = size
        self.duration = duration
        rng = np.random.default_rng((seed, 0x7AB1E))
        self.camera = camera or draw_camera(rng, duration)
        self._paint = {
            name: tuple(int(np.clip(v + rng.integers(-12, 13), 0, 255)) for v in rgb)
            for name, rgb in COLORS.items()
        }
        self._gripper = float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.85, 1.15))
        self._metal = int(rng.integers(60, 200))
        self._epochs = plan_events(rng, duration, pause, self._gripper[0])
        self._starts = [epoch.start for epoch in self._epochs]
        self._margin = math.ceil(0.07 * max(size)) + 3
        self._ground = draw_ground(rng, size, self._margin)
        self._drawn: tuple[object, np.ndarray] | None = None

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that happens, in order."""
        return tuple(epoch.event for epoch in self._epochs if epoch.event is not None)

    def state(self, stamp: float) -> State:
        """Ground truth at `stamp` seconds."""
        blocks, opening = self._world(stamp)
        dx, dy = self._offset(stamp)
        height, width = self.size
        placed = {b.color: (b.x, b.y) for b in blocks}
        seen = {c: (x - dx / width, y - dy / height) for c, (x, y) in placed.items()}
        x, scale = self._gripper
        fingers = x - dx / width, (0.21 * scale * min(self.size) - dy) / height
        return State(stamp, seen, placed, opening, fingers)

    def render(self, stamp: float) -> np.ndarray:
        """The picture at `stamp` seconds: (H, W, 3) uint8 RGB."""
        crop = self.clean(stamp)
        camera = self.camera
        gain = self._gain(stamp)
        if camera.noise == 0 and gain == 1 and camera.tint == (1, 1, 1):
            return crop
        picture = crop.astype(np.float32)
        picture *= np.asarray(camera.tint, np.float32) * np.float32(gain)
        if camera.noise > 0:
            picture += noise(picture.shape, instant_number(self.seed, stamp, 3)) * np.float32(
                camera.noise
            )
        np.clip(picture, 0, 255, out=picture)
        return picture.astype(np.uint8)

    def clean(self, stamp: float) -> np.ndarray:
        """The picture before light and noise, (H, W, 3) uint8.

        Two of them differ only where something moved, or the camera did.
        """
        canvas = self._canvas(stamp)
        height, width = self.size
        dx, dy = self._offset(stamp)
        m = self._margin
        if dx == 0 and dy == 0:
            return canvas[m : m + height, m : m + width].copy()
        center = (m + (width - 1) / 2 + dx, m + (height - 1) / 2 + dy)
        return cv2.getRectSubPix(canvas, (width, height), center)

    def stream(self, fps: float, start: float = 0.0) -> Iterator[Shot]:
        """Frames from `start` to the end of `duration` at `fps` per second."""
        for index in range(round((self.duration - start) * fps)):
            stamp = start + index / fps
            yield Shot(stamp, self.render(stamp), self.state(stamp))

    def _world(self, stamp: float) -> tuple[tuple[Block, ...], float]:
        epoch = self._epochs[max(0, bisect.bisect_right(self._starts, stamp) - 1)]
        event = epoch.event
        if event is None or event.kind not in ('move', 'open', 'close'):
            return epoch.blocks, epoch.opening
        done = min(1.0, max(0.0, (stamp - event.start) / (event.end - event.start)))
        if event.kind == 'move':
            moved = tuple(
                replace(
                    b,
                    x=b.x + done * (epoch.target[0] - b.x),
                    y=b.y + done * (epoch.target[1] - b.y),
                )
                if b.color == event.color
                else b
                for b in epoch.blocks
            )
            return moved, epoch.opening
        opening = done if event.kind == 'open' else 1.0 - done
        return epoch.blocks, opening

    def _offset(self, stamp: float) -> tuple[float, float]:
        """Where the camera looks, in pixels from its middle."""
        camera = self.camera
        height, width = self.size
        swing = math.sin(2 * math.pi * stamp / camera.pan_period)
        dx, dy = camera.pan[0] * width * swing, camera.pan[1] * height * swing
        if camera.jitter > 0:
            dx += camera.jitter * (instant_number(self.seed, stamp, 1) % 2001 / 1000 - 1)
            dy += camera.jitter * (instant_number(self.seed, stamp, 2) % 2001 / 1000 - 1)
        return dx, dy

    def _gain(self, stamp: float) -> float:
        camera = self.camera
        gain = 1.0 + camera.drift * math.sin(2 * math.pi * stamp / camera.drift_period)
        gain *= 1.0 + camera.flicker * math.sin(2 * math.pi * camera.flicker_hz * stamp)
        for since, factor in camera.steps:
            if stamp >= since:
                gain *= factor
        return gain

    def _canvas(self, stamp: float) -> np.ndarray:
        """The table with everything on it, wider than the picture by the margin."""
        blocks, opening = self._world(stamp)
        key = (blocks, opening)
        if self._drawn is not None and self._drawn[0] == key:
            return self._drawn[1]
        canvas = self._ground.copy()
        for block in sorted(blocks, key=lambda b: b.y):
            self._draw_block(canvas, block)
        self._draw_gripper(canvas, opening)
        self._drawn = (key, canvas)
        return canvas

    def _draw_block(self, canvas: np.ndarray, block: Block) -> None:
        height, width = self.size
        unit = min(self.size)
        half = 0.5 * block.size * unit
        rise = 0.35 * half
        cx = self._margin + block.x * width
        cy = self._margin + block.y * height
        turn = block.angle + np.pi / 4 + np.arange(4) * np.pi / 2
        corners = np.stack([cx + 1.2 * half * np.cos(turn), cy + 1.2 * half * np.sin(turn)], 1)
        shade(canvas, corners + (1.1 * rise, 1.5 * rise), 0.62)
        rgb = np.array(self._paint[block.color], np.float32)
        side = np.concatenate([corners, corners + (0, rise)])
        hull = cv2.convexHull(side.astype(np.float32))[:, 0]
        fill(canvas, hull, rgb * 0.62)
        fill(canvas, corners, rgb)
        fill(canvas, (corners - (cx, cy)) * 0.55 + (cx - rise / 3, cy - rise / 3), rgb * 1.12)

    def _draw_gripper(self, canvas: np.ndarray, opening: float) -> None:
        unit = min(self.size)
        x = self._margin + self._gripper[0] * self.size[1]
        scale = self._gripper[1] * unit
        top = 0.0
        palm = self._margin + 0.06 * scale
        spread = (0.022 + 0.088 * opening) * scale
        dark, light = self._metal * 0.45, float(self._metal)

        def box(x0: float, y0: float, x1: float, y1: float, level: float) -> None:
            corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
            fill(canvas, corners, np.full(3, level))

        box(x - 0.05 * scale, top, x + 0.05 * scale, palm, dark)
        box(x - 0.14 * scale, palm, x + 0.14 * scale, palm + 0.05 * scale, light)
        for way in (-1, 1):
            inner, outer = x + way * (spread - 0.02 * scale), x + way * (spread + 0.025 * scale)
            box(min(inner, outer), palm + 0.05 * scale, max(inner, outer), palm + 0.2 * scale, dark)


def changed_blocks(
    before: np.ndarray, after: np.ndarray, block: int = 28, level: int = 8
) -> np.ndarray:
    """Which blocks of the grid hold a pixel that differs by more than `level` grey levels.

    Takes two (H, W, 3) uint8 pictures (use `Tabletop.clean` for the truth without noise and
    light) and returns (H // block, W // block) bool. A remainder at the edges is not looked at.
    """
    rows, cols = before.shape[0] // block, before.shape[1] // block
    difference = cv2.absdiff(before, after)[: rows * block, : cols * block]
    tiles = difference.reshape(rows, block, cols, block * before.shape[2])
    return tiles.max(axis=(1, 3)) > level
