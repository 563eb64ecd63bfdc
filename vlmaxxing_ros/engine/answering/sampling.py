# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""From logits to a token: greedy, or nucleus sampling with an explicit key.

Knows nothing of models; keeps no global random state, so that questions never disturb each other.
"""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx


def make_sampler(temperature: float, top_p: float, seed: int) -> Callable[[mx.array], int]:
    """Return a function from logits (float [vocabulary]) to a token id.

    Args:
        temperature: 0 is greedy.
        top_p: sample from the smallest set of tokens with at least this probability
            (nucleus sampling, arXiv 1904.09751); 0 and 1 mean no limit.
        seed: the same seed draws the same tokens.
    """
    if temperature == 0.0:
        return lambda logits: _index(mx.argmax(logits))

    key = mx.random.key(seed)

    def sample(logits: mx.array) -> int:
        nonlocal key
        key, draw = mx.random.split(key)
        scaled = logits / temperature
        if 0.0 < top_p < 1.0:
            order = mx.argsort(-scaled)
            ranked = mx.softmax(scaled[order], precise=True)
            before = mx.cumsum(ranked) - ranked
            choice = mx.random.categorical(
                mx.where(before < top_p, mx.log(ranked), -mx.inf), key=draw
            )
            return _index(order[choice])
        return _index(mx.random.categorical(scaled, key=draw))

    return sample


def _index(scalar: mx.array) -> int:
    value = scalar.item()
    assert isinstance(value, int)
    return value
