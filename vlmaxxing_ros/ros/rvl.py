# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""RVL, the lossless code for depth images of A. D. Wilson (2017), as compressed depth carries it.

Runs: how many pixels are zero, how many are not, then of each of these its difference from the one
before, with the sign in the lowest bit.  A number is three bits per nibble, the lowest first; a
nibble's highest bit says that more follow.  Nibbles fill 32-bit words from the top.  Knows bytes
and pixels; knows nothing of messages.
"""

from __future__ import annotations

import struct

import numpy as np

SIZE = struct.Struct('<II')  # width and height, in front of the code
_LONGEST = 11  # nibbles of a number of 32 bits


def rvl_size(data: np.ndarray) -> tuple[int, int]:
    """Width and height that RVL data, uint8 [n], claim; 0, 0 where they are too short for that."""
    if len(data) < SIZE.size:
        return 0, 0
    width, height = SIZE.unpack(data[: SIZE.size].tobytes())
    return width, height


def decode_rvl(data: np.ndarray) -> np.ndarray | None:
    """The pixels, uint16 [height, width], of RVL data, uint8 [n]; None: they are not whole."""
    width, height = rvl_size(data)
    code = data[SIZE.size :]
    numbers = _numbers(code[: len(code) // 4 * 4].view('<u4'))
    count, done, at = width * height, 0, 0
    places: list[np.ndarray] = [np.zeros(0, np.int64)]
    differences: list[np.ndarray] = [np.zeros(0, np.int64)]
    while done < count:
        if at + 2 > len(numbers):
            return None
        zeros, others = int(numbers[at]), int(numbers[at + 1])
        at, done = at + 2, done + zeros
        if done + others > count or at + others > len(numbers):
            return None
        places.append(np.arange(done, done + others))
        differences.append(numbers[at : at + others])
        at, done = at + others, done + others
    signed = np.concatenate(differences)
    pixels = np.zeros(count, np.uint16)
    pixels[np.concatenate(places)] = np.cumsum((signed >> 1) ^ -(signed & 1)).astype(np.uint16)
    return pixels.reshape(height, width)


def _numbers(words: np.ndarray) -> np.ndarray:
    """The numbers that words, uint32 [n], consist of: int64 [m]; one that does not end is left out.

    One that is longer than 32 bits ends what can be read.
    """
    nibbles = ((words[:, None] >> np.arange(28, -4, -4, dtype=np.uint32)) & 15).ravel()
    ends = np.flatnonzero(nibbles < 8)
    if not len(ends):
        return np.zeros(0, np.int64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if (too_long := np.flatnonzero(lengths > _LONGEST)).size:
        starts, lengths = starts[: too_long[0]], lengths[: too_long[0]]
        if not len(starts):
            return np.zeros(0, np.int64)
    place = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    parts = (nibbles[: len(place)].astype(np.int64) & 7) << (3 * place)
    return np.add.reduceat(parts, starts)
