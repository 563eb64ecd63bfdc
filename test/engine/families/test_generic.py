# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A model that nobody has looked into is streamed if it proves that it can be, or refused."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from engine.families.exactness import features, noise, stream

from vlmaxxing_ros.demo.random_models import random_family
from vlmaxxing_ros.engine.errors import ModelError, Unsupported
from vlmaxxing_ros.engine.families import Family, Features, Rows, make_family
from vlmaxxing_ros.engine.families.generic import Generic
from vlmaxxing_ros.engine.families.self_test import self_test
from vlmaxxing_ros.engine.ledger import Kind


@pytest.fixture(scope='module')
def family() -> Family:
    return random_family('lfm2_vl')


def test_a_frame_is_what_the_models_own_processor_writes(family: Family) -> None:
    frame = noise(family, 1, rows=4, cols=4)[0]
    rows = family.frame_rows(frame.grid, 7)
    tokens = family.processor.tokenizer.convert_ids_to_tokens(rows.ids.tolist())
    assert tokens == ['<|image_start|>', *['<image>'] * 16, '<|image_end|>']
    assert rows.blocks.tolist() == [-1, *range(16), -1]
    assert (rows.positions[0, 0], rows.end) == (7, 25)
    assert features(family, frame).embeds.shape[0] == 16


def test_recurrent_layers_cannot_be_rewound(family: Family) -> None:
    assert isinstance(family, Generic)
    assert not family.capabilities.rewind


def test_part_of_a_frame_is_refused(family: Family) -> None:
    frame = noise(family, 1)[0]
    with pytest.raises(Unsupported, match='whole frames only'):
        stream(family, []).append(Kind.DELTA, frame, features(family, frame), np.array([1]))


def test_a_model_whose_positions_are_not_places_in_the_cache_is_refused() -> None:
    qwen = random_family('qwen2_5_vl')
    with pytest.raises(ModelError, match=r'cannot be streamed exactly: .* differ .* by') as refusal:
        make_family('something new', qwen.model, qwen.processor, {'model_type': 'new'})
    assert 'something new' in str(refusal.value)


def test_a_model_whose_own_code_fails_is_refused_by_name(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError('no such thing as a frame')

    monkeypatch.setattr(type(family.model), 'get_input_embeddings', broken)
    with pytest.raises(ModelError, match=r"'new one' cannot be streamed: .*no such thing"):
        make_family('new one', family.model, family.processor, {'model_type': 'new'})


def test_the_self_test_sees_a_cache_that_loses_a_row(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
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
