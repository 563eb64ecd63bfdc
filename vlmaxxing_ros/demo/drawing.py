# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Polygons, shadows and grounds, as rendered worlds are drawn from.

Knows nothing of what they stand for.
"""

from __future__ import annotations

import cv2
import numpy as np

FIXED_POINT = 4
"""Fractional bits of the polygon coordinates handed to OpenCV."""


def draw_ground(rng: np.random.Generator, size: tuple[int, int], margin: int) -> np.ndarray:
    """The empty table with its texture and clutter, (H + 2 margin, W + 2 margin, 3) uint8."""
    height, width = size[0] + 2 * margin, size[1] + 2 * margin
    level = rng.uniform(70, 190)
    base = level + rng.uniform(-14, 14, 3)
    coarse = rng.normal(0, rng.uniform(2, 9), (int(rng.integers(3, 9)), int(rng.integers(3, 9))))
    coarse = coarse.astype(np.float32)
    texture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, rng.uniform(0, 6), (1, max(4, width // 3))).astype(np.float32)
    grain_x = cv2.resize(grain, (width, height))
    slope = np.linspace(-1, 1, width, dtype=np.float32)[None] * rng.uniform(-12, 12)
    table = base + (texture + grain_x + slope)[..., None]
    ground = np.clip(table, 0, 255).astype(np.uint8)
    unit = min(size)
    for _ in range(int(rng.integers(0, 6))):
        grey = float(rng.uniform(30, 235))
        rgb = np.clip(grey + rng.uniform(-10, 10, 3), 0, 255)
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        kind = rng.integers(0, 3)
        if kind == 0:
            radius = int(unit * rng.uniform(0.02, 0.06))
            cv2.circle(ground, (int(x), int(y)), radius, rgb.tolist(), -1, cv2.LINE_AA)
        elif kind == 1:
            turn, length = rng.uniform(0, np.pi), unit * rng.uniform(0.2, 0.8)
            end = (int(x + length * np.cos(turn)), int(y + length * np.sin(turn)))
            thick = max(1, int(unit * rng.uniform(0.008, 0.025)))
            cv2.line(ground, (int(x), int(y)), end, rgb.tolist(), thick, cv2.LINE_AA)
        else:
            w, h = unit * rng.uniform(0.03, 0.14, 2)
            corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
            fill(ground, corners, rgb)
    return ground


def fill(canvas: np.ndarray, corners: np.ndarray, rgb: np.ndarray) -> None:
    """Paint a convex polygon: corners float [n, 2] as (x, y), rgb float [3]."""
    points = np.round(corners * 2**FIXED_POINT).astype(np.int32)
    color = np.clip(rgb, 0, 255).tolist()
    cv2.fillConvexPoly(canvas, points, color, cv2.LINE_AA, FIXED_POINT)


def shade(canvas: np.ndarray, corners: np.ndarray, factor: float) -> None:
    """Darken a polygon: the shadow that a block casts."""
    x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    x1, y1 = np.ceil(corners.max(0)).astype(int) + 1
    patch = canvas[y0:y1, x0:x1]
    if patch.size == 0:
        return
    mask = np.zeros(patch.shape[:2], np.uint8)
    points = np.round((corners - (x0, y0)) * 2**FIXED_POINT).astype(np.int32)
    cv2.fillConvexPoly(mask, points, 255, cv2.LINE_AA, FIXED_POINT)
    dim = 1 - (1 - factor) * (mask.astype(np.float32) / 255)
    patch[:] = (patch * dim[..., None]).astype(np.uint8)
