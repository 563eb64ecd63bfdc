# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Keys and values in 8 or 4 bits: which layers of a cache mlx-vlm's quantised one replaces.

Each row is quantised once, when it is appended, so a stream is still exactly what a cold prefill
into the same kind of cache gives.  Knows cache classes; knows nothing of models.
"""

from __future__ import annotations

from typing import Any

from mlx_vlm.models.cache import KVCache, QuantizedKVCache, should_quantize_kv_layer

from vlmaxxing_ros.engine.errors import ModelError


def quantized(layers: list[Any], *, bits: int, head_dim: int) -> list[Any]:
    """An empty cache with its plain layers quantised, by mlx-vlm's rule: not the last of many.

    Raises:
        ModelError: the heads are too narrow to share a scale among 32 values or more.
    """
    group = next((size for size in (64, 32) if head_dim % size == 0), None)
    if group is None:
        raise ModelError(f'heads of {head_dim} values cannot be quantised: set kv_bits to 0')
    return [
        QuantizedKVCache(group_size=group, bits=bits)
        if type(layer) is KVCache and should_quantize_kv_layer(number, len(layers))
        else layer
        for number, layer in enumerate(layers)
    ]
