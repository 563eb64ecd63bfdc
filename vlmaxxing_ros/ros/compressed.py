# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Compressed images as bytes: whether they are whole, how large they claim to be, depth's header.

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
from vlmaxxing_ros.ros.rvl import decode_rvl, rvl_size

_JPEG, _PNG = b'\xff\xd8', b'\x89PNG\r\n\x1a\n'
_END, _SCAN = 0xD9, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers that nothing belongs to
_MARKER = re.compile(rb'\xff[^\x00\xff\xd0-\xd7]')  # within a scan: not stuffing, not a restart
_OTHERS = {  # by how they begin
    b'II*\0': 'TIFF',
    b'MM\0*': 'TIFF',
    b'RIFF': 'WebP',
    b'BM': 'BMP',
    b'GIF8': 'GIF',
    b'\0\0\0\x0cjP': 'JPEG 2000',
}
_VIDEO = (b'\0\0\1', b'\0\0\0\1')
MAX_PIXELS = 40_000_000
"""Pixels of an image at most, where nobody says otherwise: 8K has 33 million."""
_MAX_SCANS = 100  # of a JPEG, each of which goes over all pixels; progressive ones have ten
_NO_FRAME = {0xC4, 0xC8, 0xCC}  # of the markers C0 to CF, those that give no size
_QUOTED = 60  # characters
_DEPTH_HEADER = struct.Struct('<iff')  # image_transport's ConfigHeader: format, a, b


class ImageError(InvalidFrame):
    """An image message that cannot be used; the text says what is wrong and what to do."""


def quoted(text: str) -> str:
    """A publisher's word as it is quoted to people: it may be of any length."""
    return repr(text if len(text) <= _QUOTED else f'{text[:_QUOTED]}...')


def flaw_of(data: np.ndarray, max_pixels: int = MAX_PIXELS) -> str:
    """What keeps bytes, uint8 [n], from being a whole JPEG or PNG of at most so many pixels.

    Empty if they are one; nothing is decoded.
    """
    buffer = data.tobytes()
    if buffer.startswith(_JPEG):
        whole, (width, height) = _is_whole_jpeg(buffer)
    elif buffer.startswith(_PNG):
        whole, (width, height) = _is_whole_png(buffer), _png_size(buffer)
    else:
        return f'{len(buffer)} bytes {_other(buffer)}'
    if width * height > max_pixels:
        return too_large(width, height, max_pixels)
    return '' if whole else f'the image is truncated at {len(buffer)} bytes, or damaged'


def _other(buffer: bytes) -> str:
    """What bytes seem to be that are neither JPEG nor PNG, and what to do."""
    if buffer.startswith(_VIDEO):
        return 'that begin as video does: the format should then say h264 or h265'
    for beginning, name in _OTHERS.items():
        if buffer.startswith(beginning):
            return f'of {name}, which is not read: have the publisher send jpeg or png'
    return (
        'that are neither JPEG nor PNG; set <camera>.transport to raw if the topic carries '
        'sensor_msgs/Image'
    )


def _is_whole_jpeg(buffer: bytes) -> tuple[bool, tuple[int, int]]:
    """Whether the markers lead to the end of the image, and its claimed width and height.

    Thumbnails have ends and sizes of their own, inside of markers that are left out.
    """
    at, scans, size = 2, 0, (0, 0)
    while at + 2 <= len(buffer):
        if buffer[at] != 0xFF:
            return False, size
        kind = buffer[at + 1]
        if kind == _END:
            return scans <= _MAX_SCANS, size
        if 0xC0 <= kind <= 0xCF and kind not in _NO_FRAME:
            height, width = struct.unpack_from('>HH', buffer.ljust(at + 9, b'\0'), at + 5)
            size = max(size, (width, height), key=lambda sides: sides[0] * sides[1])
        if kind == 0xFF:  # padding in front of a marker
            at += 1
            continue
        at += 2
        if kind not in _ALONE:
            at += int.from_bytes(buffer[at : at + 2], 'big')
        if kind == _SCAN:
            scans += 1
            found = _MARKER.search(buffer, at)
            if found is None:
                return False, size
            at = found.start()
    return False, size


def _png_size(buffer: bytes) -> tuple[int, int]:
    """Width and height that a PNG claims; its header comes first."""
    width, height = struct.unpack_from('>II', buffer.ljust(24, b'\0'), 16)
    return width, height


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


def decode(data: np.ndarray) -> np.ndarray | None:
    """The pixels of a JPEG or PNG, uint8 [n], as stored: no EXIF rotation, 16 bits stay 16 bits.

    None: OpenCV cannot decode it.
    """
    try:
        return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None


def decode_depth(data: np.ndarray, name: str, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """What compressed_depth_image_transport made of a depth image.

    Args:
        data: uint8 [n]
        name: the message's format, such as `32FC1; compressedDepth png`.
        max_pixels: that it may claim to have.

    Returns:
        uint16 [height, width] in millimetres, or float32 in metres with NaN where there is no
        reading.

    Raises:
        ImageError: truncated, too large, or compressed in another way than PNG and RVL.
    """
    body = data[_DEPTH_HEADER.size :]
    pixels = (_rvl if 'rvl' in name else _depth_png)(body, name, max_pixels)
    if not name.startswith('32FC1'):
        return pixels
    _, a, b = _DEPTH_HEADER.unpack(data[: _DEPTH_HEADER.size].tobytes())
    with np.errstate(divide='ignore', invalid='ignore'):
        metres = a / (pixels.astype(np.float32) - b)
    return np.where(pixels == 0, np.float32(np.nan), metres.astype(np.float32))


def _rvl(body: np.ndarray, name: str, max_pixels: int) -> np.ndarray:
    """RVL behind the header: uint16 [height, width]."""
    width, height = rvl_size(body)
    if width * height > max_pixels:
        raise ImageError(f'format {quoted(name)}: {too_large(width, height, max_pixels)}')
    pixels = decode_rvl(body)
    if pixels is None or not pixels.size:
        raise ImageError(
            f'format {quoted(name)}: no whole RVL image behind the {_DEPTH_HEADER.size} bytes that '
            'compressed depth begins with; check the driver'
        )
    return pixels


def _depth_png(body: np.ndarray, name: str, max_pixels: int) -> np.ndarray:
    """PNG behind the header: uint16 [height, width]."""
    if not _is_whole_png(body.tobytes()):
        raise ImageError(
            f'format {quoted(name)}: no whole PNG behind the {_DEPTH_HEADER.size} bytes that '
            'compressed depth begins with; check the driver'
        )
    if flaw := flaw_of(body, max_pixels):
        raise ImageError(f'format {quoted(name)}: {flaw}')
    pixels = decode(body)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 2:
        raise ImageError(f'format {quoted(name)}: no 16-bit image of one channel; check the driver')
    return pixels


def too_large(width: int, height: int, max_pixels: int) -> str:
    """What is said of an image that claims to be larger than it may be."""
    return (
        f'the header claims {width}x{height} pixels; at most {max_pixels} are decoded '
        '(max_image_pixels)'
    )
