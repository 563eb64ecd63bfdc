# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Image messages to RGB arrays: validate first, then convert.

Knows the fields of `sensor_msgs/Image` and `CompressedImage`, nothing of nodes or models.  Pixels
are converted by cv_bridge where `bridge.py` has found it to be right, and by OpenCV elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vlmaxxing_ros.ros.compressed import (
    MAX_PIXELS,
    ImageError,
    decode,
    decode_depth,
    flaw_of,
    quoted,
)

if TYPE_CHECKING:
    from sensor_msgs.msg import CompressedImage, Image

MILLIMETRE = 1e-3  # 16UC1 depth is in millimetres, 32FC1 in metres (REP 118)


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How images without 8-bit colour become grey.

    Attributes:
        depth_range: (near, far) in metres for 16UC1 and 32FC1: near is white, far and
            everything without a reading is black.  None: such images are refused.
        mono16_range: (black, white) in sensor counts for mono16 and 16-bit colours.  None: refused.
    """

    depth_range: tuple[float, float] | None = None
    mono16_range: tuple[float, float] | None = None


NO_SCALING = Scaling()

__all__ = [
    'LAYOUTS',
    'NO_SCALING',
    'Convert',
    'ImageError',
    'Scaling',
    'check_range',
    'compressed_to_rgb',
    'to_rgb',
]


@dataclass(frozen=True)
class _Layout:
    """How one encoding lies in memory: `item` bytes per pixel of the first plane."""

    item: int
    convert: Callable[[np.ndarray], np.ndarray]
    channels: int = 1
    planes: float = 1.0  # rows of the buffer per row of the image
    even: tuple[bool, bool] = (False, False)  # (height, width) must be even
    padded: bool = True  # rows may be


def _by(code: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda pixels: cv2.cvtColor(pixels, code)


def _nv24(rows: np.ndarray) -> np.ndarray:
    """OpenCV knows no NV24: as NV12 of twice the size, so that the arithmetic is the same."""
    height, width = rows.shape[0] // 3, rows.shape[1]
    luma = rows[:height].repeat(2, axis=0).repeat(2, axis=1)
    buffer = np.concatenate([luma, rows[height:].reshape(height, 2 * width)])
    return np.ascontiguousarray(cv2.cvtColor(buffer, cv2.COLOR_YUV2RGB_NV12)[::2, ::2])


LAYOUTS = {
    'mono8': _Layout(1, _by(cv2.COLOR_GRAY2RGB)),
    '8UC1': _Layout(1, _by(cv2.COLOR_GRAY2RGB)),
    'rgb8': _Layout(3, lambda pixels: pixels, channels=3),
    'bgr8': _Layout(3, _by(cv2.COLOR_BGR2RGB), channels=3),
    '8UC3': _Layout(3, _by(cv2.COLOR_BGR2RGB), channels=3),  # OpenCV's order
    'rgba8': _Layout(4, _by(cv2.COLOR_RGBA2RGB), channels=4),
    'bgra8': _Layout(4, _by(cv2.COLOR_BGRA2RGB), channels=4),
    '8UC4': _Layout(4, _by(cv2.COLOR_BGRA2RGB), channels=4),
    'bayer_rggb8': _Layout(1, _by(cv2.COLOR_BayerRGGB2RGB), even=(True, True)),
    'bayer_bggr8': _Layout(1, _by(cv2.COLOR_BayerBGGR2RGB), even=(True, True)),
    'bayer_gbrg8': _Layout(1, _by(cv2.COLOR_BayerGBRG2RGB), even=(True, True)),
    'bayer_grbg8': _Layout(1, _by(cv2.COLOR_BayerGRBG2RGB), even=(True, True)),
    'yuv422': _Layout(2, _by(cv2.COLOR_YUV2RGB_UYVY), channels=2, even=(False, True)),
    'uyvy': _Layout(2, _by(cv2.COLOR_YUV2RGB_UYVY), channels=2, even=(False, True)),
    'yuv422_yuy2': _Layout(2, _by(cv2.COLOR_YUV2RGB_YUY2), channels=2, even=(False, True)),
    'yuyv': _Layout(2, _by(cv2.COLOR_YUV2RGB_YUY2), channels=2, even=(False, True)),
    'nv21': _Layout(1, _by(cv2.COLOR_YUV2RGB_NV21), planes=1.5, even=(True, True)),
    'nv12': _Layout(1, _by(cv2.COLOR_YUV2RGB_NV12), planes=1.5, even=(True, True)),
    'nv24': _Layout(1, _nv24, planes=3.0, padded=False),
}
_WIDE = {  # 16 bits per value, by mono16_range; encoding: what it is with 8
    name.removesuffix('8') + '16': name
    for name in LAYOUTS
    if name.startswith('bayer_') or name in ('rgb8', 'bgr8', 'rgba8', 'bgra8')
} | {'16UC3': 'bgr8', '16UC4': 'bgra8'}
_SCALED = ('mono16', '16UC1', '32FC1')
_DEPTH = ('16UC1', '32FC1')


Convert = Callable[[str, np.ndarray], np.ndarray | None]
"""Pixels in an 8-bit encoding, uint8 [height, width(, channels)] without padding, to RGB; None:
not this encoding."""


def to_rgb(
    message: Image, scaling: Scaling = NO_SCALING, convert: Convert | None = None
) -> np.ndarray:
    """Convert a `sensor_msgs/Image` to RGB.

    Args:
        message: the image.
        scaling: how images without 8-bit colour become grey, or 8-bit.
        convert: is asked before our own conversion.

    Returns:
        uint8 [height, width, 3]; for rgb8 without padding a view of the message's own data.

    Raises:
        ImageError: unknown encoding, zero size, or a buffer that does not match its fields.
    """
    encoding = message.encoding
    if encoding in LAYOUTS:
        pixels = _pixels(message, LAYOUTS[encoding])
        return _convert(encoding, pixels, convert)
    if encoding in _WIDE:
        narrow = _WIDE[encoding]
        layout = LAYOUTS[narrow]
        counts = _values(message, 'u2', replace(layout, item=2 * layout.item))
        grey = _grey(counts, encoding, scaling).reshape(message.height, message.width, -1)
        return _convert(narrow, grey[..., 0] if layout.channels == 1 else grey, convert)
    if encoding in _SCALED:
        item, kind = (4, 'f4') if encoding == '32FC1' else (2, 'u2')
        values = _values(message, kind, _Layout(item, lambda pixels: pixels))
        return cv2.cvtColor(_grey(values, encoding, scaling), cv2.COLOR_GRAY2RGB)
    raise ImageError(
        f'encoding {quoted(encoding)} is not supported; publish one of '
        f'{", ".join(sorted({*LAYOUTS, *_WIDE, *_SCALED}))}'
    )


def _convert(encoding: str, pixels: np.ndarray, convert: Convert | None) -> np.ndarray:
    try:
        converted = convert(encoding, pixels) if convert else None
        return LAYOUTS[encoding].convert(pixels) if converted is None else converted
    except cv2.error as error:
        raise ImageError(f'{encoding}: OpenCV refuses the image: {error}') from error


def _pixels(message: Image, layout: _Layout) -> np.ndarray:
    """The message's pixels without padding: [rows of the buffer, width(, channels)]."""
    rows = _rows(message, layout)
    shape: tuple[int, ...] = (rows.shape[0], message.width)
    if layout.channels > 1:
        shape += (layout.channels,)
    return np.ascontiguousarray(rows).reshape(shape)


