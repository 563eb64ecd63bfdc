# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The self-test passes a stream that is a cold prefill, and names what differs otherwise."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import pytest

from vlmaxxing_ros.engine.errors import ModelError
from vlmaxxing_ros.engine.families import Family, Features, Rows
from vlmaxxing_ros.engine.families.self_test import long_test, self_test
from vlmaxxing_ros.random_models.families import random_family


@pytest.fixture
def family() -> Family:
    return random_family('lfm2_vl')


@pytest.mark.parametrize('model_type', ['qwen2_vl', 'qwen2_5_vl', 'lfm2_vl'])
def test_a_family_that_streams_exactly_passes(model_type: str) -> None:
    result = self_test(random_family(model_type))
    assert result.ok
    assert result.difference < 1e-5


def test_a_cache_that_loses_a_row_is_seen(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = type(family).hidden

    def forgetful(self: Family, rows: Rows, shown: Features | None, cache: list[Any]) -> mx.array:
        states = honest(self, rows, shown, cache)
        for layer in cache:
            if hasattr(layer, 'trim') and shown is not None:
                layer.trim(1)
        return states

    monkeypatch.setattr(type(family), 'hidden', forgetful)
    result = self_test(family)
    assert not result.ok
    assert result.difference > 1e-3
    assert 'logits differ' in result.text


def test_frames_in_another_layout_than_the_processors_are_named(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = type(family).frame_rows

    def doubled(self: Family, grid: Any, base: int, blocks: Any = None) -> Rows:
        rows = honest(self, grid, base, blocks)
        return rows.take([0, *range(len(rows))])  # the opening row twice

    monkeypatch.setattr(type(family), 'frame_rows', doubled)
    result = self_test(family)
    assert not result.ok
    assert 'not [513, 512' in result.text


def test_an_answer_that_would_begin_otherwise_is_told(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(family), 'logits', lambda _, hidden: -hidden)
    assert 'the answer begins with token' in self_test(family).text


@pytest.mark.parametrize(
    'model_type', ['qwen2_5_vl', 'qwen3_vl', 'qwen3_5', 'gemma4', 'gemma3', 'lfm2_vl', 'pixtral']
)
def test_a_stream_is_still_exact_past_1100_rows(model_type: str) -> None:
    result = long_test(random_family(model_type))
    assert result.ok, result.text
    assert int(result.text.split()[0]) >= 10


def test_numbers_that_are_none_are_an_error_that_names_the_type(family: Family) -> None:
    norm = family.model.language_model.model.embedding_norm
    kept, norm.weight = norm.weight, norm.weight * mx.inf
    try:
        with pytest.raises(ModelError, match='the logits are not finite numbers in float32'):
            self_test(family)
    finally:
        norm.weight = kept
