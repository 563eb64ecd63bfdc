# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Rows of a layer's cache are rewritten where they stand, and nowhere else."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from mlx_vlm.models.cache import KVCache, QuantizedKVCache

from vlmaxxing_ros.engine.families.row_writer import row_writer

ROWS = mx.array([1, 3])
MASK = mx.ones((2, 5), dtype=mx.bool_)


def rows(count: int, seed: int) -> mx.array:
    """Keys or values of two heads: [1, 2, count, 32]."""
    return mx.array(np.random.default_rng(seed).normal(size=(1, 2, count, 32)).astype(np.float32))


def filled(layer: KVCache | QuantizedKVCache) -> KVCache | QuantizedKVCache:
    layer.update_and_fetch(rows(5, 0), rows(5, 1))
    return layer


def test_rows_are_written_in_place_and_all_are_returned() -> None:
    layer = filled(KVCache())
    keys, values = row_writer(layer, ROWS, MASK).update_and_fetch(rows(2, 2), rows(2, 3))
    assert keys.shape == values.shape == (1, 2, 5, 32)
    assert mx.array_equal(keys[:, :, ROWS], rows(2, 2))
    assert mx.array_equal(values[:, :, ROWS], rows(2, 3))
    others = mx.array([0, 2, 4])
    assert mx.array_equal(keys[:, :, others], rows(5, 0)[:, :, others])
    assert mx.array_equal(layer.keys[:, :, :5], keys)


def test_the_mask_is_the_one_given_and_the_offset_the_layers() -> None:
    writer = row_writer(filled(KVCache()), ROWS, MASK)
    assert writer.make_mask(2, return_array=True, window_size=None) is MASK
    assert writer.offset == 5
    assert not hasattr(writer, 'bits')  # mlx-vlm tells a quantised cache by this


@pytest.mark.parametrize('bits', [4, 8])
def test_quantised_rows_are_what_appending_them_would_have_written(bits: int) -> None:
    layer = filled(QuantizedKVCache(group_size=32, bits=bits))
    writer = row_writer(layer, ROWS, MASK)
    keys, values = writer.update_and_fetch(rows(2, 2), rows(2, 3))
    appended = QuantizedKVCache(group_size=32, bits=bits)
    expected = appended.update_and_fetch(rows(2, 2), rows(2, 3))
    for held, fresh in zip([*keys, *values], [*expected[0], *expected[1]], strict=True):
        assert held.shape[2] == 5
        assert mx.array_equal(held[:, :, ROWS], fresh)
    assert (writer.bits, writer.group_size) == (bits, 32)