def _values(message: Image, kind: str, layout: _Layout) -> np.ndarray:
    """The message's values in its own byte order: [rows, values of a row]."""
    order = '>' if message.is_bigendian else '<'
    return np.ascontiguousarray(_rows(message, layout)).view(order + kind)


def _rows(message: Image, layout: _Layout) -> np.ndarray:
    """The message's rows without their padding: uint8 [rows of the buffer, bytes of a row]."""
    height, width, step = message.height, message.width, message.step
    where = f'{message.encoding} image of {width}x{height} pixels'
    if height < 1 or width < 1:
        raise ImageError(f'{where}: both sides must be at least 1; check the camera driver')
    if (layout.even[0] and height % 2) or (layout.even[1] and width % 2):
        raise ImageError(f'{where}: this encoding needs even sides; crop the image')
    row = width * layout.item
    if step < row:
        raise ImageError(
            f'{where}: step is {step} bytes, a row needs at least {row}; check the camera driver'
        )
    if step > row and not layout.padded:
        raise ImageError(
            f'{where}: step is {step} bytes, and rows of this encoding are read without padding '
            f'only, {row}; have the driver publish another encoding'
        )
    lines = int(height * layout.planes)
    data = np.frombuffer(message.data, np.uint8)
    if data.size != step * lines:
        raise ImageError(
            f'{where}: data holds {data.size} bytes instead of {lines} rows of {step}; '
            'the message is truncated or its step is wrong; check the camera driver'
        )
    return data.reshape(lines, step)[:, :row]


