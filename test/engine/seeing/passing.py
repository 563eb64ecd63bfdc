# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What passes before a camera and is not the camera's motion: a belt, a hand, a person.

Each painter draws over an image (float32 [h, w, 3]), in place, as it is in one frame.  Knows
surfaces and outlines; knows nothing of cameras.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

Painter = Callable[[np.ndarray, int], None]
Outline = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""Where it is: columns and rows in fractions of the image, number of the frame -> a mask."""


def passing(surface: np.ndarray, outline: Outline, right: float, down: float = 0.0) -> Painter:
    """Something whose surface moves so many pixels per frame, seen where its outline is."""

    def paint(image: np.ndarray, index: int) -> None:
        height, width = image.shape[:2]
        corner = 900 - right * index, 700 - down * index
        matrix = np.array([[1, 0, corner[0]], [0, 1, corner[1]]], np.float32)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(surface, matrix, (width, height), flags=flags)
        across, along = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
        mask = outline(across, along, index)
        image[mask] = seen[mask]

    return paint


def band(top: float, bottom: float = 1.0, slant: float = 0.0) -> Outline:
    """A belt between two heights; `slant` heights per width it climbs."""

    def outline(across: np.ndarray, along: np.ndarray, index: int) -> np.ndarray:
        height = along + slant * (across - 0.5)
        mask: np.ndarray = (height >= top) & (height < bottom)
        return mask

    return outline


def crossing(size: tuple[float, float], begins: float, speed: float) -> Outline:
    """A box of a width and height that goes right from somewhere, so many widths per frame."""

    def outline(across: np.ndarray, along: np.ndarray, index: int) -> np.ndarray:
        left = begins + speed * index
        mask: np.ndarray = (across >= left) & (across < left + size[0]) & (along >= 1 - size[1])
        return mask

    return outline


def hand(radius: float) -> Outline:
    """A hand from below that goes to and fro, close before the camera."""

    def outline(across: np.ndarray, along: np.ndarray, index: int) -> np.ndarray:
        middle = 0.5 + 0.06 * math.sin(index / 3), 0.75
        far = np.hypot((across - middle[0]) * 1.2, along - middle[1])
        mask: np.ndarray = far < radius
        return mask

    return outline
