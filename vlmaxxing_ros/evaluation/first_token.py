# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How an answer's first token is distributed, and how far two such distributions are apart.

A flip of the answer is the end of a slide; the divergence shows the slide.  Knows logits; knows
nothing of questions or arms.
"""

from __future__ import annotations

import base64
import copy
from typing import Any

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.families.base import Family

KEPT = 1024
"""Tokens of which the probability is kept: all of a small vocabulary, else the most probable."""


class Witness:
    """Sees the logits that a family computes: those of an answer's first token come first."""

    def __init__(self) -> None:
        self._logits: mx.array | None = None
        self._waiting = False

    def wait(self) -> None:
        """Take the next logits that are computed."""
        self._logits, self._waiting = None, True

    def see(self, logits: mx.array) -> None:
        """Logits [..., vocabulary] were computed; the last row counts."""
        if self._waiting:
            self._logits, self._waiting = logits, False

    def packed(self) -> str:
        """What was taken, as `pack` writes it; '' if nothing was."""
        self._waiting = False
        if self._logits is None:
            return ''
        row = self._logits.reshape(-1, self._logits.shape[-1])[-1].astype(mx.float32)
        return pack(np.array(row - mx.logsumexp(row)))


def witnessed(family: Family) -> tuple[Family, Witness]:
    """A family that shares the model and shows its logits, and who sees them."""
    shown, witness = copy.copy(family), Witness()

    def logits(hidden: mx.array) -> mx.array:
        result = family.logits(hidden)
        witness.see(result)
        return result

    vars(shown).update(logits=logits)
    return shown, witness


def pack(log_probabilities: np.ndarray) -> str:
    """The `KEPT` most probable tokens of float [vocabulary], as text."""
    ids = np.argsort(-log_probabilities, kind='stable')[:KEPT].astype('<i4')
    kept = log_probabilities[ids].astype('<f4')
    return base64.b64encode(ids.tobytes() + kept.tobytes()).decode('ascii')


def _unpack(text: str) -> dict[int, float]:
    data = base64.b64decode(text)
    half = len(data) // 2
    ids: Any = np.frombuffer(data[:half], '<i4').tolist()
    return dict(zip(ids, np.frombuffer(data[half:], '<f4').astype(float).tolist(), strict=True))


def divergence(reference: str, other: str) -> float:
    """Kullback-Leibler divergence of `other` from `reference`, in nats.

    Σ p log(p / q) over the tokens that both keep, and one more that stands for all the rest: exact
    for a vocabulary of up to `KEPT` tokens, a lower bound beyond (data processing inequality).
    """
    p, q = _unpack(reference), _unpack(other)
    shared = [token for token in p if token in q]
    log_p = np.array([p[token] for token in shared])
    log_q = np.array([q[token] for token in shared])
    total = float(np.sum(np.exp(log_p) * (log_p - log_q)))
    rest_p, rest_q = (max(0.0, 1.0 - float(np.exp(logs).sum())) for logs in (log_p, log_q))
    if rest_p > 1e-5:
        total += rest_p * float(np.log(rest_p / max(rest_q, 1e-12)))
    return max(0.0, total)
