# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Image messages to RGB arrays: validate first, then convert.

Knows the fields of `sensor_msgs/Image` and `CompressedImage`, nothing of nodes or models.
Written with OpenCV alone: cv_bridge reads 16UC1 as bytes and ignores row padding in its PyPI
form, and its compiled form does not load beside numpy 2 (vision_opencv #535).  The tests use it
as a reference for what it does right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vlmaxxing_ros.engine.errors import InvalidFrame

if TYPE_CHECKING:
    from sensor_msgs.msg import CompressedImage, Image

MILLIMETRE = 1e-3  # 16UC1 depth is in millimetres, 32FC1 in metres (REP 118)


class ImageError(InvalidFrame):
    """An image message that cannot be used; the text says what is wrong and what to do."""


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How images without 8-bit colour become grey.

    Attributes:
        depth_range: (near, far) in metres for 16UC1 and 32FC1: near is white, far and
            everything without a reading is black.  None: such images are refused.
        mono16_range: (black, white) in sensor counts for mono16.  None: refused.
    """

    depth_range: tuple[float, float] | None = None
    mono16_range: tuple[float, float] | None = None


NO_SCALING = Scaling()


@dataclass(frozen=True)
class _Layout:
    """How one encoding lies in memory: `item` bytes per pixel of the first plane."""

    item: int
    convert: Callable[[np.ndarray], np.ndarray]
    channels: int = 1
    planes: float = 1.0  # rows of the buffer per row of the image
    even: tuple[bool, bool] = (False, False)  # (height, width) must be even


def _by(code: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda pixels: cv2.cvtColor(pixels, code)


_LAYOUTS = {
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
}
_SCALED = {'mono16': 2, '16UC1': 2, '32FC1': 4}  # encoding: bytes per pixel


def to_rgb(message: Image, scaling: Scaling = NO_SCALING) -> np.ndarray:
    """Convert a `sensor_msgs/Image` to RGB.

    Returns:
        uint8 [height, width, 3]; for rgb8 without padding a view of the message's own data.

    Raises:
        ImageError: unknown encoding, zero size, or a buffer that does not match its fields.
    """
    layout = _LAYOUTS.get(message.encoding)
    if layout is not None:
        rows = _rows(message, layout)
        shape: tuple[int, ...] = (rows.shape[0], message.width)
        if layout.channels > 1:
            shape += (layout.channels,)
        try:
            return layout.convert(np.ascontiguousarray(rows).reshape(shape))
        except cv2.error as error:
            raise ImageError(f'{message.encoding}: OpenCV refuses the image: {error}') from error
    if message.encoding in _SCALED:
        rows = _rows(message, _Layout(_SCALED[message.encoding], lambda pixels: pixels))
        kind = 'f4' if message.encoding == '32FC1' else 'u2'
        order = '>' if message.is_bigendian else '<'
        values = np.ascontiguousarray(rows).view(order + kind)
        return _scale(values, message.encoding, scaling)
    raise ImageError(
        f'encoding {message.encoding!r} is not supported; publish one of '
        f'{", ".join(sorted({*_LAYOUTS, *_SCALED}))}'
    )


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
    lines = int(height * layout.planes)
    data = np.frombuffer(message.data, np.uint8)
    if data.size != step * lines:
        raise ImageError(
            f'{where}: data holds {data.size} bytes instead of {lines} rows of {step}; '
            'the message is truncated or its step is wrong; check the camera driver'
        )
    return data.reshape(lines, step)[:, :row]


def _scale(values: np.ndarray, encoding: str, scaling: Scaling) -> np.ndarray:
    """Sensor values [height, width] to grey RGB, as `Scaling` says."""
    name = 'mono16_range' if encoding == 'mono16' else 'depth_range'
    bounds: tuple[float, float] | None = getattr(scaling, name)
    if bounds is None:
        unit = 'sensor counts' if encoding == 'mono16' else 'metres'
        raise ImageError(
            f'{encoding} has no colours to look at: set the parameter <camera>.{name} to the '
            f'range, in {unit}, to be shown as grey, or use the colour topic'
        )
    scaled = values.astype(np.float32)
    low, high = bounds
    if encoding == 'mono16':
        grey = (scaled - low) / (high - low)
    else:
        if encoding == '16UC1':
            scaled *= MILLIMETRE
        reading = np.isfinite(scaled) & (scaled > 0)
        grey = np.where(reading, (high - scaled) / (high - low), 0.0)
    grey8 = np.rint(np.clip(grey, 0.0, 1.0) * 255.0).astype(np.uint8)
    return cv2.cvtColor(grey8, cv2.COLOR_GRAY2RGB)


def compressed_to_rgb(message: CompressedImage, scaling: Scaling = NO_SCALING) -> np.ndarray:
    """Convert a `sensor_msgs/CompressedImage` (JPEG or PNG) to RGB.

    Returns:
        uint8 [height, width, 3]

    Raises:
        ImageError: not JPEG or PNG, truncated, or 16-bit without `scaling`.
    """
    name = message.format
    if 'compressedDepth' in name:
        raise ImageError(
            f'format {name!r} is not supported: use the raw depth topic with '
            '<camera>.depth_range, or the compressed colour topic'
        )
    data = np.frombuffer(message.data, np.uint8)
    _check_complete(data, name)
    # As stored: no EXIF rotation, 16 bits stay 16 bits.
    pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ImageError(f'format {name!r}: {data.size} bytes that do not decode; check the driver')
    if pixels.dtype == np.uint16 and pixels.ndim == 2:
        encoding = name.split(';')[0].strip()
        return _scale(pixels, encoding if encoding == '16UC1' else 'mono16', scaling)
    if pixels.dtype != np.uint8:
        raise ImageError(f'format {name!r}: {pixels.dtype} colours; publish 8-bit colours')
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    codes = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}
    return cv2.cvtColor(pixels, codes[channels])


def _check_complete(data: np.ndarray, name: str) -> None:
    """Refuse what is not a whole JPEG or PNG: OpenCV fills a missing end with grey, silently."""
    head, tail = data[:8].tobytes(), data[-64:].tobytes()
    if head.startswith(b'\xff\xd8'):
        complete = tail.rstrip(b'\0').endswith(b'\xff\xd9')
    elif head == b'\x89PNG\r\n\x1a\n':
        complete = b'IEND' in tail
    else:
        raise ImageError(
            f'format {name!r}: {data.size} bytes that are neither JPEG nor PNG; '
            'set <camera>.transport to raw if the topic carries sensor_msgs/Image'
        )
    if not complete:
        raise ImageError(f'format {name!r}: the image is truncated at {data.size} bytes')


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
