# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""From logits to a token: greedy, or nucleus sampling with an explicit key; and how sure that is.

Logits that are no numbers are an error, never a token.  Knows nothing of models; keeps no global
random state, so that questions never disturb each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import mlx.core as mx

from vlmaxxing_ros.engine.errors import ModelError


def make_sampler(temperature: float, top_p: float, seed: int) -> Callable[[mx.array], int]:
    """Return a function from logits (float [vocabulary]) to a token id.

    Args:
        temperature: 0 is greedy.
        top_p: sample from the smallest set of tokens with at least this probability
            (nucleus sampling, arXiv 1904.09751); 0 and 1 mean no limit.
        seed: the same seed draws the same tokens.

    The function raises:
        ModelError: a logit is not finite; -inf is that of a token which is ruled out.
    """
    if temperature == 0.0:
        return lambda logits: _index(mx.argmax(logits), logits)

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
            return _index(order[choice], logits)
        return _index(mx.random.categorical(scaled, key=draw), logits)

    return sample


def margin(logits: mx.array) -> float:
    """Nats from the likeliest token (float [vocabulary]) to the next; inf: there is no other."""
    first = mx.argmax(logits)
    others = mx.where(mx.arange(logits.size) == first, -mx.inf, logits)
    value = (logits[first] - others.max()).item()
    assert isinstance(value, float)
    return value


def not_finite(what: str) -> ModelError:
    """The error that says so of a model's logits."""
    return ModelError(
        f"the model's logits are not finite ({what}): its weights are damaged or overflow in this "
        'dtype; try dtype bfloat16 or float32, and ~/reset to forget what was seen'
    )


def _index(scalar: mx.array, logits: mx.array) -> int:
    total = mx.logsumexp(logits)
    mx.eval(scalar, total)
    if not math.isfinite(total.item()):
        raise not_finite(f'their sum is {total.item()}')
    value = scalar.item()
    assert isinstance(value, int)
    return value
