# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Video files and network streams, read by OpenCV, each image with the container's own time.

Knows nothing of ROS messages and of pace.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

Image = tuple[int, np.ndarray]
"""Time since the beginning in ns; BGR, uint8 [height, width, 3]."""


class VideoError(Exception):
    """A video that cannot be read; the text says what to do."""


class Video:
    """An open video.

    Args:
        source: a file, or an address such as rtsp://camera/stream.

    Attributes:
        remark: what is to be said about it, once it was read.

    Raises:
        VideoError: it cannot be opened.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self.remark = ''
        self._capture = cv2.VideoCapture(source)
        if not self._capture.isOpened():
            raise VideoError(
                f'{source} is no video that OpenCV can read: is it whole (an .mp4 that was not '
                'closed has no index), does the address answer?'
            )

    def close(self) -> None:
        """Let go of it."""
        self._capture.release()

    def images(self) -> Iterator[Image]:
        """Every image; their times increase.

        Raises:
            VideoError: there is none that can be decoded.
        """
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        promised = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        period = round(1e9 / rate) if 0.1 < rate < 1000.0 else 100_000_000
        before, number = -1, 0
        while True:
            there, image = self._capture.read()
            if not there:
                break
            time = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
            if time <= before:  # containers without times: they have a rate
                time = before + period
                self.remark = f'{self._source} has no times of its own: {rate:g} images/s are taken'
            yield time, image
            before, number = time, number + 1
        if not number:
            raise VideoError(
                f'{self._source} holds no image that OpenCV can decode: it is cut off, or of a '
                f'codec that it lacks, as AV1 often is; ffmpeg -i {self._source} -c:v libx264 '
                'clip.mp4 makes one that it has'
            )
        if number < promised * 0.98 - 2:  # the count is an estimate in some containers
            self.remark = (
                f'{self._source} ends after {number} of {promised} images: it is damaged or cut off'
            )
