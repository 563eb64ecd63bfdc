# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Pictures for the report: overlays of what was paid for, and the frames of drifted answers."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.overlay import draw_overlay
from vlmaxxing_ros.evaluation.arms import Admission
from vlmaxxing_ros.evaluation.evaluate import Replayed

ANIMATED = 48
"""Frames of the animation at most."""

STILLS = 4

_HEIGHT = 84  # of a thumbnail, pixels
_FRAME_MS = 150


class OverlayRecorder:
    """Keeps overlays of one stream's frames, thinned out so that they cover all of it."""

    def __init__(self) -> None:
        self._kept: list[np.ndarray] = []
        self._stride, self._count = 1, 0
        self._first = 0

    def __call__(self, frame: Frame, admission: Admission) -> None:
        """Draw the overlay of a frame, if it is kept."""
        plan = admission.frame_plan
        if plan is None:
            return
        self._first = self._first or frame.stamp
        if self._count % self._stride == 0:
            taken = f'{admission.kind}: {admission.blocks} blocks encoded and prefilled'
            seconds = (frame.stamp - self._first) * 1e-9
            self._kept.append(draw_overlay(plan, [f'{seconds:.1f} s, {taken}']))
        self._count += 1
        if len(self._kept) > ANIMATED:
            self._kept, self._stride = self._kept[::2], self._stride * 2

    def save(self, folder: Path) -> None:
        """Write `overlay.webp`, animated, and some stills."""
        if not self._kept:
            return
        folder.mkdir(parents=True, exist_ok=True)
        height = max(image.shape[0] for image in self._kept)
        frames = [_bgr(_padded(image, height)) for image in self._kept]
        animation = cv2.Animation()
        animation.frames = frames
        animation.durations = [_FRAME_MS] * len(frames)
        options = [cv2.IMWRITE_WEBP_QUALITY, 70]
        cv2.imwriteanimation(str(folder / 'overlay.webp'), animation, options)
        for number in range(STILLS):
            still = frames[(len(frames) - 1) * number // (STILLS - 1)]
            cv2.imwrite(str(folder / f'still{number}.png'), still)


def strips(stream: Replayed, windows: Iterable[Iterable[int]]) -> list[bytes]:
    """For each window, its frames side by side, oldest first, as JPEG."""
    wanted = [list(window) for window in windows]
    needed = {stamp for window in wanted for stamp in window}
    found: dict[int, np.ndarray] = {}
    for image in stream.images():
        if image.stamp in needed:
            found.setdefault(image.stamp, _bgr(_scaled(image.pixels)))
    pictures = []
    for window in wanted:
        gap = ((0, 0), (0, 2), (0, 0))
        row = np.hstack([np.pad(found[stamp], gap, constant_values=255) for stamp in window])
        _, data = cv2.imencode('.jpg', row, [cv2.IMWRITE_JPEG_QUALITY, 80])
        pictures.append(data.tobytes())
    return pictures


def data_uri(data: bytes, kind: str) -> str:
    """Bytes as an address that a page can carry inside itself."""
    return f'data:image/{kind};base64,{base64.b64encode(data).decode()}'


def _padded(image: np.ndarray, height: int) -> np.ndarray:
    """Made as high as the highest, with more of the panel's last row."""
    return np.pad(image, ((0, height - image.shape[0]), (0, 0), (0, 0)), mode='edge')


def _scaled(image: np.ndarray) -> np.ndarray:
    """A thumbnail."""
    width = max(1, round(image.shape[1] * _HEIGHT / image.shape[0]))
    return cv2.resize(image, (width, _HEIGHT), interpolation=cv2.INTER_AREA)


def _bgr(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
