# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Where change begins: once per thing that changes, however long it goes on.

What changes beside something that has changed a moment ago goes on; what does so anywhere else
begins.  Knows blocks; knows nothing of pixels, stamps or what it is that changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vlmaxxing_ros.engine.seeing.region import Region

_BESIDE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Beginning:
    """Something has begun to change.

    Attributes:
        region: around its blocks.
        blocks: how many of them have changed.
    """

    region: Region
    blocks: int


def beginnings(changed: np.ndarray, lately: np.ndarray) -> tuple[Beginning, ...]:
    """What begins with an image, the largest first.

    Blocks with no more than two others between them belong together.

    Args:
        changed: bool [rows, cols], what has changed in it.
        lately: bool [rows, cols], what has changed a moment before.
    """
    if not changed.any():
        return ()
    around = cv2.dilate(changed.astype(np.uint8), _BESIDE)
    count, labels = cv2.connectedComponents(around, connectivity=8)
    parts = [labels == label for label in range(1, count)]
    found = [_beginning(changed & part) for part in parts if not (part & lately).any()]
    return tuple(sorted(found, key=lambda beginning: -beginning.blocks))


def _beginning(blocks: np.ndarray) -> Beginning:
    rows, cols = np.nonzero(blocks)
    top, left = int(rows.min()), int(cols.min())
    height, width = blocks.shape
    region = Region(
        left / width,
        top / height,
        (int(cols.max()) + 1 - left) / width,
        (int(rows.max()) + 1 - top) / height,
    )
    return Beginning(region, len(rows))
