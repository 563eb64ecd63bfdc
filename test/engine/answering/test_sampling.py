# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Greedy and nucleus sampling, and the margin."""

from __future__ import annotations

import math

import mlx.core as mx
import pytest

from vlmaxxing_ros.engine.answering.sampling import make_sampler, margin

LOGITS = mx.log(mx.array([0.5, 0.3, 0.15, 0.05]))


def draws(temperature: float, top_p: float, seed: int, count: int = 300) -> list[int]:
    sample = make_sampler(temperature, top_p, seed)
    return [sample(LOGITS) for _ in range(count)]


def test_zero_temperature_is_greedy() -> None:
    assert set(draws(0.0, 0.0, seed=1, count=5)) == {0}


def test_the_same_seed_draws_the_same_tokens() -> None:
    assert draws(1.0, 0.0, seed=1) == draws(1.0, 0.0, seed=1)
    assert draws(1.0, 0.0, seed=1) != draws(1.0, 0.0, seed=2)


def test_draws_follow_the_probabilities() -> None:
    drawn = draws(1.0, 0.0, seed=3, count=2000)
    assert abs(drawn.count(0) / 2000 - 0.5) < 0.05
    assert abs(drawn.count(1) / 2000 - 0.3) < 0.05


def test_top_p_keeps_the_smallest_set_with_that_probability() -> None:
    assert set(draws(1.0, 0.6, seed=4)) == {0, 1}
    assert set(draws(1.0, 0.5, seed=4)) == {0}
    assert set(draws(1.0, 1.0, seed=4)) == {0, 1, 2, 3}


def test_questions_do_not_disturb_each_other() -> None:
    alone = draws(1.0, 0.0, seed=5, count=10)
    sample, other = make_sampler(1.0, 0.0, 5), make_sampler(1.0, 0.0, 6)
    mixed = []
    for _ in range(10):
        other(LOGITS)
        mixed.append(sample(LOGITS))
    assert mixed == alone


def test_the_margin_is_in_nats_whatever_the_scale_of_the_logits() -> None:
    assert margin(LOGITS + 7.0) == pytest.approx(math.log(0.5 / 0.3), abs=1e-5)
    assert margin(mx.array([1.0, 1.0, 0.0])) == 0.0
    assert margin(mx.array([-math.inf, 1.0, -math.inf])) == math.inf
