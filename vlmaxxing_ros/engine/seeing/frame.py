# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""An RGB frame on the model's block grid.

Knows pixels and blocks; knows nothing of messages, models or what changed.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import cv2
import numpy as np

from vlmaxxing_ros.engine.errors import InvalidFrame
from vlmaxxing_ros.engine.seeing.region import WHOLE, Region

_DENSE = 1.5  # pixels from one bilinear sample to the next, with which none is left out


@dataclass(frozen=True)
class Grid:
    """A frame's blocks: `rows` x `cols` of `block` x `block` pixels, in row-major order."""

    rows: int
    cols: int
    block: int

    @property
    def blocks(self) -> int:
        """Number of blocks of one frame."""
        return self.rows * self.cols

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.rows * self.block

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.cols * self.block


def fit_grid(height: int, width: int, *, block: int, max_blocks: int, min_blocks: int = 1) -> Grid:
    """Choose the grid for an image: nearest in size and aspect ratio within the bounds.

    The rule is Qwen2-VL's `smart_resize`, counted in blocks rather than pixels.

    Raises:
        InvalidFrame: an empty image, or one so long and thin that no grid fits.
    """
    if height < 1 or width < 1:
        raise InvalidFrame(f'image of {width}x{height} pixels: both sides must be at least 1')
    rows, cols = max(1, round(height / block)), max(1, round(width / block))
    if rows * cols > max_blocks:
        scale = math.sqrt(height * width / max_blocks)
        rows = max(1, math.floor(height / scale))
        cols = max(1, math.floor(width / scale))
        rows, cols = min(rows, max_blocks // cols or 1), min(cols, max_blocks // rows or 1)
    elif rows * cols < min_blocks:
        scale = math.sqrt(height * width / min_blocks)
        rows, cols = math.ceil(height / scale), math.ceil(width / scale)
    if rows * cols > max_blocks:
        raise InvalidFrame(
            f'image of {width}x{height} pixels does not fit in {max_blocks} blocks of '
            f'{block} pixels: raise max_blocks or crop the image'
        )
    return Grid(rows, cols, block)


@dataclass(frozen=True)
class Frame:
    """One camera image, resized onto its grid.

    Attributes:
        pixels: uint8 [grid.height, grid.width, 3], RGB; never written to.
        grid: the block grid.
        stamp: nanoseconds, from the image's header.
        frame_id: coordinate frame, from the image's header.
        elapsed: seconds since the stream began; models that read a clock are told.
        view: the part of the camera's image that is on the grid.
        anchor: number of the lattice that the blocks stand on; 0: the image as it is.  Blocks at
            the same position show the same place only on one lattice.
        image: what the pixels were made from, until it has been seen: uint8 [height, width, 3];
            None: the pixels themselves.
    """

    pixels: np.ndarray
    grid: Grid
    stamp: int
    frame_id: str = ''
    elapsed: float = 0.0
    view: Region = WHOLE
    anchor: int = 0
    image: np.ndarray | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        expected = (self.grid.height, self.grid.width, 3)
        if self.pixels.shape != expected or self.pixels.dtype != np.uint8:
            raise InvalidFrame(
                f'pixels are {self.pixels.dtype} {self.pixels.shape}, not uint8 {expected}'
            )

    @cached_property
    def digest(self) -> str:
        """What the pixels are known by on the ledger; computed when it is asked for."""
        return hashlib.blake2b(self.pixels.data, digest_size=16).hexdigest()

    def shows_the_same(self, other: Frame | None) -> bool:
        """Whether another frame has the very same pixels."""
        return other is not None and np.array_equal(self.pixels, other.pixels)

    @classmethod
    def from_image(cls, image: np.ndarray, grid: Grid, *, stamp: int, frame_id: str = '') -> Frame:
        """Resize an RGB image (uint8 [height, width, 3]) onto `grid`.

        Raises:
            InvalidFrame: the array is not an RGB image.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise InvalidFrame(
                f'image is {image.dtype} {image.shape}, not uint8 [height, width, 3]'
            )
        if image.shape[:2] == (grid.height, grid.width):
            return cls(np.ascontiguousarray(image), grid, stamp, frame_id)
        pixels = np.ascontiguousarray(resize(image, grid.width, grid.height))
        return cls(pixels, grid, stamp, frame_id, image=image)

    def blocks(self) -> np.ndarray:
        """The pixels block by block: uint8 [blocks, block, block, 3]."""
        g = self.grid
        tiles = self.pixels.reshape(g.rows, g.block, g.cols, g.block, 3)
        return tiles.transpose(0, 2, 1, 3, 4).reshape(g.blocks, g.block, g.block, 3)

    def with_blocks(self, reference: np.ndarray, fresh: np.ndarray) -> Frame:
        """This frame where `fresh` (bool [rows, cols]) is set, `reference`'s pixels elsewhere."""
        mask = np.repeat(np.repeat(fresh, self.grid.block, 0), self.grid.block, 1)
        return replace(self, pixels=np.where(mask[..., None], self.pixels, reference))

    @property
    def source(self) -> np.ndarray:
        """The sharpest there is of the image: uint8 [height, width, 3]."""
        return self.pixels if self.image is None else self.image

    @property
    def seen(self) -> Frame:
        """This frame without the image that it was made from."""
        return self if self.image is None else replace(self, image=None)

    def since(self, origin: int) -> Frame:
        """This frame, of a stream whose first frame has the stamp `origin` (nanoseconds)."""
        return replace(self, elapsed=(self.stamp - origin) * 1e-9)


def resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize an image; every pixel has a say, so that small things stay visible.

    Halved while it is too large, then bilinear; by way of twice the size wanted where pixels would
    fall between the samples.  `INTER_AREA` alone takes three to five times as long.
    """
    while image.shape[0] >= 2 * height and image.shape[1] >= 2 * width:
        image = _halved(image)
    if image.shape[:2] == (height, width):
        return image
    spacing = max(image.shape[0] / height, image.shape[1] / width)
    if spacing <= _DENSE:
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    if spacing > 2.0:  # another aspect ratio
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    twice = (2 * width, 2 * height)
    return _halved(cv2.resize(image, twice, interpolation=cv2.INTER_LINEAR))


def _halved(image: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels; an odd last row or column is left out."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    even = image[: 2 * height, : 2 * width]
    return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
