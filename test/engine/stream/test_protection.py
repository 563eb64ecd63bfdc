# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Protected regions: paid at once, whatever else is going on, and nothing else is lost by it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from engine.scenes import GRID, PERIOD, change_blocks, scene
from engine.situations import without_carry

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.region import Region
from vlmaxxing_ros.engine.steps import Clock, Piece
from vlmaxxing_ros.engine.stream.decision import asked, protecting
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.payment import Why
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.random_models.families import random_family

GRIPPER = (1, 2)
REGION = Region(2 / GRID.cols, 1 / GRID.rows, 1 / GRID.cols, 1 / GRID.rows)
# Without a region nothing here would ever be paid though nobody asks.
NEVER: dict[str, Any] = {
    'calm': 1e6,
    'max_owed': 1e6,
    'max_slice': 0.001,
    'audit_interval': 0.0,
    'keep_keyframes': 0,
}


class GripperCamera:
    """A camera with the gripper protected; its first image is paid."""

    def __init__(
        self, family: Family, *protected: Region, clock: Clock | None = None, **settings: Any
    ) -> None:
        self.session = StreamSession(family, EngineConfig(**{**NEVER, **settings}), clock)
        self.protected = protected
        self.newest = scene(PERIOD)
        self.session.see(self.newest, protected=protected)
        self.session.pay()

    def show(self, *places: tuple[int, int]) -> Frame:
        """An image in which some blocks have changed."""
        fresh = np.zeros((GRID.rows, GRID.cols), bool)
        for place in places:
            fresh[place] = True
        stamp = self.newest.stamp + PERIOD
        self.newest = change_blocks(self.newest, fresh, stamp=stamp, seed=stamp // PERIOD)
        self.session.see(self.newest, protected=self.protected)
        return self.newest

    @property
    def owed(self) -> list[tuple[int, int]]:
        """What is owed."""
        stream = self.session.stream
        assert stream is not None
        return [(int(row), int(col)) for row, col in np.argwhere(stream.sight.owed().blocks)]

    @property
    def in_use(self) -> np.ndarray:
        """The pixels that the cache's rows were computed from."""
        stream = self.session.stream
        assert stream is not None
        reference = stream.sight._planner.reference
        assert reference is not None
        return reference.pixels

    def work(self) -> int:
        """Everything that the background would do now; how many slices that were."""
        slices = 0
        while (work := self.session.background()) is not None:
            work.step()
            slices += 1
        return slices


def gripper(frame: Frame) -> np.ndarray:
    row, col = GRIPPER
    return frame.pixels[row * 28 : row * 28 + 28, col * 28 : col * 28 + 28]


@pytest.mark.parametrize('kind', ['qwen2_5_vl', 'lfm2_vl'])
def test_it_is_paid_at_once_whatever_calm_says_and_the_rest_waits(kind: str) -> None:
    camera = GripperCamera(random_family(kind), REGION)
    camera.show((3, 5))
    assert camera.work() == 0
    camera.show(GRIPPER)
    assert camera.owed == [GRIPPER, (3, 5)]
    assert camera.work() > 0
    whole = kind == 'lfm2_vl'  # recomputes no rows in place
    assert camera.owed == ([] if whole else [(3, 5)])
    assert camera.session.audit().ok


def test_without_a_region_it_waits(qwen: Family) -> None:
    camera = GripperCamera(qwen)
    camera.show(GRIPPER)
    assert camera.work() == 0
    assert camera.owed == [GRIPPER]


def test_a_region_holds_for_the_image_with_which_it_is_given(qwen: Family) -> None:
    camera = GripperCamera(qwen)
    camera.show(GRIPPER)
    camera.protected = (REGION,)
    camera.show()
    assert camera.work() > 0
    assert camera.owed == []
    camera.protected = ()
    camera.show(GRIPPER)
    assert camera.work() == 0


def begin_a_whole_frame(camera: GripperCamera) -> Any:
    """The background's, begun and far from its end, of an image in which a block has changed."""
    camera.show((0, 0))
    camera.session.keyframe()
    work = camera.session.background()
    assert work is not None
    assert not work.step()
    return work.job


def test_it_waits_for_no_more_than_a_slice_of_a_whole_frame_under_way(qwen: Family) -> None:
    camera = GripperCamera(qwen, REGION, keep_keyframes=4)
    whole = begin_a_whole_frame(camera)
    moved = camera.show(GRIPPER)
    first = camera.session.background()
    assert first is not None
    assert first.job is not whole, 'the very next slice is its'
    first.step()
    while (work := camera.session.background()) and work.job is first.job:
        work.step()
    assert camera.owed == [(0, 0)]
    assert (camera.in_use[28:56, 56:84] == gripper(moved)).all()
    assert work is not None
    assert work.job is whole, 'which goes on where it stood'
    camera.work()
    assert camera.owed == []
    assert (camera.in_use[28:56, 56:84] == gripper(moved)).all(), 'also when the frame is done'
    stream = camera.session.stream
    assert stream is not None
    assert len(stream.cache.ledger.history) == 1
    assert camera.session.audit().ok


def test_one_that_never_stops_moving_keeps_no_whole_frame_from_being_made(qwen: Family) -> None:
    camera = GripperCamera(qwen, REGION, keep_keyframes=4)
    whole, ages = begin_a_whole_frame(camera), []
    for _ in range(60):
        camera.show(GRIPPER)
        stream, slices = camera.session.stream, 0
        assert stream is not None
        while (work := camera.session.background()) is not None and slices < 12:
            done = work.step()
            slices += 1
            if done and work.job is whole:
                break
        ages.append(stream.sight.owed().age)
        if whole.result is not None:
            break
    assert whole.result is not None
    assert max(ages) <= 0.2


def test_a_question_in_the_middle_of_it_is_answered_and_the_cache_holds_what_it_says(
    qwen: Family,
) -> None:
    for steps in range(1, 8):
        camera = GripperCamera(qwen, REGION, keep_keyframes=4)
        whole = begin_a_whole_frame(camera)
        camera.show(GRIPPER)
        for _ in range(steps):
            if (work := camera.session.background()) is not None:
                work.step()
        moved = camera.show((3, 5))
        answer = camera.session.answering(
            Question(text='what?', max_tokens=2), Terms(), evidence_age=lambda _: 0.0, start=0.0
        ).finish()
        assert answer.evidence.blocks_owed == 0
        while (work := camera.session.background()) is not None and work.job is not whole:
            work.step()
        stream = camera.session.stream
        assert stream is not None
        assert stream.cache.ledger.frames[-1].stamp == moved.stamp, 'nothing older takes its place'
        camera.work()
        assert camera.session.ask(Question(text='what?')).evidence.blocks_owed == 0
        assert (camera.in_use == moved.pixels).all()
        assert camera.session.audit().ok


def test_past_the_bound_of_refreshed_rows_it_is_paid_in_place_and_then_the_frame_is_taken_whole(
    qwen: Family,
) -> None:
    camera = GripperCamera(qwen, REGION, max_refreshed=0.01)
    stream = camera.session.stream
    assert stream is not None
    camera.show(GRIPPER)
    kinds = []
    while (work := camera.session.background()) is not None:
        paid = stream._under_way
        assert paid is not None
        kinds.append(paid.whole)
        work.step()
    assert kinds == sorted(kinds)
    assert set(kinds) == {False, True}
    assert stream.cache.ledger.exact
    assert camera.session.audit().ok


class Seconds:
    """A second per row of work."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        """Seconds."""
        return self.time

    def worked(self, piece: Piece) -> None:
        """Its rows have taken their time."""
        self.time += piece.rows


@pytest.mark.parametrize('enough_for', ['all', 'what is protected', 'nothing'])
def test_a_question_that_has_no_time_for_all_that_is_owed_pays_what_is_protected(
    qwen: Family, enough_for: str
) -> None:
    camera = GripperCamera(qwen, REGION, clock=Seconds())
    stream = camera.session.stream
    assert stream is not None
    camera.show(GRIPPER, (3, 5), (0, 0), (3, 0))
    owed, standing = stream.sight.owed(), stream.standing
    everything = asked(owed, standing, stream.config)
    first = protecting(owed, standing, stream.config, Why.ASKED)
    assert everything is not None
    assert first is not None
    prices = {'all': stream.price(everything), 'what is protected': stream.price(first)}
    assert 0.0 < prices['what is protected'] < prices['all'] - 1.0
    question = Question(text='what?', max_tokens=2)
    answer = stream.prefill_price(len(qwen.text.question_ids('what?', ())))
    terms = Terms(time_left=answer + prices.get(enough_for, 0.0) + 0.1)
    job = camera.session.answering(question, terms, evidence_age=lambda _: 0.0, start=0.0)
    left = {'all': [], 'what is protected': [(0, 0), (3, 0), (3, 5)]}
    owing = left.get(enough_for, [(0, 0), GRIPPER, (3, 0), (3, 5)])
    assert job.finish().evidence.blocks_owed == len(owing)
    assert camera.owed == owing


@pytest.mark.parametrize('carries', [True, False])
def test_an_answer_from_what_is_protected_alone_says_what_it_does_not_account_for(
    qwen: Family, carries: bool
) -> None:
    with nullcontext(qwen) if carries else without_carry(qwen):
        settings = {'keep_keyframes': 4, 'keyframe_interval': 0.4}
        camera = GripperCamera(qwen, REGION, clock=Seconds(), **settings)
        stream = camera.session.stream
        assert stream is not None
        for _ in range(5):
            camera.show()
        camera.session.keyframe()
        camera.show((3, 5))
        camera.work()
        for _ in range(8):
            accounted = camera.show()
        camera.show(GRIPPER, (3, 5), (0, 0), (3, 0))
        first = protecting(stream.sight.owed(), stream.standing, stream.config, Why.ASKED)
        assert first is not None
        kept = first.promote if carries else first.aside
        assert kept, 'the exact tail is to be a keyframe'
        answer = stream.prefill_price(len(qwen.text.question_ids('what?', ())))
        terms = Terms(time_left=answer + stream.price(first) + 0.1)
        question = Question(text='what?', max_tokens=2)
        job = camera.session.answering(question, terms, evidence_age=lambda _: 0.0, start=0.0)
        evidence = job.finish().evidence
        assert evidence.rows_paid > 0
        assert evidence.blocks_owed == 3
        assert evidence.newest_stamp == accounted.stamp


def test_the_budget_says_how_many_blocks_are_protected(qwen: Family) -> None:
    session = StreamSession(qwen, EngineConfig())
    assert session.see(scene(PERIOD), protected=(REGION,)).blocks_protected == 1
    assert session.see(scene(2 * PERIOD)).blocks_protected == 0
