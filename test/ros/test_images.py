# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Every raw encoding, pixel by pixel against a reference; every bad message, refused by name."""

from __future__ import annotations

import array

import numpy as np
import pytest

pytest.importorskip('sensor_msgs', reason='needs the ROS 2 messages')

from ros.image_messages import HEIGHT, WIDTH, message, noise

from vlmaxxing_ros.ros.images import (
    ImageError,
    Scaling,
    check_range,
    to_rgb,
)


def yuv_to_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """BT.601, studio swing, written out."""
    y, u, v = (plane.astype(np.float64) for plane in (y, u, v))
    luma = 1.164383 * np.maximum(y - 16, 0)
    rgb = np.stack(
        [
            luma + 1.596027 * (v - 128),
            luma - 0.391762 * (u - 128) - 0.812968 * (v - 128),
            luma + 2.017232 * (u - 128),
        ],
        axis=-1,
    )
    return np.clip(rgb, 0, 255)


@pytest.mark.parametrize('padding', [0, 7])
@pytest.mark.parametrize(
    ('encoding', 'channels', 'order'),
    [
        ('mono8', 1, [0, 0, 0]),
        ('8UC1', 1, [0, 0, 0]),
        ('rgb8', 3, [0, 1, 2]),
        ('bgr8', 3, [2, 1, 0]),
        ('8UC3', 3, [2, 1, 0]),
        ('rgba8', 4, [0, 1, 2]),
        ('bgra8', 4, [2, 1, 0]),
        ('8UC4', 4, [2, 1, 0]),
    ],
)
def test_interleaved_encodings_are_reordered_exactly(
    encoding: str, channels: int, order: list[int], padding: int
) -> None:
    pixels = noise(HEIGHT, WIDTH, channels)
    rgb = to_rgb(message(encoding, pixels, padding=padding))
    np.testing.assert_array_equal(rgb, pixels[..., order])
    assert rgb.dtype == np.uint8


@pytest.mark.parametrize('encoding', ['mono8', 'rgb8', 'bgr8', 'rgba8', 'bgra8'])
def test_agrees_with_cv_bridge(encoding: str) -> None:
    bridge = pytest.importorskip('cv_bridge', reason='needs cv_bridge as a reference').CvBridge()
    channels = {'mono8': 1, 'rgb8': 3, 'bgr8': 3}.get(encoding, 4)
    image = message(encoding, noise(HEIGHT, WIDTH, channels))
    np.testing.assert_array_equal(to_rgb(image), bridge.imgmsg_to_cv2(image, 'rgb8'))


