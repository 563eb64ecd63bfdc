# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Rows are carried on models whose answers hardly move by it, and on no other."""

from __future__ import annotations

import shutil
from pathlib import Path

import mlx.core as mx
import pytest

from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.families.divergence import LIMIT, divergence
from vlmaxxing_ros.engine.families.loading import NANO
from vlmaxxing_ros.random_models.families import random_family


@pytest.fixture(scope='module')
def nano() -> Family:
    return load_family('nano')


@pytest.mark.parametrize('model_type', ['qwen2_5_vl', 'qwen3_vl'])
def test_a_model_whose_answers_stay_as_they_are_passes(model_type: str) -> None:
    result = divergence(random_family(model_type))
    assert result.ok
    assert 0.0 < result.nats < 1e-3


def test_the_built_in_model_carries(nano: Family) -> None:
    assert nano.capabilities.carry
    assert divergence(nano).nats < LIMIT / 2


def test_keys_that_are_turned_the_wrong_way_are_noticed(
    nano: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = type(nano).turned

    def backwards(self: Family, number: int, keys: mx.array, by: int) -> mx.array:
        return honest(self, number, keys, -by)

    monkeypatch.setattr(type(nano), 'turned', backwards)
    result = divergence(nano)
    assert not result.ok
    assert 'carry is off' in result.text


def test_a_model_whose_answers_move_is_loaded_without_it(tmp_path: Path) -> None:
    folder = tmp_path / 'moved'
    shutil.copytree(NANO, folder)
    weights = mx.load(str(folder / 'model.safetensors'))
    # Louder queries: attention is sharper, and answers hang on what stood before.
    louder = {k: v * 3.0 if 'q_proj' in k and 'visual' not in k else v for k, v in weights.items()}
    mx.save_safetensors(str(folder / 'model.safetensors'), louder, {'format': 'mlx'})
    family = load_family(str(folder))
    assert not divergence(family).ok
    assert not family.capabilities.carry
    assert family.capabilities.tail_refresh
