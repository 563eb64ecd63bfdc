# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A session whose camera moves: a lattice is an ordinary tail, never mixed with another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from engine.scenes import is_as_cold
from engine.seeing import pans
from engine.seeing.pans import CameraPath, Pose

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Answer, Question
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.stream.budget import FreshBudget
from vlmaxxing_ros.engine.stream.session import StreamSession

GRID = Grid(6, 8, 28)
PERIOD = 100_000_000  # ns
WHOLE = (0.0, 0.0, 1.0, 1.0)


class Robot:
    """A session whose camera turns and rests as it is told."""

    def __init__(self, family: Family, **settings: object) -> None:
        values = {'keep_keyframes': 0, 'max_age': 1e6, 'max_duty': 1.0, **settings}
        self.session = StreamSession(family, EngineConfig(**values))  # type: ignore[arg-type]
        self.index, self.at = 0, 0.0
        self.session.admit(self.image())

    def image(self, dot: bool = False) -> Frame:
        """What its camera sees now, maybe with something new in it."""
        path = CameraPath('told', lambda _: Pose(self.at), sigma=1.0)
        pixels = pans.delivered(path, self.index)[: GRID.height, : GRID.width]
        if dot:
            pixels[70:95, 100:125] = (250, 250, 0)
        return Frame(np.ascontiguousarray(pixels), GRID, (self.index + 1) * PERIOD)

    def turn(
        self, right: float, times: int = 1, *, pays: bool = True, dot: bool = False
    ) -> FreshBudget:
        """Turn so many pixels in each of some images; the budget of the last."""
        see = self.session.admit if pays else self.session.see
        for _ in range(times):
            self.index += 1
            self.at += right
            budget = see(self.image(dot))
            self.check()
        return budget

    def ask(self) -> Answer:
        """Ask something."""
        asking = self.session.ask(Question(text='what is there?', max_tokens=2))
        for _ in asking:
            pass
        assert asking.answer is not None
        return asking.answer

    def check(self) -> None:
        """What is in use and what the cache's tail shows stand on one lattice."""
        tail = self.session.stream.cache.ledger.tail
        reference = self.session.sight._planner.reference
        if tail is not None and reference is not None:
            assert tail.frame.anchor == reference.anchor

    @property
    def frames(self) -> list[Frame]:
        """What the cache holds."""
        return self.session.stream.cache.ledger.frames


def test_an_exact_tail_on_any_lattice_is_that_piece_of_the_image_cold(qwen: Family) -> None:
    robot = Robot(qwen, tail_mode='exact')
    anchors = set()
    for step in (-8.0, -8.0, 3.4, -11.0, -11.0, 0.0):
        robot.turn(step, 2)
        newest = robot.session.sight.newest
        anchors.add(newest.anchor)
        assert robot.frames == [newest]
        assert is_as_cold(robot.session)
    assert len(anchors) > 1


def test_a_pan_begins_once_though_the_lattice_stands_anew_again_and_again(qwen: Family) -> None:
    robot, anchors, told = Robot(qwen), set(), 0
    robot.turn(0.0, times=5)
    for _ in range(24):
        robot.turn(-5.0)
        sight = robot.session.stream.sight
        anchors.add(sight.newest.anchor)
        told += bool(sight.begun)
    assert len(anchors) >= 3
    assert told == 1


def test_in_a_pan_a_fraction_of_the_rows_is_paid_and_a_whole_frame_is_exact(qwen: Family) -> None:
    rows = {}
    for follow in ('off', 'auto'):
        robot = Robot(qwen, follow=follow)
        paid = []
        for _ in range(24):
            budget = robot.turn(-5.0)
            paid.append(budget.tokens_added)
            if budget.blocks_admitted == GRID.blocks:
                assert robot.ask().evidence.exact
        rows[follow] = sum(paid)
    assert rows['auto'] < 0.35 * rows['off']


