# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A video file as a stream of stamped frames, so that real footage can be recorded and played."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np


@dataclass(frozen=True)
class ClipShot:
    """One frame: stamp in seconds, (H, W, 3) uint8 RGB."""

    stamp: float
    image: np.ndarray


class VideoClip:
    """The first `duration` seconds of a video file.

    Raises:
        ValueError: the file cannot be opened as a video.
    """

    def __init__(self, path: Path, duration: float = float('inf')) -> None:
        self.path = path
        self.duration = duration
        if not path.exists():
            raise ValueError(f'there is no such file: {path}')
        video = cv2.VideoCapture(str(path))
        self.fps = float(video.get(cv2.CAP_PROP_FPS)) if video.isOpened() else 0.0
        if self.fps <= 0.0:
            raise ValueError(f'{path} is not a video that OpenCV can read')

    def stream(self, fps: float) -> Iterator[ClipShot]:
        """Frames at `fps` at most: of the video's own, the nearest before each due time."""
        video = cv2.VideoCapture(str(self.path))
        due, index = 0.0, 0
        while index / self.fps < self.duration:
            read, image = video.read()
            if not read:
                return
            stamp = index / self.fps
            index += 1
            if stamp + 0.5 / self.fps >= due:
                due += 1.0 / fps
                yield ClipShot(stamp, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
