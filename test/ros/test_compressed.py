# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Compressed images: read as raw ones are, or refused with a reason and undecoded."""

from __future__ import annotations

import array
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('sensor_msgs', reason='needs the ROS 2 messages')

from ros.image_messages import HEIGHT, WIDTH, compressed, noise
from ros.rvl_encoder import encode
from sensor_msgs.msg import CompressedImage, Image

from vlmaxxing_ros.ros.images import (
    ImageError,
    Scaling,
    compressed_to_rgb,
    to_rgb,
)


def test_png_of_16_bits_is_scaled_by_the_rule_of_mono16() -> None:
    colours = noise(HEIGHT, WIDTH, 3)
    for pixels in (colours, colours[..., 0]):
        image = compressed('.png', pixels.astype(np.uint16) * 4)
        with pytest.raises(ImageError, match='mono16_range'):
            compressed_to_rgb(image)
        rgb = compressed_to_rgb(image, Scaling(mono16_range=(0, 255 * 4)))
        np.testing.assert_array_equal(rgb, compressed_to_rgb(compressed('.png', pixels)))


@pytest.mark.parametrize('name', ['png', 'rgb8; png compressed bgr8'])
def test_png_is_lossless(name: str) -> None:
    bgr = noise(HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(compressed_to_rgb(compressed('.png', bgr, name)), bgr[..., ::-1])


def test_png_with_alpha_and_grey_png_become_rgb() -> None:
    bgra, grey = noise(HEIGHT, WIDTH, 4), noise(HEIGHT, WIDTH)
    np.testing.assert_array_equal(compressed_to_rgb(compressed('.png', bgra)), bgra[..., 2::-1])
    np.testing.assert_array_equal(
        compressed_to_rgb(compressed('.png', grey)), np.repeat(grey[..., None], 3, axis=2)
    )


def test_jpeg_keeps_colours_in_rgb_order() -> None:
    bgr = np.broadcast_to(np.uint8([30, 60, 220]), (32, 32, 3))  # mostly red
    rgb = compressed_to_rgb(compressed('.jpg', bgr, 'bgr8; jpeg compressed bgr8'))
    np.testing.assert_allclose(rgb, np.broadcast_to([220, 60, 30], (32, 32, 3)), atol=4)


def test_compressed_depth_in_png_is_scaled_like_raw_depth() -> None:
    millimetres = np.tile(np.uint16([500, 1300, 2500, 0, 9000]), (HEIGHT, 2))
    image = compressed('.png', millimetres, '16UC1; png compressed ')
    with pytest.raises(ImageError, match='depth_range'):
        compressed_to_rgb(image)
    rgb = compressed_to_rgb(image, Scaling(depth_range=(0.5, 2.5)))
    np.testing.assert_array_equal(rgb[0, :5, 0], [255, 153, 0, 0, 0])


@pytest.mark.parametrize('extension', ['.png', '.jpg'])
@pytest.mark.parametrize('kept', [0, 4, 0.5, 0.98])
def test_truncated_compressed_images_are_refused(extension: str, kept: float) -> None:
    image = compressed(extension, noise(48, 64, 3))
    size = kept if kept > 1 else int(len(image.data) * kept)
    image.data = image.data[:size]
    with pytest.raises(ImageError, match=r'truncated|neither JPEG nor PNG'):
        compressed_to_rgb(image)


@pytest.mark.parametrize('extension', ['.png', '.jpg'])
@pytest.mark.parametrize(
    'behind',
    [
        bytes(1),
        bytes(100),
        bytes(512),
        bytes(70_000),
        b'\xff' * 64,
        b'\xff\xd8\xff\xe0 more',
        b'\n',
    ],
)
def test_whole_images_are_whole_whatever_follows(extension: str, behind: bytes) -> None:
    image = compressed(extension, noise(48, 64, 3))
    alone = compressed_to_rgb(image)
    image.data.extend(behind)
    np.testing.assert_array_equal(compressed_to_rgb(image), alone)


@pytest.mark.parametrize('progressive', [0, 1])
def test_a_thumbnail_s_end_is_not_the_image_s(progressive: int) -> None:
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive, cv2.IMWRITE_JPEG_RST_INTERVAL, 2]
    _, data = cv2.imencode('.jpg', noise(48, 64, 3), options)
    _, thumbnail = cv2.imencode('.jpg', noise(8, 8, 3))
    inside = b'Exif\0\0' + thumbnail.tobytes()
    segment = b'\xff\xe1' + (len(inside) + 2).to_bytes(2, 'big') + inside
    whole = data.tobytes()[:2] + segment + data.tobytes()[2:]
    image = CompressedImage(format='jpeg', data=array.array('B', whole))
    assert compressed_to_rgb(image).shape == (48, 64, 3)
    image.data = image.data[: len(segment) + len(data) // 2]
    with pytest.raises(ImageError, match='truncated'):
        compressed_to_rgb(image)


@pytest.mark.parametrize(
    ('extension', 'name'), [('.tiff', 'TIFF'), ('.webp', 'WebP'), ('.bmp', 'BMP')]
)
def test_an_image_of_another_kind_is_named(extension: str, name: str) -> None:
    image = compressed(extension, noise(HEIGHT, WIDTH, 3))
    with pytest.raises(ImageError, match=f'of {name}.* not read: have the publisher send jpeg'):
        compressed_to_rgb(image)


def test_what_a_publisher_says_is_quoted_at_a_readable_length() -> None:
    long = 'x' * 5000
    for convert, message in (
        (to_rgb, Image(height=2, width=2, encoding=long, step=6, data=bytes(12))),
        (compressed_to_rgb, CompressedImage(format=long, data=b'none')),
        (compressed_to_rgb, CompressedImage(format=f'{long} compressedDepth', data=bytes(20))),
    ):
        with pytest.raises(ImageError) as refusal:
            convert(message)
        assert 'xxx...' in str(refusal.value)
        assert len(str(refusal.value)) < 600


def test_video_whose_format_does_not_say_so_is_told() -> None:
    image = CompressedImage(format='', data=array.array('B', b'\0\0\0\1\x67' + bytes(50)))
    with pytest.raises(ImageError, match='the format should then say h264 or h265'):
        compressed_to_rgb(image)


def test_a_png_whose_pixels_are_damaged_is_refused() -> None:
    image = compressed('.png', noise(48, 64, 3))
    image.data[len(image.data) // 2] ^= 0xFF
    with pytest.raises(ImageError, match='damaged'):
        compressed_to_rgb(image)


def test_a_compressed_image_with_a_destroyed_body_is_refused() -> None:
    image = compressed('.png', noise(48, 64, 3))
    image.data[16:60] = array.array('B', bytes(44))
    with pytest.raises(ImageError, match='damaged'):
        compressed_to_rgb(image)


def compressed_depth(pixels: np.ndarray, name: str, a: float = 0.0, b: float = 0.0) -> Any:
    """As compressed_depth_image_transport publishes it: a header of 12 bytes, then a PNG."""
    image = compressed('.png', pixels, name)
    image.data = array.array('B', struct.pack('<iff', 0, a, b) + image.data.tobytes())
    return image


def test_compressed_depth_in_millimetres_is_scaled_like_raw_depth() -> None:
    millimetres = np.tile(np.uint16([500, 1300, 2500, 0, 9000]), (HEIGHT, 2))
    image = compressed_depth(millimetres, '16UC1; compressedDepth png')
    with pytest.raises(ImageError, match='depth_range'):
        compressed_to_rgb(image)
    rgb = compressed_to_rgb(image, Scaling(depth_range=(0.5, 2.5)))
    np.testing.assert_array_equal(rgb[0, :5, 0], [255, 153, 0, 0, 0])


def test_compressed_depth_in_metres_is_quantized_by_its_inverse() -> None:
    metres = np.tile([0.5, 1.3, 2.5, 9.0, 0.75], (HEIGHT, 2))
    a = 100.0 * 101.0
    b = 1.0 - a / 10.0
    coded = np.rint(a / metres + b).astype(np.uint16)
    coded[:, 4] = 0  # no reading
    image = compressed_depth(coded, '32FC1; compressedDepth png', a, b)
    rgb = compressed_to_rgb(image, Scaling(depth_range=(0.5, 2.5)))
    np.testing.assert_array_equal(rgb[0, :5, 0], [255, 153, 0, 0, 0])


def test_compressed_depth_in_rvl_is_what_it_is_in_png() -> None:
    millimetres = np.tile(np.uint16([500, 1300, 2500, 0, 9000]), (HEIGHT, 2))
    image = compressed_depth(millimetres, '16UC1; compressedDepth png')
    depth_range = Scaling(depth_range=(0.5, 2.5))
    wanted = compressed_to_rgb(image, depth_range)
    image.format = '16UC1; compressedDepth rvl'
    code = struct.pack('<iff', 0, 0.0, 0.0) + encode(millimetres).tobytes()
    image.data = array.array('B', code)
    np.testing.assert_array_equal(compressed_to_rgb(image, depth_range), wanted)
    with pytest.raises(ImageError, match='max_image_pixels'):
        compressed_to_rgb(image, depth_range, max_pixels=10)


@pytest.mark.parametrize('name', ['16UC1; compressedDepth png', '16UC1; compressedDepth rvl'])
def test_compressed_depth_that_cannot_be_read_is_refused_with_a_reason(name: str) -> None:
    image = compressed('.png', noise(HEIGHT, WIDTH), name)  # no header
    with pytest.raises(ImageError, match=r'no whole (PNG|RVL image) behind|max_image_pixels'):
        compressed_to_rgb(image, Scaling(depth_range=(0.5, 2.5)))


def bomb(extension: str, width: int, height: int) -> CompressedImage:
    """A small image whose header claims to be a large one."""
    image = compressed(extension, noise(16, 16, 3))
    data = bytearray(image.data.tobytes())
    if extension == '.png':
        data[16:24] = struct.pack('>II', width, height)
        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, 'big')
    else:
        at = data.index(b'\xff\xc0') + 5
        data[at : at + 4] = struct.pack('>HH', height, width)
    image.data = array.array('B', bytes(data))
    return image


@pytest.mark.parametrize(
    ('extension', 'width', 'height'),
    [('.png', 100_000, 100_000), ('.png', 2**32 - 1, 2**32 - 1), ('.jpg', 65_500, 65_500)],
)
def test_an_image_that_claims_to_be_huge_is_refused_undecoded(
    extension: str, width: int, height: int
) -> None:
    with pytest.raises(ImageError, match=f'{width}x{height} pixels.*max_image_pixels'):
        compressed_to_rgb(bomb(extension, width, height))


def test_the_bound_is_the_one_that_is_set() -> None:
    image = compressed('.png', noise(20, 30, 3))
    assert compressed_to_rgb(image, max_pixels=600).shape == (20, 30, 3)
    with pytest.raises(ImageError, match='30x20 pixels'):
        compressed_to_rgb(image, max_pixels=599)


def test_depth_that_claims_to_be_huge_is_refused_undecoded() -> None:
    image = bomb('.png', 100_000, 100_000)
    image.format = '16UC1; compressedDepth png'
    image.data = array.array('B', bytes(12) + image.data.tobytes())
    with pytest.raises(ImageError, match='max_image_pixels'):
        compressed_to_rgb(image, Scaling(depth_range=(0.5, 2.5)))


@pytest.mark.parametrize('extension', ['.png', '.jpg'])
def test_what_opencv_itself_refuses_is_an_image_that_cannot_be_used(extension: str) -> None:
    with pytest.raises(ImageError):
        compressed_to_rgb(bomb(extension, 65_500, 65_500), max_pixels=10**12)
