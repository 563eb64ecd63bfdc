# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""When the next generation is begun, how it is built, and what the swap leaves."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx

from vlmaxxing_ros.engine.cache.generations import Generations
from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.steps import finish
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder

MakeFrames = Callable[..., list[Frame]]
CONFIG = EngineConfig(token_budget=1000, keep_keyframes=2)


def grow(generations: Generations, family: Family, frames: list[Frame]) -> None:
    """Put frames on the current generation, as keyframes."""
    for frame in frames:
        features = IncrementalEncoder(family).encode(frame).features
        generations.current.append(Kind.KEYFRAME, frame, features)


def begun(family: Family, frames: list[Frame]) -> Generations:
    generations = Generations(family)
    grow(generations, family, frames)
    generations.begin(CONFIG)
    return generations


def test_the_next_one_is_due_at_twice_the_keyframes_that_are_kept(
    qwen: Family, make_frames: MakeFrames
) -> None:
    generations, frames = Generations(qwen), make_frames(4)
    grow(generations, qwen, frames[:3])
    assert not generations.due(CONFIG)
    grow(generations, qwen, frames[3:])
    assert generations.due(CONFIG)


def test_the_next_one_is_due_at_three_quarters_of_the_budget(
    qwen: Family, make_frames: MakeFrames
) -> None:
    generations = Generations(qwen)
    grow(generations, qwen, make_frames(2, rows=8, cols=8))
    rows = generations.current.ledger.rows
    assert not generations.due(EngineConfig(token_budget=2 * rows))
    assert generations.due(EngineConfig(token_budget=rows + 1))


def test_one_is_built_at_a_time(qwen: Family, make_frames: MakeFrames) -> None:
    generations = begun(qwen, make_frames(4))
    assert generations.building
    assert not generations.due(CONFIG)


def test_what_is_kept_and_what_came_meanwhile_is_all_that_remains(
    qwen: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(6)
    generations = begun(qwen, frames[:4])
    building = generations.build()
    next(building)
    grow(generations, qwen, frames[4:])
    finish(building)
    assert not generations.building
    assert generations.current.number == 1
    assert [f.stamp for f in generations.current.ledger.frames] == [f.stamp for f in frames[2:]]


def test_how_far_it_is_is_told_in_frames(qwen: Family, make_frames: MakeFrames) -> None:
    generations = begun(qwen, make_frames(4))
    assert generations.progress == 0.0
    building, seen = generations.build(), set()
    for _ in building:
        seen.add(generations.progress)
    assert {0.0, 0.5} <= seen


def test_a_tail_that_changes_while_it_is_copied_is_copied_again(
    qwen: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(6)
    generations = begun(qwen, frames[:4])
    features = IncrementalEncoder(qwen).encode(frames[4]).features
    generations.current.append(Kind.TAIL, frames[4], features)
    for _ in generations.build():
        if generations.progress == 1.0:  # only the tail is missing
            now = generations.current.branch()
            now.append(Kind.TAIL, frames[5], features)
            generations.replace(now)
    assert generations.building, 'what was copied is not the tail any more'
    finish(generations.build())
    assert not generations.building
    assert generations.current.ledger.frames[-1].stamp == frames[5].stamp


def test_nobody_sees_a_generation_that_is_half_built(qwen: Family, make_frames: MakeFrames) -> None:
    generations = begun(qwen, make_frames(4))
    held = generations.current.ledger.rows
    building = generations.build()
    next(building)
    assert (generations.current.number, generations.current.ledger.rows) == (0, held)
    building.close()
    assert generations.building
    finish(generations.build())
    assert generations.current.number == 1


def test_a_replay_holds_the_same_history(qwen: Family, make_frames: MakeFrames) -> None:
    generations, frames = Generations(qwen), make_frames(3)
    grow(generations, qwen, frames)
    generations.replay(generations.current.ledger.history)
    assert generations.current.number == 1
    assert [f.stamp for f in generations.current.ledger.frames] == [f.stamp for f in frames]


def test_building_one_that_was_given_up_for_another_ends_there(
    qwen: Family, make_frames: MakeFrames
) -> None:
    frames = make_frames(5)
    generations = begun(qwen, frames[:4])
    building = generations.build()
    next(building)
    next(building)  # in the middle of a keyframe
    cache, _ = finish(generations.afresh())
    cache.append(Kind.TAIL, frames[4], IncrementalEncoder(qwen).encode(frames[4]).features)
    generations.replace(cache)
    finish(building)
    assert not generations.building
    assert generations.progress == 0.0
    assert [f.stamp for f in generations.current.ledger.frames] == [frames[4].stamp]


def test_what_opens_a_generation_is_copied_bit_for_bit(
    qwen: Family, make_frames: MakeFrames
) -> None:
    generations = Generations(qwen)
    grow(generations, qwen, make_frames(2))
    cache, rows = finish(generations.afresh())
    assert rows == 0
    cold = RollingCache(qwen)
    assert cache.ledger.rows == cold.ledger.rows
    for ours, expected in zip(cache.contents(), cold.contents(), strict=True):
        assert mx.array_equal(ours, expected).item()
