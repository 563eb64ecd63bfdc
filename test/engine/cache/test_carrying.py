# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A frame's rows stand at another place: keys turned, values as they were, the source untouched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine.families.exactness import features, noise, same, snapshot, stream

from vlmaxxing_ros.engine.cache.ledger import Refreshed, Segment
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.errors import Unsupported
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.steps import finish
from vlmaxxing_ros.random_models.families import random_family


@pytest.fixture(scope='module', params=['qwen2_vl', 'qwen2_5_vl', 'qwen3_vl', 'qwen3_vl_moe'])
def family(request: pytest.FixtureRequest) -> Family:
    return random_family(request.param)


def carry(source: RollingCache, segment: Segment, cache: RollingCache) -> Segment:
    return finish(cache.carrying(segment, source.excerpt(segment)))


def test_the_first_layer_s_keys_are_those_that_the_model_computes_there(family: Family) -> None:
    frames = noise(family, 3)
    source = stream(family, frames, tail=False)
    for kept in (source.ledger.history[2:], source.ledger.history[::2]):  # to the front, or nearly
        there, expected = RollingCache(family), RollingCache(family)
        for segment in kept:
            carry(source, segment, there)
            finish(expected.appending_copy(segment))
        rows = there.ledger.rows
        for ours, theirs in zip(there.contents()[:2], expected.contents()[:2], strict=True):
            assert ours.shape[2] == theirs.shape[2] == rows
            assert np.abs(np.array(ours - theirs)).max() < 1e-5


def test_values_stay_as_they_are_at_every_layer(family: Family) -> None:
    source, there = stream(family, noise(family, 2)), RollingCache(family)
    tail = source.ledger.tail
    assert tail is not None
    carry(source, tail, there)
    for (_, values), (_, before) in zip(
        there.excerpt(there.ledger.segments[-1]).layers, source.excerpt(tail).layers, strict=True
    ):
        assert np.array_equal(values, before)


def test_it_stands_where_the_frame_would_and_speaks_for_the_same_pixels(family: Family) -> None:
    frames = noise(family, 3)
    source, there = stream(family, frames), RollingCache(family)
    tail = source.ledger.tail
    assert tail is not None
    assert tail.frame is not None
    carried = carry(source, tail, there)
    expected = family.captioned_rows(tail.frame, len(family.text.prefix_ids))
    assert np.array_equal(carried.rows.positions, expected.positions)
    assert np.array_equal(carried.rows.ids, expected.ids)
    assert carried.rows.end == there.ledger.end == expected.end
    assert there.ledger.tail is carried
    assert carried.shown is tail.features


def test_a_cache_that_holds_a_carried_frame_is_not_exact_and_its_source_still_is(
    family: Family,
) -> None:
    frames = noise(family, 3)
    source = stream(family, frames)
    before, tail = snapshot(source), source.ledger.tail
    assert tail is not None
    branch = source.branch()
    branch.promote_tail()
    carry(source, tail, branch)
    branch.refresh_tail(frames[0], features(family, frames[0]), np.array([1, 5]))
    assert not branch.ledger.exact
    assert source.ledger.exact
    assert source.ledger.tail is tail
    assert same(before, snapshot(source))


def test_how_a_tail_was_refreshed_goes_with_its_copy(family: Family) -> None:
    frames = noise(family, 3)
    source = stream(family, frames)
    source.refresh_tail(frames[0], features(family, frames[0]), np.array([1, 5]))
    tail = source.ledger.tail
    assert tail is not None
    shown = features(family, frames[0])
    worn = Refreshed(rows=7, since=3, shown=shown, staleness=np.arange(24.0), caught_up=True)
    source.note(worn)
    assert source.ledger.tail is not None
    carried = carry(source, source.ledger.tail, RollingCache(family))
    assert carried.refreshed == replace(worn, caught_up=False), 'its closing row gathers anew'


def test_compressed_rows_and_text_are_not_carried(family: Family) -> None:
    source = stream(family, noise(family, 2))
    with pytest.raises(ValueError, match='frame'):
        carry(source, source.ledger.segments[0], RollingCache(family))


@pytest.mark.parametrize('model_type', ['gemma4', 'lfm2_vl'])
def test_a_family_that_cannot_turn_keys_refuses(model_type: str) -> None:
    family = random_family(model_type)
    assert not family.capabilities.carry
    with pytest.raises(Unsupported, match='another place'):
        family.turned(0, stream(family, noise(family, 1)).arrays()[0], 3)


def test_a_quantised_cache_is_not_carried() -> None:
    family = random_family(num_attention_heads=2, num_key_value_heads=1)
    family.quantize_cache(8)
    assert not family.capabilities.carry
