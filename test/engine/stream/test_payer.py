# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a payment computes, and what it leaves on the ledger."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine.scenes import GRID, PERIOD, change_blocks, scene
from engine.situations import without_carry

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.engine.stream.session import StreamSession

WINDOWS = 2  # of 4x4 blocks, on GRID
LEFT = (1, 2)


def after_a_silence(family: Family, *places: tuple[int, int]) -> StreamSession:
    """The tail has been of another time for so long that a question begins anew.

    In the newest frame some blocks have changed as well.
    """
    config = EngineConfig(keyframe_interval=0.5, keep_keyframes=2, max_duty=0.0)
    session = StreamSession(family, config)
    first = scene(PERIOD)
    session.admit(first)
    second = change_blocks(first, blocks((3, 5)), stamp=2 * PERIOD)
    for index in range(2, 96):
        session.see(replace(second, stamp=index * PERIOD))
    session.see(change_blocks(second, blocks(*places), stamp=96 * PERIOD, seed=1))
    return session


def blocks(*places: tuple[int, int]) -> np.ndarray:
    chosen = np.zeros((GRID.rows, GRID.cols), bool)
    chosen[tuple(zip(*places, strict=True))] = True
    return chosen


@pytest.mark.parametrize(('places', 'windows'), [([LEFT], 1), ([LEFT, (0, 5)], 2)])
def test_a_frame_of_the_past_is_encoded_where_the_newest_differs_from_it(
    qwen: Family, places: list[tuple[int, int]], windows: int
) -> None:
    with without_carry(qwen):
        session = after_a_silence(qwen, *places)
        newest = session.stream.sight.newest
        asking = session.ask(Question(text='what is there?'))
    (past,), tail = session.stream.cache.ledger.history, session.stream.cache.ledger.tail
    assert past.kind is Kind.KEYFRAME
    assert past.frame is not None
    assert newest.stamp - past.frame.stamp >= 10 * PERIOD
    budget = session.see(replace(newest, stamp=newest.stamp + PERIOD))
    assert budget.windows_computed == WINDOWS + windows
    assert budget.tokens_added == len(qwen.text.prefix_ids) + 2 * (GRID.blocks + 2)
    assert asking.evidence.rows_paid == budget.tokens_added
    # The newest frame is what the stock tower makes of it, the past within the error of windows.
    whole = [IncrementalEncoder(qwen).encode(f).features.embeds for f in (newest, past.frame)]
    assert np.array_equal(np.array(tail.features.embeds), np.array(whole[0]))
    difference = np.array(past.features.embeds) - np.array(whole[1])
    assert np.square(difference).mean() < 1e-3 * np.square(np.array(whole[1])).mean()
    assert session.stream.standing.exact


def test_a_question_that_takes_the_frame_whole_does_not_first_finish_a_payment_in_place(
    qwen: Family,
) -> None:
    config = EngineConfig(keyframe_interval=0.5, keep_keyframes=2, max_duty=0.0, calm=0.0)
    session = StreamSession(qwen, config)
    first = scene(PERIOD)
    session.admit(first)
    session.see(change_blocks(first, blocks(LEFT), stamp=8 * PERIOD))
    in_place = session.background()
    assert in_place is not None
    session.ask(Question(text='what is there?'))
    (keyframe,) = session.stream.cache.ledger.history
    assert keyframe.frame is not None
    assert keyframe.frame.stamp == first.stamp, 'the exact tail became the keyframe that was due'
    assert in_place.job.step(), 'it was given up'
