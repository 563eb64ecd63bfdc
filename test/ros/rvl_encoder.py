# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""An encoder of RVL that follows the publication number by number.

A. D. Wilson, Fast Lossless Depth Image Compression, ISS 2017: runs of zeros and of others, of these
the differences, all in three bits per nibble.
"""

from __future__ import annotations

import struct

import numpy as np


def encode(pixels: np.ndarray) -> np.ndarray:
    """A depth image, uint16 [height, width], as compressed depth carries it in RVL: uint8 [n]."""
    nibbles: list[int] = []

    def put(value: int) -> None:
        while True:
            bits, value = value & 7, value >> 3
            nibbles.append(bits | (8 if value else 0))
            if not value:
                return

    values, at, before = [int(value) for value in pixels.ravel()], 0, 0
    while at < len(values):
        for wanted in (False, True):
            end = at
            while end < len(values) and (values[end] != 0) is wanted:
                end += 1
            put(end - at)
            if wanted:
                for value in values[at:end]:
                    difference, before = value - before, value
                    put(2 * difference if difference >= 0 else -2 * difference - 1)
            at = end
    nibbles += [0] * (-len(nibbles) % 8)
    words = [
        sum(nibble << (28 - 4 * place) for place, nibble in enumerate(nibbles[first : first + 8]))
        for first in range(0, len(nibbles), 8)
    ]
    size = struct.pack('<II', pixels.shape[1], pixels.shape[0])
    return np.frombuffer(size + struct.pack(f'<{len(words)}I', *words), np.uint8)
