# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The reference as the planner compares it, in one light.

Knows compared images and lights; knows nothing of stamps, thresholds or what is bought.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vlmaxxing_ros.engine.seeing.light import UNCHANGED, Light
from vlmaxxing_ros.engine.seeing.reference import cell_mask


@dataclass
class Comparison:
    """The reference's blocks in the light of its last whole frame.

    Attributes:
        image: int16 [cell rows, cell cols, 3].
        darkest, brightest: int16 [rows, cols, 3], what could be told apart when a block was seen.
        mid_grey: float32 [rows, cols, 3], what middle grey looked like then.
        even: every block was seen in the light of the last whole frame.
    """

    image: np.ndarray
    darkest: np.ndarray
    brightest: np.ndarray
    mid_grey: np.ndarray
    even: bool = True

    @classmethod
    def start(cls, image: np.ndarray, rows: int, cols: int) -> Comparison:
        """Every block in the same light.  `image` is uint8 [cell rows, cell cols, 3]."""
        return cls(
            image.astype(np.int16),
            np.tile(UNCHANGED.darkest, (rows, cols, 1)),
            np.tile(UNCHANGED.brightest, (rows, cols, 1)),
            np.tile(UNCHANGED.mid_grey, (rows, cols, 1)),
        )

    def admit(self, image: np.ndarray, light: Light, fresh: np.ndarray) -> None:
        """Take the fresh blocks (bool [rows, cols]) of an image seen in `light`."""
        mask = cell_mask(fresh, image.shape[0] // fresh.shape[0])
        cv2.copyTo(light.undo(image), mask, self.image)
        if light.unchanged and self.even:
            return
        self.even = False
        self.darkest[fresh] = light.darkest
        self.brightest[fresh] = light.brightest
        self.mid_grey[fresh] = light.mid_grey
