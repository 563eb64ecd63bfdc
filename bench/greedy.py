# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The greedy answer on a cache, with what is needed to tell how near to another one it was."""

from __future__ import annotations

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.families import Family


def divergence(before: np.ndarray, after: np.ndarray) -> float:
    """Kullback-Leibler divergence of log-probabilities from those before: nats, summed."""
    return float((np.exp(before) * (before - after)).sum())


def greedy_answer(family: Family, cache: RollingCache, text: str) -> tuple[np.ndarray, str]:
    """Log-probabilities of the first token, and the greedy answer."""
    first, ids = greedy_tokens(family, cache, text)
    return first, family.text.decode(ids)


def greedy_tokens(family: Family, cache: RollingCache, text: str) -> tuple[np.ndarray, list[int]]:
    """Log-probabilities of the first token, and the greedy answer's tokens."""
    fork = cache.fork()
    logits = fork.extend(family.text.question_ids(text, ()))
    first = np.array(logits - mx.logsumexp(logits))
    ids: list[int] = []
    while len(ids) < 24:
        token = int(np.array(mx.argmax(logits)))
        if token in family.text.end_ids:
            break
        ids.append(token)
        logits = fork.extend([token])
    return first, ids
