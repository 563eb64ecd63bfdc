# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Answers and their scores behind a fork, several questions in one pass.

Knows forks and token ids; knows nothing of frames or of what is compared.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.cache.fork import Fork
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.base import Rows


def answer(family: Family, fork: Fork, ids: list[int], limit: int = 16) -> list[int]:
    """Greedy decoding, its end included."""
    token = int(mx.argmax(fork.extend(ids)).item())
    tokens = [token]
    while token not in family.text.end_ids and len(tokens) < limit:
        token = int(mx.argmax(fork.extend([token])).item())
        tokens.append(token)
    return tokens


class Packed:
    """Stands in for one layer's cache while several questions are scored in one pass."""

    def __init__(self, layer: Any, mask: mx.array) -> None:
        self._layer = layer
        self._mask = mask

    def make_mask(self, *_: Any, **__: Any) -> mx.array:
        """Each row sees the cache and its own question up to itself."""
        return self._mask

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """The cache's rows with the questions' behind them; nothing is stored."""
        end = self._layer.offset
        return (
            mx.concatenate([self._layer.keys[..., :end, :], keys], axis=2),
            mx.concatenate([self._layer.values[..., :end, :], values], axis=2),
        )


def score(family: Family, fork: Fork, pairs: list[tuple[list[int], list[int]]]) -> list[np.ndarray]:
    """Log-probabilities along given answers: for each float32 [answer, vocabulary]."""
    parts = [family.text_rows([*ids, *reply[:-1]], fork.end) for ids, reply in pairs]
    rows = Rows(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.positions for part in parts], axis=1),
        np.concatenate([part.blocks for part in parts]),
        fork.end,
    )
    question = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    order = np.arange(len(question))
    own = (question[:, None] == question) & (order <= order[:, None])
    mask = np.concatenate([np.ones((len(own), fork.rows), bool), own], axis=1)
    layers = [Packed(layer, mx.array(mask)) for layer in fork.layers]
    hidden = family.hidden(rows, None, layers)[0]
    ends = np.cumsum([len(part) for part in parts])
    found = []
    for end, (_, reply) in zip(ends, pairs, strict=True):
        logits = family.logits(hidden[end - len(reply) : end]).astype(mx.float32)
        found.append(logits - mx.logsumexp(logits, axis=-1, keepdims=True))
    mx.eval(found)
    return [np.array(logits) for logits in found]


def margins(logits: np.ndarray) -> np.ndarray:
    """Nats between the likeliest token and the next: float32 [answer, vocabulary] to [answer]."""
    best = np.sort(logits, axis=-1)
    return best[:, -1] - best[:, -2]