@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
@pytest.mark.parametrize('padding', [0, 6])
def test_bayer_patterns_give_back_a_flat_colour(pattern: str, padding: int) -> None:
    colour = {'r': 200, 'g': 120, 'b': 40}
    tile = np.array([colour[c] for c in pattern], np.uint8).reshape(2, 2)
    mosaic = np.tile(tile, (HEIGHT // 2, WIDTH // 2))
    rgb = to_rgb(message(f'bayer_{pattern}8', mosaic, padding=padding))
    np.testing.assert_array_equal(rgb, np.broadcast_to([200, 120, 40], (HEIGHT, WIDTH, 3)))


# The bayer_grbg8 of PyPI's cv_bridge is missing: its table says bayer_grbg.
@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg'])
def test_bayer_interpolates_like_cv_bridge(pattern: str) -> None:
    bridge = pytest.importorskip('cv_bridge', reason='needs cv_bridge as a reference').CvBridge()
    image = message(f'bayer_{pattern}8', noise(HEIGHT, WIDTH))
    np.testing.assert_array_equal(to_rgb(image), bridge.imgmsg_to_cv2(image, 'rgb8'))


@pytest.mark.parametrize('padding', [0, 12])
@pytest.mark.parametrize(
    ('encoding', 'places'),  # where y0, u, y1, v lie within the four bytes of two pixels
    [
        ('yuv422', (1, 0, 3, 2)),
        ('uyvy', (1, 0, 3, 2)),
        ('yuv422_yuy2', (0, 1, 2, 3)),
        ('yuyv', (0, 1, 2, 3)),
    ],
)
def test_yuv422_follows_bt601(encoding: str, places: tuple[int, ...], padding: int) -> None:
    pairs = noise(HEIGHT, WIDTH // 2, 4)
    y = np.stack([pairs[..., places[0]], pairs[..., places[2]]], axis=-1).reshape(HEIGHT, WIDTH)
    u, v = (np.repeat(pairs[..., place], 2, axis=1) for place in (places[1], places[3]))
    rgb = to_rgb(message(encoding, pairs.reshape(HEIGHT, -1), padding=padding))
    np.testing.assert_allclose(rgb, yuv_to_rgb(y, u, v), atol=1.5)


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize(('encoding', 'first'), [('nv21', 'v'), ('nv12', 'u')])
def test_semiplanar_yuv_follows_bt601(encoding: str, first: str, padding: int) -> None:
    y, chroma = noise(HEIGHT, WIDTH), noise(HEIGHT // 2, WIDTH // 2, 2, seed=1)
    planes = np.repeat(np.repeat(chroma, 2, axis=0), 2, axis=1)
    u, v = (planes[..., 1], planes[..., 0]) if first == 'v' else (planes[..., 0], planes[..., 1])
    buffer = np.concatenate([y, chroma.reshape(HEIGHT // 2, WIDTH)])
    rgb = to_rgb(message(encoding, buffer, padding=padding))
    np.testing.assert_allclose(rgb, yuv_to_rgb(y, u, v), atol=1.5)


def test_yuv444_follows_bt601_and_is_refused_where_its_rows_are_padded() -> None:
    y, chroma = noise(HEIGHT - 1, WIDTH), noise(HEIGHT - 1, WIDTH, 2, seed=1)
    buffer = np.concatenate([y, chroma.reshape(-1, WIDTH)])
    image = message('nv24', buffer, height=HEIGHT - 1)
    np.testing.assert_allclose(to_rgb(image), yuv_to_rgb(y, *np.moveaxis(chroma, 2, 0)), atol=1.5)
    image.step += 2
    with pytest.raises(ImageError, match='without padding'):
        to_rgb(image)


@pytest.mark.parametrize('encoding', ['mono16', '16UC1', '32FC1'])
def test_images_without_colours_are_refused_until_scaling_is_configured(encoding: str) -> None:
    kind = np.float32 if encoding == '32FC1' else np.uint16
    with pytest.raises(ImageError, match=r'set the parameter <camera>\.(depth|mono16)_range'):
        to_rgb(message(encoding, np.ones((HEIGHT, WIDTH), kind)))


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize(
    ('encoding', 'kind', 'per_metre'), [('16UC1', 'u2', 1e3), ('32FC1', 'f4', 1)]
)
def test_depth_is_white_when_near_and_black_when_far_or_unknown(
    encoding: str, kind: str, per_metre: float, order: str
) -> None:
    metres = np.tile([0.25, 0.5, 1.3, 2.5, 9.0, 0.0, 0.5, 0.5, 0.5, 0.5], (HEIGHT, 1))
    image = message(encoding, (metres * per_metre).astype(order + kind), padding=4)
    image.is_bigendian = int(order == '>')
    rgb = to_rgb(image, Scaling(depth_range=(0.5, 2.5)))
    np.testing.assert_array_equal(rgb[0, :6, 0], [255, 255, 153, 0, 0, 0])
    assert (rgb == rgb[..., :1]).all()


def test_missing_depth_readings_are_black() -> None:
    values = np.full((HEIGHT, WIDTH), np.nan, np.float32)
    values[0, 0], values[0, 1] = np.inf, -np.inf
    assert not to_rgb(message('32FC1', values), Scaling(depth_range=(0.5, 2.5))).any()


@pytest.mark.parametrize('order', ['<', '>'])
def test_mono16_is_scaled_between_black_and_white(order: str) -> None:
    counts = np.tile(np.array([0, 1000, 1500, 2000, 65535] * 2), (HEIGHT, 1))
    image = message('mono16', counts.astype(order + 'u2'))
    image.is_bigendian = int(order == '>')
    rgb = to_rgb(image, Scaling(mono16_range=(1000, 2000)))
    np.testing.assert_array_equal(rgb[0, :5, 1], [0, 0, 128, 255, 255])


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize('encoding', ['rgb16', 'bgr16', 'rgba16', 'bgra16', '16UC3', '16UC4'])
def test_colours_of_16_bits_are_scaled_by_the_rule_of_mono16(
    encoding: str, order: str, padding: int
) -> None:
    eight = {'16UC3': 'bgr8', '16UC4': 'bgra8'}.get(encoding, encoding.replace('16', '8'))
    pixels = noise(HEIGHT, WIDTH, 3 if eight in ('rgb8', 'bgr8') else 4)
    counts = pixels.astype(np.uint16) * 16 + 100
    image = message(encoding, counts.astype(order + 'u2'), padding=padding)
    image.is_bigendian = int(order == '>')
    with pytest.raises(ImageError, match='mono16_range'):
        to_rgb(image)
    rgb = to_rgb(image, Scaling(mono16_range=(100, 100 + 255 * 16)))
    np.testing.assert_array_equal(rgb, to_rgb(message(eight, pixels)))


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
def test_bayer_of_16_bits_is_scaled_by_the_rule_of_mono16(pattern: str, order: str) -> None:
    mosaic = noise(HEIGHT, WIDTH)
    image = message(f'bayer_{pattern}16', (mosaic.astype(np.uint16) * 4).astype(order + 'u2'))
    image.is_bigendian = int(order == '>')
    rgb = to_rgb(image, Scaling(mono16_range=(0, 255 * 4)))
    np.testing.assert_array_equal(rgb, to_rgb(message(f'bayer_{pattern}8', mosaic)))


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'encoding': 'rgb48'}, 'not supported; publish one of'),
        ({'encoding': ''}, 'not supported'),
        ({'encoding': 'bayer_rggb12'}, 'not supported'),
        ({'width': 0}, 'at least 1'),
        ({'height': 0}, 'at least 1'),
        ({'step': 29}, 'step is 29 bytes, a row needs at least 30'),
        ({'step': 0}, 'step is 0'),
        ({'step': 31}, 'truncated or its step is wrong'),
        ({'data': array.array('B')}, 'holds 0 bytes'),
        ({'data': array.array('B', bytes(179))}, 'holds 179 bytes'),
        ({'data': array.array('B', bytes(181))}, 'holds 181 bytes'),
        ({'height': 4_000_000_000}, 'truncated'),
        ({'width': 4_000_000_000}, 'a row needs at least'),
    ],
)
def test_bad_messages_are_refused_and_say_why(change: dict[str, object], said: str) -> None:
    image = message('rgb8', noise(HEIGHT, WIDTH, 3))
    for name, value in change.items():
        setattr(image, name, value)
    with pytest.raises(ImageError, match=said):
        to_rgb(image)


@pytest.mark.parametrize('encoding', ['yuv422', 'yuyv', 'nv21', 'nv12', 'bayer_rggb8'])
def test_subsampled_encodings_need_an_even_width(encoding: str) -> None:
    image = message(encoding, noise(HEIGHT, WIDTH))
    image.width = WIDTH - 1
    with pytest.raises(ImageError, match='even sides'):
        to_rgb(image)


def test_a_range_of_zeros_means_not_configured() -> None:
    assert check_range([0.0, 0.0], 'camera.depth_range') is None
    assert check_range([0.5, 4.0], 'camera.depth_range') == (0.5, 4.0)


@pytest.mark.parametrize('bounds', [[2.0, 1.0], [1.0, 1.0], [1.0], [0.0, float('inf')], [1, 2, 3]])
def test_a_bad_range_is_refused_by_name(bounds: list[float]) -> None:
    with pytest.raises(ValueError, match=r'camera\.depth_range must be'):
        check_range(bounds, 'camera.depth_range')
