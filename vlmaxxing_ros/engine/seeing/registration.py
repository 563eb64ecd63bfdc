# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Where on a canvas a piece of it lies that was seen before, to a fraction of a pixel.

Iterated least squares on the green channel (Lucas and Kanade, 1981), coarse to fine, against the
pixels that are in use and never against the image before, so that errors do not add up.  What
moves by itself is left out.  Knows images; knows nothing of blocks.

OpenCV's `findTransformECC` is not used: it has no place for what is to be left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vlmaxxing_ros.engine.seeing.pieces import Place, cut

BELIEVED = 8.0
"""Pixels from where it was guessed beyond which an answer is not believed."""

_LEVELS = 2  # halvings: what is compared has a quarter of the pixels, first a sixteenth
_STEPS = 6  # of each level, at most
_DONE = 0.01  # pixels of a level
_DROPPED = 3.0  # times the median difference: beyond, a pixel belongs to something else
_PIXELS = 6000  # that are looked at, about
_FEW = 5  # one of so many has a say in what is usual
_STEEP = 0.25  # of the mean squared gradient: below, a pixel says little of where it is
_LEAST = 1.5  # grey levels that are never dropped
_FLAT = 1e-3  # mean squared gradient below which there is nothing to go by


def register(canvas: np.ndarray, piece: np.ndarray, guesses: Sequence[Place]) -> Place:
    """Find the piece on the canvas, both uint8 [h, w, 3], near the best of some guesses.

    Returns the guess itself where what is found is more than `BELIEVED` from it.
    """
    canvases, pieces = _pyramid(canvas), _pyramid(piece)
    coarse = 2.0**_LEVELS
    first = min(
        (_scaled(guess, 1 / coarse) for guess in guesses),
        key=lambda place: _distance(canvases[-1], pieces[-1], place),
    )
    place = first
    for level in range(_LEVELS, 0, -1):
        place = _descend(canvases[level - 1], pieces[level - 1], place)
        place = _scaled(place, 2.0)
    guess = _scaled(first, coarse)
    apart = max(abs(place[0] - guess[0]), abs(place[1] - guess[1]))
    return place if apart <= BELIEVED else guess


def _pyramid(image: np.ndarray) -> list[np.ndarray]:
    """The green channel halved, and halved again: float32 [h, w] each."""
    level, levels = cv2.extractChannel(image, 1), []
    for _ in range(_LEVELS):
        level = cv2.pyrDown(level)
        levels.append(level.astype(np.float32))
    return levels


def _scaled(place: Place, factor: float) -> Place:
    return place[0] * factor, place[1] * factor


def _at(canvas: np.ndarray, piece: np.ndarray, place: Place) -> np.ndarray:
    """What the canvas shows where the piece is thought to be."""
    return cut(canvas, place, piece.shape[1], piece.shape[0])


def _distance(canvas: np.ndarray, piece: np.ndarray, place: Place) -> float:
    """Mean difference, clipped."""
    return float(np.minimum(np.abs(_at(canvas, piece, place) - piece), 24.0).mean())


def _descend(canvas: np.ndarray, piece: np.ndarray, place: Place) -> Place:
    """Move the place to where the difference is least."""
    across = cv2.Scharr(piece, cv2.CV_32F, 1, 0, scale=1 / 32).ravel()
    along = cv2.Scharr(piece, cv2.CV_32F, 0, 1, scale=1 / 32).ravel()
    slope = across * across + along * along
    # Most of a screen or a wall is flat: what is usual there says nothing of its edges.
    every = np.flatnonzero(slope > _STEEP * slope.mean())
    steep = every[:: max(1, every.size // _PIXELS)]
    if not steep.size:
        return place
    x_of, y_of, was = across[steep], along[steep], piece.ravel()[steep]
    flat = _FLAT * steep.size
    right, down = place
    for _ in range(_STEPS):
        rest = _at(canvas, piece, (right, down)).ravel()[steep] - was
        rest -= np.median(rest[::_FEW])  # another light
        size = np.abs(rest)
        kept = size <= max(_LEAST, _DROPPED * float(np.median(size[::_FEW])))
        x, y, rest = x_of[kept], y_of[kept], rest[kept]
        xx, yy, xy = float(x @ x), float(y @ y), float(x @ y)
        if xx < flat or yy < flat:
            return place
        scale = 1 / ((xx + flat) * (yy + flat) - xy * xy)
        to_x, to_y = float(x @ rest), float(y @ rest)
        step = ((yy + flat) * to_x - xy * to_y) * scale, ((xx + flat) * to_y - xy * to_x) * scale
        # Where the canvas shows the piece's left neighbour, the piece lies further right.
        right, down = right - _short(step[0]), down - _short(step[1])
        if max(map(abs, step)) < _DONE:
            break
    return right, down


def _short(step: float) -> float:
    """A step no longer than linear differences reach."""
    return min(max(step, -1.5), 1.5)