def _grey(values: np.ndarray, encoding: str, scaling: Scaling) -> np.ndarray:
    """Sensor values to 8 bits, uint8 of the same shape, as `Scaling` says."""
    depth = encoding in _DEPTH
    name = 'depth_range' if depth else 'mono16_range'
    bounds: tuple[float, float] | None = getattr(scaling, name)
    if bounds is None:
        raise ImageError(
            f'{encoding} has no 8-bit colours to look at: set the parameter <camera>.{name} to the '
            f'range, in {"metres" if depth else "sensor counts"}, to be shown, or use another topic'
        )
    scaled = values.astype(np.float32)
    low, high = bounds
    if depth:
        if encoding == '16UC1':
            scaled *= MILLIMETRE
        reading = np.isfinite(scaled) & (scaled > 0)
        grey = np.where(reading, (high - scaled) / (high - low), 0.0)
    else:
        grey = (scaled - low) / (high - low)
    return np.rint(np.clip(grey, 0.0, 1.0) * 255.0).astype(np.uint8)


def compressed_to_rgb(
    message: CompressedImage,
    scaling: Scaling = NO_SCALING,
    convert: Convert | None = None,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Convert a `sensor_msgs/CompressedImage` (JPEG, PNG or compressedDepth) to RGB.

    Args:
        message: the image.
        scaling: how images without 8-bit colour become grey, or 8-bit.
        convert: is asked before our own conversion.
        max_pixels: that the header may claim; more are not decoded.

    Returns:
        uint8 [height, width, 3]

    Raises:
        ImageError: not JPEG or PNG, truncated, too large, or 16-bit without `scaling`.
    """
    name = message.format
    data = np.frombuffer(message.data, np.uint8)
    encoding = name.split(';')[0].strip()
    if 'compressedDepth' in name:
        depth = decode_depth(data, name, max_pixels)
        kind = '16UC1' if depth.dtype == np.uint16 else '32FC1'
        return cv2.cvtColor(_grey(depth, kind, scaling), cv2.COLOR_GRAY2RGB)
    if flaw := flaw_of(data, max_pixels):
        raise ImageError(f'format {quoted(name)}: {flaw}')
    pixels = decode(data)
    if pixels is None:
        raise ImageError(
            f'format {quoted(name)}: {data.size} bytes that do not decode; check the driver'
        )
    if pixels.dtype == np.uint16:
        pixels = _grey(pixels, encoding if encoding == '16UC1' else 'mono16', scaling)
    elif pixels.dtype != np.uint8:
        raise ImageError(f'format {quoted(name)}: {pixels.dtype} colours; publish 8-bit colours')
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    return _convert({1: 'mono8', 3: 'bgr8', 4: 'bgra8'}[channels], pixels, convert)


def check_range(bounds: tuple[float, ...] | list[float], name: str) -> tuple[float, float] | None:
    """Turn a range parameter into what `Scaling` takes: [0, 0] means that none is configured.

    Raises:
        ValueError: not two finite, increasing numbers.
    """
    values = [float(value) for value in bounds]
    if values == [0.0, 0.0]:
        return None
    if len(values) != 2 or not all(map(math.isfinite, values)) or not values[0] < values[1]:
        raise ValueError(f'{name} must be [low, high] with low < high, or [0, 0], not {values}')
    return values[0], values[1]
