# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whatever an image message says: RGB of its size, or an error that names what is wrong with it."""

from __future__ import annotations

import array
import functools
import struct
import zlib

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from fuzz.cases import DAMAGE, TEXT, cases, damaged, tried
from hypothesis import example, given
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image

from vlmaxxing_ros.engine.errors import InvalidFrame
from vlmaxxing_ros.ros.images import LAYOUTS, Scaling, compressed_to_rgb, to_rgb
from vlmaxxing_ros.ros.video_stream import VideoStream, to_packet

SCALING = Scaling(depth_range=(0.5, 4.0), mono16_range=(0.0, 4095.0))
WIDE = ('mono16', '16UC1', '32FC1', 'rgb16', 'bgra16', '16UC3', '16UC4', 'bayer_rggb16')
ENCODINGS = st.sampled_from(sorted(LAYOUTS) + sorted(WIDE)) | TEXT
SIDES = st.integers(0, 40) | st.sampled_from([2**16, 2**31, 2**32 - 1])
MOST = 10_000
"""Pixels that a compressed image may claim to have."""


@st.composite
def images(draw: st.DrawFn) -> Image:
    """Image messages: most of them nearly right."""
    height, width, encoding = draw(SIDES), draw(SIDES), draw(ENCODINGS)
    item = draw(st.sampled_from([1, 2, 3, 4, 6, 8]))
    step = draw(st.sampled_from([width * item, width * item + 5]) | SIDES) % 2**32
    rows = draw(st.sampled_from([height, height * 3 // 2, height - 1, height + 1]))
    size = step * rows if 0 <= step * rows <= 100_000 else draw(st.integers(0, 1000))
    data = np.random.default_rng(height).integers(0, 256, size, np.uint8).tobytes()
    return Image(
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=draw(st.integers(0, 255)),
        step=step,
        data=array.array('B', data),
    )


@cases(0.25)
@given(images(), st.booleans())
def test_an_image_message(image: Image, scaled: bool) -> None:
    scaling = SCALING if scaled else Scaling()
    rgb, why = tried(lambda: to_rgb(image, scaling), InvalidFrame)
    if why:
        return
    assert rgb.shape == (image.height, image.width, 3)
    assert rgb.dtype == np.uint8


def picture(extension: str, channels: int, dtype: type) -> bytes:
    """A small image, compressed."""
    shape = (12, 16, channels) if channels > 1 else (12, 16)
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype)
    return cv2.imencode(extension, pixels)[1].tobytes()


PNG, JPEG, DEEP = (
    picture('.png', 3, np.uint8),
    picture('.jpg', 3, np.uint8),
    picture('.png', 1, np.uint16),
)
DEPTH = struct.pack('<iff', 0, 100.0, -1.0)
RVL = DEPTH + struct.pack('<IIIIII', 4, 3, 0x1B123456, 0x789ABCDE, 0x01234567, 0)
FORMATS = ('jpeg', 'png', 'rgb8; jpeg compressed bgr8', '16UC1; png compressed ', '', 'tiff')
DEPTHS = tuple(
    f'{kind}; compressedDepth {how}' for kind in ('16UC1', '32FC1') for how in ('png', 'rvl', '')
)


@st.composite
def compressed(draw: st.DrawFn) -> CompressedImage:
    """Compressed images: sound ones with some bytes replaced, or cut off, or with more behind."""
    sound = draw(st.sampled_from([PNG, JPEG, DEEP, DEPTH + DEEP, RVL, b'']))
    data = damaged(sound, *draw(DAMAGE)) + draw(st.sampled_from([b'', bytes(100)]))
    if data.startswith(PNG[:8]) and len(data) > 33 and draw(st.booleans()):  # its sum is right
        data = data[:29] + zlib.crc32(data[12:29]).to_bytes(4, 'big') + data[33:]
    name = draw(st.sampled_from(FORMATS + DEPTHS) | TEXT)
    return CompressedImage(format=name, data=array.array('B', data))


@cases(0.25)
@given(compressed(), st.booleans())
def test_a_compressed_image(image: CompressedImage, scaled: bool) -> None:
    scaling = SCALING if scaled else Scaling()
    rgb, why = tried(lambda: compressed_to_rgb(image, scaling, max_pixels=MOST), InvalidFrame)
    if why:
        return
    assert rgb.ndim == 3
    assert rgb.shape[2] == 3
    assert rgb.dtype == np.uint8
    assert 0 < rgb.shape[0] * rgb.shape[1] <= MOST


NAL = st.sampled_from(
    [b'\0\0\0\1\x67', b'\0\0\0\1\x68', b'\0\0\1\x65', b'\0\0\1\x41', b'\0\0\1\x26\1', b'']
)


CODEC = st.sampled_from(['h264', 'h265'])


@cases(0.05)
@example(packets=[(b'\0\0\1\x67', b'')], codec='h264')  # a parameter set of one byte
@example(  # numbers of 2**37 bits
    packets=[
        (b'\0\0\1\x67', b'BBB\x80' + b'\0\0\0\0\x08\0\0\0\0'),
        (b'\0\0\1\x65', b'a'),
        (b'\0\0\1\x41', b'b'),
    ],
    codec='h264',
)
@given(packets=st.lists(st.tuples(NAL, st.binary(max_size=40)), max_size=8), codec=CODEC)
def test_packets_of_a_video(packets: list[tuple[bytes, bytes]], codec: str) -> None:
    stream = VideoStream()
    for number, (start, rest) in enumerate(packets):
        message = CompressedImage(format=codec, data=array.array('B', start + rest))
        packet = to_packet(message, number)
        assert packet is not None
        pictures, _ = tried(functools.partial(stream.decode, packet), InvalidFrame)
        for shown in pictures or ():
            assert shown.to_rgb().shape[2] == 3
