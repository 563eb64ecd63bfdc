# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Image messages of a few pixels, raw and compressed."""

from __future__ import annotations

import array

import cv2
import numpy as np
import pytest

pytest.importorskip('sensor_msgs', reason='needs the ROS 2 messages')

from sensor_msgs.msg import CompressedImage, Image

HEIGHT, WIDTH = 6, 10


def message(encoding: str, rows: np.ndarray, *, height: int = HEIGHT, padding: int = 0) -> Image:
    """An Image of WIDTH columns whose buffer rows are `rows`, each followed by `padding` bytes."""
    flat = np.ascontiguousarray(rows).view(np.uint8).reshape(rows.shape[0], -1)
    flat = np.pad(flat, ((0, 0), (0, padding)), constant_values=171)
    return Image(
        height=height,
        width=WIDTH,
        encoding=encoding,
        step=flat.shape[1],
        data=array.array('B', flat.tobytes()),
    )


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def compressed(extension: str, pixels: np.ndarray, name: str = '') -> CompressedImage:
    _, data = cv2.imencode(extension, pixels)
    return CompressedImage(format=name or extension[1:], data=array.array('B', data.tobytes()))
