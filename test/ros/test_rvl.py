# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""RVL depth images: what the publication's encoder made of them comes back, all else is none."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from ros.rvl_encoder import encode

from vlmaxxing_ros.ros.rvl import decode_rvl, rvl_size


def scenes() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    smooth = (1000 + np.add.outer(np.arange(48) * 7, np.arange(64) * 3)).astype(np.uint16)
    holes = smooth * (random.random(smooth.shape) < 0.7)
    return {
        'smooth': smooth,
        'with holes': holes.astype(np.uint16),
        'noise': random.integers(0, 1 << 16, (31, 17)).astype(np.uint16),
        'extremes': np.tile(np.uint16([0, 65535, 1, 0, 65535, 65534]), (3, 2)),
        'nothing at all': np.zeros((5, 7), np.uint16),
        'no hole': np.full((5, 7), 3, np.uint16),
        'a hole at the end': np.uint16([[5, 6, 0]]),
        'one pixel': np.uint16([[9]]),
    }


@pytest.mark.parametrize('name', scenes())
def test_what_was_encoded_comes_back(name: str) -> None:
    pixels = scenes()[name]
    data = encode(pixels)
    assert rvl_size(data) == (pixels.shape[1], pixels.shape[0])
    decoded = decode_rvl(data)
    assert decoded is not None
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, pixels)


def test_what_is_behind_the_image_does_not_matter() -> None:
    pixels = scenes()['with holes']
    padded = np.concatenate([encode(pixels), np.zeros(13, np.uint8)])
    np.testing.assert_array_equal(decode_rvl(padded), pixels)


@pytest.mark.parametrize('count', [0, 7, 8, 40, -4])
def test_an_image_that_was_cut_off_is_none(count: int) -> None:
    data = encode(scenes()['noise'])[: count or 0]
    assert decode_rvl(data) is None or not decode_rvl(data).size


def test_numbers_that_do_not_end_are_none() -> None:
    endless = struct.pack('<II', 8, 8) + b'\xff' * 64
    assert decode_rvl(np.frombuffer(endless, np.uint8)) is None
    runs_of_nothing = struct.pack('<II', 8, 8) + bytes(64)
    assert decode_rvl(np.frombuffer(runs_of_nothing, np.uint8)) is None
