# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Images on the block grid."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from mlx_vlm.models.qwen3_vl.processing_qwen3_vl import _smart_resize_image

from vlmaxxing_ros.engine.errors import InvalidFrame
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid, fit_grid


@pytest.mark.parametrize('size', [(480, 640), (1080, 1920), (112, 112), (994, 1768), (30, 300)])
@pytest.mark.parametrize('max_blocks', [48, 192, 5000])
def test_the_grid_is_what_the_stock_processor_would_choose(
    size: tuple[int, int], max_blocks: int
) -> None:
    grid = fit_grid(*size, block=28, max_blocks=max_blocks)
    stock = _smart_resize_image(*size, factor=28, min_pixels=784, max_pixels=max_blocks * 784)
    assert (grid.height, grid.width) == tuple(stock)


def test_a_grid_never_exceeds_the_limit() -> None:
    for height, width in [(10, 3000), (3000, 10), (1, 1), (5000, 5000)]:
        grid = fit_grid(height, width, block=28, max_blocks=20)
        assert 1 <= grid.blocks <= 20


def test_an_empty_image_is_refused() -> None:
    with pytest.raises(InvalidFrame, match='at least 1'):
        fit_grid(0, 640, block=28, max_blocks=48)


def test_blocks_are_cut_in_row_major_order() -> None:
    grid = Grid(2, 3, 28)
    numbered = np.arange(6, dtype=np.uint8).reshape(2, 3)
    pixels = np.repeat(np.repeat(numbered, 28, 0), 28, 1)[..., None].repeat(3, 2)
    blocks = Frame(pixels, grid, 0).blocks()
    assert blocks.shape == (6, 28, 28, 3)
    assert [int(b.max()) for b in blocks] == [0, 1, 2, 3, 4, 5]


def test_an_image_is_resized_onto_the_grid() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    frame = Frame.from_image(image, Grid(6, 8, 28), stamp=7, frame_id='cam')
    assert frame.pixels.shape == (168, 224, 3)
    assert (frame.stamp, frame.frame_id) == (7, 'cam')


SIZES = [
    ((480, 640), Grid(12, 16, 28)),
    ((481, 641), Grid(12, 16, 28)),
    ((720, 1280), Grid(10, 18, 28)),
    ((1080, 1920), Grid(10, 18, 28)),
    ((1080, 1920), Grid(17, 23, 28)),
    ((300, 1200), Grid(9, 18, 28)),
]


@pytest.mark.parametrize(('size', 'grid'), SIZES)
def test_a_resized_image_is_what_area_averaging_gives_but_for_a_little_blur(
    size: tuple[int, int], grid: Grid
) -> None:
    small = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    image = cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC)
    resized = Frame.from_image(image, grid, stamp=0).pixels.astype(int)
    reference = cv2.resize(image, (grid.width, grid.height), interpolation=cv2.INTER_AREA)
    assert np.abs(resized - reference).mean() < 1.0


@pytest.mark.parametrize(('size', 'grid'), SIZES)
def test_a_line_of_one_pixel_stays_visible_wherever_it_is(
    size: tuple[int, int], grid: Grid
) -> None:
    area = max(1.0, size[0] / grid.height) * max(1.0, size[1] / grid.width)
    for place in range(60, 90):
        image = np.zeros((*size, 3), np.uint8)
        image[:, place] = 255
        assert Frame.from_image(image, grid, stamp=0).pixels.max() > 100 / area**0.5


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
)
def test_what_is_no_rgb_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(InvalidFrame, match='not uint8'):
        Frame.from_image(image, Grid(1, 1, 28), stamp=0)


def test_with_blocks_mixes_new_and_reference_pixels() -> None:
    grid = Grid(1, 2, 28)
    new = Frame(np.full((28, 56, 3), 9, np.uint8), grid, 1)
    mixed = new.with_blocks(np.zeros((28, 56, 3), np.uint8), np.array([[False, True]]))
    assert mixed.pixels[:, :28].max() == 0
    assert mixed.pixels[:, 28:].min() == 9


def test_a_frame_knows_how_long_its_stream_has_run() -> None:
    frame = Frame(np.zeros((28, 28, 3), np.uint8), Grid(1, 1, 28), 1_700_000_003_400_000_000, 'eye')
    later = frame.since(1_700_000_000_000_000_000)
    assert (frame.elapsed, later.elapsed) == (0.0, pytest.approx(3.4))
    assert (later.stamp, later.frame_id) == (frame.stamp, 'eye')
    assert later.with_blocks(frame.pixels, np.array([[True]])).elapsed == later.elapsed


def test_equal_pixels_have_equal_digests() -> None:
    grid = Grid(1, 1, 28)
    a, b = (Frame(np.full((28, 28, 3), value, np.uint8), grid, value) for value in (1, 2))
    assert a.digest == Frame(a.pixels.copy(), grid, 99).digest
    assert a.digest != b.digest
