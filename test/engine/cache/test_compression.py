# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""InfiniPot-V: a hard cap, the newest frames whole, redundant rows first."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest

from vlmaxxing_ros.engine.cache.compression import Tags, select
from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import NoEvidence, Unsupported
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.session import StreamSession

MakeFrames = Callable[..., list[Frame]]


def test_the_opening_and_closing_rows_have_places_of_their_own() -> None:
    tags = Tags.of_rows(np.array([-1, 0, 1, 2, 3, -1]), 4, layers=1, heads=1)
    assert tags.places.ravel().tolist() == [5, 0, 1, 2, 3, 4]


def test_so_has_each_row_of_a_caption_counted_from_the_blocks() -> None:
    short, long = (
        Tags.of_rows(np.array([-1] * rows + [0, 1, -1]), 2, layers=1, heads=1).places.ravel()
        for rows in (3, 4)
    )
    assert short.tolist() == [5, 4, 3, 0, 1, 2]
    assert long.tolist() == [6, 5, 4, 3, 0, 1, 2]


def test_the_most_novel_keys_stay_whatever_their_values_and_value_norms_decide_the_rest() -> None:
    old = np.array([[1.0, 0.1], [1.0, 0.0], [-1.0, 0.0], [0.9, 0.1]])
    recent = np.array([[1.0, 0.0]])
    keys = mx.array(np.concatenate([old, recent])[None])
    values = mx.array(np.array([[2.0], [3.0], [0.0], [1.0], [0.0]])[None])
    places = np.zeros((1, 4), np.int32)
    newest = np.zeros(1, np.int32)
    # Half of 3 + 1 rows by redundancy, the recent one included: one old row.
    assert select(keys, values, places, newest, keep=3).tolist() == [[0, 1, 2]]
    # Half of 1 + 1 rows: the recent one alone, so the old row is chosen by its value.
    assert select(keys, values, places, newest, keep=1).tolist() == [[1]]


def test_each_head_keeps_rows_of_its_own() -> None:
    random = np.random.default_rng(0)
    keys = mx.array(random.normal(size=(3, 12, 4)))
    values = mx.array(random.normal(size=(3, 12, 4)))
    places = np.tile(np.arange(4, dtype=np.int32), (3, 2))
    kept = select(keys, values, places, np.arange(4, dtype=np.int32), keep=5)
    assert kept.shape == (3, 5)
    assert (np.diff(kept, axis=1) > 0).all()
    assert len({tuple(row) for row in kept.tolist()}) > 1


def test_the_cap_holds_at_any_stream_length(family: Family, make_frames: MakeFrames) -> None:
    config = EngineConfig(
        keyframe_interval=0.0, compression='infinipot', token_budget=160, keep_keyframes=1000
    )
    session = StreamSession(family, config)
    for frame in make_frames(60):
        budget = session.admit(frame)
        assert budget.tokens_cached <= 160
        rows = {layer.offset for layer in session.stream.cache._layers}
        assert rows == {budget.tokens_cached}
    kinds = [s.kind for s in session.stream.cache.ledger.segments]
    assert kinds[:2] == [Kind.TEXT, Kind.COMPRESSED]
    assert kinds[-1] is Kind.TAIL


def test_a_compressed_answer_says_that_it_is_not_exact(
    qwen: Family, make_frames: MakeFrames
) -> None:
    config = EngineConfig(
        keyframe_interval=0.0, compression='infinipot', token_budget=160, tail_mode='exact'
    )
    session = StreamSession(qwen, config)
    frames = make_frames(20)
    for frame in frames[:3]:
        session.admit(frame)
    exact = [True]
    for frame in frames[3:]:
        session.admit(frame)
        asking = session.ask(Question(text='what?', max_tokens=2))
        list(asking)
        assert asking.answer is not None
        exact.append(asking.answer.evidence.exact)
    assert exact[0]
    assert not exact[-1]
    with pytest.raises(Unsupported, match='no audit'):
        session.audit()


def test_the_newest_frames_stay_whole(qwen: Family, make_frames: MakeFrames) -> None:
    config = EngineConfig(keyframe_interval=0.0, compression='infinipot', token_budget=240)
    session = StreamSession(qwen, config)
    frames = make_frames(40)
    for frame in frames:
        session.admit(frame)
    newest = [s.frame.stamp for s in session.stream.cache.ledger.segments[-3:]]
    assert newest == [frame.stamp for frame in frames[-3:]]


def test_the_past_of_a_compressed_history_cannot_be_asked_about(
    qwen: Family, make_frames: MakeFrames
) -> None:
    config = EngineConfig(keyframe_interval=0.0, compression='infinipot', token_budget=240)
    session, frames = StreamSession(qwen, config), make_frames(40)
    for frame in frames:
        session.admit(frame)
    newest = Question(text='what?', as_of=frames[-2].stamp)
    assert session.ask(newest).stop('seen').evidence.newest_stamp == frames[-2].stamp
    with pytest.raises(NoEvidence):
        session.ask(Question(text='what?', as_of=frames[3].stamp))


def test_a_cap_of_hardly_more_than_the_newest_frames_leaves_just_those(
    qwen: Family, make_frames: MakeFrames
) -> None:
    config = EngineConfig(keyframe_interval=0.0, compression='infinipot', token_budget=64)
    session = StreamSession(qwen, config)
    frames = make_frames(12, rows=2, cols=4)
    for frame in frames:
        session.admit(frame)
    assert session.stream.cache.ledger.frames[-1].stamp == frames[-1].stamp
    assert len(session.stream.cache.ledger.history) <= 2
