# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What jobs take: the rows that an answer says, their time, and memory."""

from __future__ import annotations

import numpy as np
from engine.counting import counting_rows
from engine.scenes import GRID, PERIOD, change_blocks, moving_scene
from engine.situations import SLICES, ask, background, settling

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Answer
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.session import StreamSession


def test_what_an_answer_says_that_it_paid_is_what_went_through_the_model(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig(keyframe_interval=0.3, max_duty=0.0, **SLICES))
    answers: list[tuple[Answer, int]] = []
    with counting_rows(qwen) as counted:
        for index, frame in enumerate(moving_scene(14)):
            session.see(frame)
            if index % 3 == 2:
                assert session.stream is not None
                counted.clear()
                answer = ask(session, Terms()).finish()
                question = answer.prompt_tokens - answer.reused_tokens - answer.rows_paid
                decoded = answer.answer_tokens - (answer.finish_reason == 'length')
                answers.append((answer, sum(counted) - question - decoded))
    assert len(answers) == 4
    for answer, rows in answers:
        assert answer.rows_paid == rows > 0
        assert answer.evidence.blocks_owed == 0


def test_change_without_end_is_paid_in_time_and_starves_nothing(qwen: Family) -> None:
    config = EngineConfig(max_owed=0.5, keyframe_interval=0.2, keep_keyframes=2, **SLICES)
    session = StreamSession(qwen, config)
    ages = []
    for index, frame in enumerate(moving_scene(60)):
        session.see(frame)
        if index % 5 == 4:
            ask(session, Terms()).finish()
        while session.idle():
            pass
        assert session.stream is not None
        ages.append(session.stream.sight.owed().age)
    assert max(ages) <= 0.6
    assert session.stream.cache.number > 0, 'generations are built as well'


def test_memory_is_flat_and_counts_the_frames_that_wait(qwen: Family) -> None:
    config = EngineConfig(keyframe_interval=0.2, keep_keyframes=2, max_owed=0.3, **SLICES)
    session, held = StreamSession(qwen, config), []
    for index, frame in enumerate(moving_scene(120)):
        held.append(session.see(frame).cache_bytes)
        if index % 7 == 0:
            ask(session, Terms()).finish()
        while session.idle():
            pass
    assert session.stream is not None
    assert session.stream.sight.nbytes > 0
    assert max(held[60:]) <= max(held[:60])


def test_memory_counts_every_branch_that_is_under_way(qwen: Family) -> None:
    session = settling(qwen)
    stream = session.stream
    assert stream is not None

    def held() -> int:
        session.configure(session.config)  # counts anew
        return stream._accounting.held.nbytes

    alone, branch = held(), stream.cache.nbytes
    work = background(session)
    while held() == alone:
        assert not work.step()
    assert held() == alone + branch
    newest, fresh = stream.sight.newest, np.zeros((GRID.rows, GRID.cols), bool)
    fresh[0, 0] = True
    session.see(change_blocks(newest, fresh, stamp=newest.stamp + PERIOD))
    question = ask(session, Terms())
    while held() == alone + branch:
        question.step()
    assert question.paying is not None
    assert held() == alone + 2 * branch
    question.stop('cancelled')
    assert held() == alone + branch
    stream.close()
    assert held() == alone
