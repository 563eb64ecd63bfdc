# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Images of a recording as frames on a model's grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.evaluation.recordings import StampedImage


def grid_frames(
    images: Iterable[StampedImage], family: Family, config: EngineConfig
) -> Iterator[Frame]:
    """Frames in the order of the images, as an arm is shown them; `max_blocks` bounds the grid."""
    origin: int | None = None
    for image in images:
        origin = image.stamp if origin is None else origin
        height, width = image.pixels.shape[:2]
        grid = family.grid(height, width, config.max_blocks)
        frame = Frame.from_image(image.pixels, grid, stamp=image.stamp, frame_id=image.frame_id)
        yield frame.since(origin)
