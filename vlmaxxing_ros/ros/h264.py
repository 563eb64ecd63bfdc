# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a packet of H.264 or H.265 says about itself: can one begin with it, was one lost before it.

Reads headers of ITU-T H.264 (7.3) and H.265 (7.3) in Annex B form; decodes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_START = re.compile(rb'\x00\x00\x01')
_STUFFED = re.compile(rb'\x00\x00\x03')
_HEAD = 96  # bytes of a unit that are looked at: no header that is read here is longer
_SLICE, _IDR, _SPS = 1, 5, 7
_SPS_HEAD = 4  # bytes: kind, profile, constraints, level
_NUMBER_BITS = range(4, 17)
_PICTURES_65 = range(16, 22)  # intra random access points
_PARAMETERS_65 = (32, 33)  # VPS, SPS
_CHROMA_PROFILES = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}


def is_entry(data: bytes, codec: str) -> bool:
    """Whether decoding can begin here: an intra picture, or the parameters of what follows."""
    if codec == 'hevc':
        kinds = {(unit[0] >> 1) & 0x3F for unit in _units(data)}
        return any(kind in _PICTURES_65 or kind in _PARAMETERS_65 for kind in kinds)
    return any(unit[0] & 0x1F in (_IDR, _SPS) for unit in _units(data))


class FrameNumbers:
    """Follows the numbers of an H.264 stream's pictures."""

    def __init__(self) -> None:
        self._bits = 0  # of a number; 0: not known
        self._reference: int | None = None  # of the newest picture that others refer to

    def follows(self, data: bytes) -> bool:
        """Whether this packet comes directly after those before, as far as can be told."""
        for unit in _units(data):
            kind, important = unit[0] & 0x1F, bool(unit[0] & 0x60)
            if kind == _SPS:
                self._bits = _number_bits(unit)
            elif kind == _IDR:
                self._reference = 0
                return True
            elif kind == _SLICE:
                return self._picture(unit, important)
        return True

    def _picture(self, unit: bytes, important: bool) -> bool:
        if not self._bits or self._reference is None:
            return True
        bits = _Bits(unit[1:])
        for _ in range(3):  # first macroblock, kind of slice, parameter set
            bits.exponential()
        number = bits.read(self._bits)
        follows = (number - self._reference) % (1 << self._bits) <= 1
        if important:
            self._reference = number
        return follows


def _number_bits(unit: bytes) -> int:
    """log2_max_frame_num of a sequence parameter set; 0 where it cannot be read.

    Scaling lists are in the way, or the set is cut short or damaged.
    """
    if len(unit) < _SPS_HEAD:
        return 0
    bits = _Bits(unit[4:])
    bits.exponential()
    if unit[1] in _CHROMA_PROFILES:
        if bits.exponential() == 3:  # separate colour planes
            return 0
        bits.exponential()
        bits.exponential()
        bits.read(1)
        if bits.read(1):
            return 0
    found = bits.exponential() + 4
    return found if found in _NUMBER_BITS else 0


def _units(data: bytes) -> Iterator[bytes]:
    """The beginnings of the units, without what was stuffed into them."""
    for start in _START.finditer(data):
        unit = data[start.end() : start.end() + _HEAD]
        end = _START.search(unit)
        unit = _STUFFED.sub(b'\x00\x00', unit[: end.start()] if end else unit)
        if unit:
            yield unit


class _Bits:
    """Bits from the left; zeros after the end."""

    def __init__(self, data: bytes) -> None:
        self._text = ''.join(f'{byte:08b}' for byte in data)
        self._at = 0

    def read(self, count: int) -> int:
        """The next bits as a number."""
        text = self._text[self._at : self._at + count]
        self._at += count
        return int(text or '0', 2)

    def exponential(self) -> int:
        """The next number in the code ue(v)."""
        one = self._text.find('1', self._at)
        zeros = one - self._at if one >= 0 else 0
        self._at += zeros
        return self.read(zeros + 1) - 1