def test_an_answer_says_which_part_of_the_image_it_is_about(qwen: Family) -> None:
    robot = Robot(qwen)
    assert robot.ask().evidence.crop == WHOLE
    robot.turn(-5.0, 4)
    x, y, width, height = robot.ask().evidence.crop
    shown = robot.session.sight.newest
    assert (x, y, width, height) == shown.view.corner_and_size
    assert width == pytest.approx(224 / 280)
    assert height == pytest.approx(168 / 224)
    budget = robot.turn(-5.0, pays=False)
    assert budget.crop == robot.session.sight.newest.view.corner_and_size


def test_a_camera_that_has_come_to_rest_is_settled_on_all_of_its_image(qwen: Family) -> None:
    robot = Robot(qwen)
    robot.turn(-5.0, 5)
    robot.turn(0.0, 13, pays=False)
    assert robot.session.idle()
    assert robot.session.sight.newest.anchor == 0
    answer = robot.ask()
    assert (answer.evidence.crop, answer.evidence.exact) == (WHOLE, True)
    assert is_as_cold(robot.session)
    robot.turn(0.0, 3, pays=False)
    assert not robot.session.idle(), 'there is nothing left to do'


def test_a_question_does_not_wait_for_the_background_to_show_all_of_the_image(
    qwen: Family,
) -> None:
    robot = Robot(qwen, max_duty=0.0)
    robot.turn(-5.0, 5)
    robot.turn(0.0, 13, pays=False)
    assert robot.ask().evidence.crop == WHOLE


def test_history_from_several_lattices_is_what_a_cold_prefill_and_an_audit_find(
    qwen: Family,
) -> None:
    robot = Robot(qwen, keep_keyframes=3, keyframe_interval=0.3)
    for step in (-6.0, 0.0, -9.0, 7.0):
        robot.turn(step, 5)
        robot.ask()
    held = robot.session.stream.cache.ledger
    assert len({frame.anchor for frame in held.frames}) > 1
    assert all(segment.kind is not Kind.DELTA for segment in held.history)
    assert robot.session.audit().ok


def test_a_brief_event_on_another_lattice_is_a_whole_keyframe(qwen: Family) -> None:
    kinds = {}
    for moves in (False, True):
        robot = Robot(qwen, keep_keyframes=16, keyframe_interval=0.1, max_owed=0.5)
        robot.turn(-8.0)
        robot.turn(0.0, 2, pays=False, dot=True)
        robot.turn(0.0, 2, pays=False)
        (brief,) = robot.session.sight.owed().briefs
        if moves:  # what is paid stands elsewhere by the time that somebody asks
            robot.turn(-12.0, 12, pays=False)
            assert robot.session.idle()
            assert robot.session.sight.newest.anchor != brief.frame.anchor
        robot.ask()
        kinds[moves] = {
            segment.kind
            for segment in robot.session.stream.cache.ledger.history
            if segment.frame.stamp == brief.frame.stamp
        }
    assert kinds == {False: {Kind.DELTA}, True: {Kind.KEYFRAME}}


def steps(session: StreamSession) -> Iterator[bool]:
    """The background's work, slice by slice, the same job to its end."""
    work = session.background()
    while work is not None and not work.step():
        yield True


@pytest.mark.parametrize('seed', range(3))
def test_whatever_is_seen_while_it_is_paid_lattices_are_never_mixed(
    qwen: Family, seed: int
) -> None:
    random = np.random.default_rng(seed)
    robot = Robot(qwen, keep_keyframes=2, keyframe_interval=0.4, calm=0.1, max_owed=0.4,
                  max_slice=0.001)  # fmt: skip
    speed, work = 0.0, iter(())
    for _ in range(60):
        if random.random() < 0.15:
            speed = float(random.choice([0.0, -4.0, 6.0, -13.0]))
        robot.turn(speed, pays=False, dot=bool(random.random() < 0.2))
        if next(work, None) is None:
            work = steps(robot.session)
        if random.random() < 0.1:
            robot.ask()
            work = iter(())
        robot.check()
    for _ in range(2):  # all of the image again, and then what was carried is prefilled
        robot.turn(0.0, 15, pays=False)
        while robot.session.idle():
            robot.check()
    answer = robot.ask()
    assert answer.evidence.crop == WHOLE
    assert answer.evidence.blocks_owed == 0
    assert robot.session.audit().ok  # noise apart, a frame of the past has the newest's features
