# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A machine that decodes wrongly behind a long cache is found out."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import pytest

from vlmaxxing_ros.engine.families.base import Family, Features, Rows
from vlmaxxing_ros.measure.exactness import ROWS, long_cache
from vlmaxxing_ros.random_models.families import random_family


@pytest.mark.parametrize('kind', ['qwen2_5_vl', 'gemma4'])
def test_a_sound_machine_decodes_what_it_prefills_behind_a_long_cache(kind: str) -> None:
    test = long_cache(random_family(kind))
    assert test.ok
    assert test.finite
    assert test.rows >= ROWS
    assert test.difference < 1e-4
    assert test.against_cpu is None, 'this is the CPU'


def faulty(factor: float) -> Family:
    """A model whose single rows go wrong behind 1,024 cached ones, as in mlx #4022."""
    family = random_family('qwen2_5_vl')
    sound = family.hidden

    def hidden(rows: Rows, features: Features | None, cache: list[Any]) -> mx.array:
        long = cache[0].offset >= 1024
        out = sound(rows, features, cache)
        return out * factor if long and len(rows) == 1 else out

    family.hidden = hidden  # type: ignore[method-assign]
    return family


def test_wrong_logits_behind_1024_rows_are_seen() -> None:
    test = long_cache(faulty(-1.0))
    assert not test.ok
    assert test.finite
    assert long_cache(faulty(-1.0), rows=500).ok, 'a short cache would not have shown it'


def test_what_is_not_finite_is_seen_and_can_be_written_to_a_file() -> None:
    test = long_cache(faulty(float('nan')))
    assert not test.ok
    assert not test.finite
    assert test.asdict()['difference'] == 'nan'
