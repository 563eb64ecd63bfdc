# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The first token's distribution, and how far two of them are apart."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.evaluation.first_token import KEPT, divergence, pack, witnessed


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum())


def test_a_distribution_is_no_distance_from_itself() -> None:
    one = pack(_log_softmax(np.random.default_rng(1).normal(0, 3, 500)))
    assert divergence(one, one) == 0.0


def test_the_divergence_is_the_textbook_s() -> None:
    p, q = (_log_softmax(np.random.default_rng(seed).normal(0, 2, 300)) for seed in (1, 2))
    expected = float(np.sum(np.exp(p) * (p - q)))
    assert divergence(pack(p), pack(q)) == pytest.approx(expected, rel=1e-4)


def test_of_a_large_vocabulary_it_is_a_lower_bound() -> None:
    p, q = (_log_softmax(np.random.default_rng(s).normal(0, 2, 4 * KEPT)) for s in (1, 2))
    expected = float(np.sum(np.exp(p) * (p - q)))
    assert 0.0 < divergence(pack(p), pack(q)) < expected


def test_the_witness_takes_the_first_logits_after_it_waits(family: Family) -> None:
    shown, witness = witnessed(family)
    cache = family.make_cache()
    hidden = family.hidden(family.text_rows(family.text.prefix_ids, 0), None, cache)
    shown.logits(hidden[0, -1:])
    assert witness.packed() == ''
    witness.wait()
    logits = shown.logits(hidden[0, -1:])
    shown.logits(mx.zeros_like(hidden[0, -1:]))
    expected = pack(np.array(logits[-1] - mx.logsumexp(logits[-1])))
    assert divergence(expected, witness.packed()) == pytest.approx(0.0, abs=1e-6)
