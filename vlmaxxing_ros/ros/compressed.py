# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Compressed images as bytes: whether they are whole, and what compressedDepth has in front.

OpenCV fills a missing end with grey, silently; whatever follows a whole image does not matter.
Knows nothing of messages.
"""

from __future__ import annotations

import re
import struct
import zlib

import cv2
import numpy as np

from vlmaxxing_ros.engine.errors import InvalidFrame

_JPEG, _PNG = b'\xff\xd8', b'\x89PNG\r\n\x1a\n'
_END, _SCAN = 0xD9, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers that nothing belongs to
_MARKER = re.compile(rb'\xff[^\x00\xff\xd0-\xd7]')  # within a scan: not stuffing, not a restart
_DEPTH_HEADER = struct.Struct('<iff')  # image_transport's ConfigHeader: format, a, b


class ImageError(InvalidFrame):
    """An image message that cannot be used; the text says what is wrong and what to do."""


def flaw_of(data: np.ndarray) -> str:
    """What keeps bytes, uint8 [n], from being a whole JPEG or PNG; empty if they are one."""
    buffer = data.tobytes()
    if buffer.startswith(_JPEG):
        whole = _is_whole_jpeg(buffer)
    elif buffer.startswith(_PNG):
        whole = _is_whole_png(buffer)
    else:
        return (
            f'{len(buffer)} bytes that are neither JPEG nor PNG; set <camera>.transport to raw if '
            'the topic carries sensor_msgs/Image'
        )
    return '' if whole else f'the image is truncated at {len(buffer)} bytes, or damaged'


def _is_whole_jpeg(buffer: bytes) -> bool:
    """Whether the markers lead to the end of the image; thumbnails have ends of their own."""
    at = 2
    while at + 2 <= len(buffer):
        if buffer[at] != 0xFF:
            return False
        kind = buffer[at + 1]
        if kind == _END:
            return True
        if kind == 0xFF:  # padding in front of a marker
            at += 1
            continue
        at += 2
        if kind not in _ALONE:
            at += int.from_bytes(buffer[at : at + 2], 'big')
        if kind == _SCAN:
            found = _MARKER.search(buffer, at)
            if found is None:
                return False
            at = found.start()
    return False


def _is_whole_png(buffer: bytes) -> bool:
    """Whether it is a PNG whose sound chunks lead to the last one."""
    at = len(_PNG) if buffer.startswith(_PNG) else len(buffer)
    while at + 12 <= len(buffer):
        end = at + 8 + int.from_bytes(buffer[at : at + 4], 'big')
        if zlib.crc32(buffer[at + 4 : end]) != int.from_bytes(buffer[end : end + 4], 'big'):
            return False
        if buffer[at + 4 : at + 8] == b'IEND':
            return True
        at = end + 4
    return False


def decode_depth(data: np.ndarray, name: str) -> np.ndarray:
    """What compressed_depth_image_transport made of a depth image.

    Args:
        data: uint8 [n]
        name: the message's format, such as `32FC1; compressedDepth png`.

    Returns:
        uint16 [height, width] in millimetres, or float32 in metres with NaN where there is no
        reading.

    Raises:
        ImageError: truncated, or compressed in another way than PNG.
    """
    if 'rvl' in name:
        raise ImageError(
            f"format {name!r}: RVL is not supported: set the publisher's parameter "
            '.compressedDepth.format to png, or use the raw depth topic'
        )
    body = data[_DEPTH_HEADER.size :]
    if not _is_whole_png(body.tobytes()):
        raise ImageError(
            f'format {name!r}: no whole PNG behind the {_DEPTH_HEADER.size} bytes that compressed '
            'depth begins with; check the driver'
        )
    pixels = cv2.imdecode(body, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 2:
        raise ImageError(f'format {name!r}: no 16-bit image of one channel; check the driver')
    if not name.startswith('32FC1'):
        return pixels
    _, a, b = _DEPTH_HEADER.unpack(data[: _DEPTH_HEADER.size].tobytes())
    with np.errstate(divide='ignore', invalid='ignore'):
        metres = a / (pixels.astype(np.float32) - b)
    return np.where(pixels == 0, np.float32(np.nan), metres.astype(np.float32))
