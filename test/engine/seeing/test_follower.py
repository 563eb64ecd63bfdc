# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A camera that moves is followed for a fraction of the price; one that rests is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine.seeing import pans
from engine.seeing.pans import CASES, GRID, PASSING, CameraPath, Pose

from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.engine.seeing.sight import Sight
from vlmaxxing_ros.engine.seeing.track import MOVES

NAMED = {case.name: case for case in CASES}
FOLLOWED = [case for case in CASES if case.name not in ('rest', 'roll', 'zoom', 'fast pan')]
EVERYTHING = np.ones((GRID.rows, GRID.cols), bool)


def plans(pan: CameraPath, count: int, **changes: object) -> list[Plan]:
    """Every image's plan, paid at once."""
    sight, found = None, []
    for frame, velocity in pans.frames(pan, count):
        if sight is None:
            sight = Sight(pans.settings(**changes), frame, velocity)
        else:
            sight.see(frame, velocity)
        found.append(sight.plan)
        sight.paid(sight.plan, sight.plan.fresh)
    return found


def same(one: Plan, other: Plan) -> bool:
    """Whether two plans are the same to the last bit."""
    return (
        (one.take, one.reason, one.motion) == (other.take, other.reason, other.motion)
        and one.verdicts.tobytes() == other.verdicts.tobytes()
        and one.fresh.tobytes() == other.fresh.tobytes()
        and one.change.tobytes() == other.change.tobytes()
        and one.light.gain.tobytes() == other.light.gain.tobytes()
        and one.look.frame.view == other.look.frame.view
        and one.look.frame.pixels.tobytes() == other.look.frame.pixels.tobytes()
        and (one.look.shakes, one.look.around) == (other.look.shakes, other.look.around)
    )


@pytest.mark.parametrize('sigma', [0.0, 6.0])
def test_a_still_camera_s_plans_are_byte_for_byte_those_without_it(sigma: float) -> None:
    still = replace(NAMED['rest'], things=3, sigma=sigma)
    followed, left = (plans(still, 20, follow=follow) for follow in ('auto', 'off'))
    assert any(plan.fresh.any() for plan in left[1:]), 'something does move'
    assert all(same(*pair) for pair in zip(followed, left, strict=True))


@pytest.mark.parametrize('pan', FOLLOWED, ids=lambda pan: pan.name)
def test_a_moving_camera_is_followed(pan: CameraPath) -> None:
    found = pans.score(pan, pans.settings())
    assert np.mean(found.fresh) <= 0.3
    assert found.followed >= 0.8 * pans.FRAMES
    assert np.quantile(found.errors, 0.95) <= 0.3, 'errors do not add up'
    assert found.missed <= 0.01 * found.changed, 'what has changed is bought'


@pytest.mark.parametrize('still', PASSING, ids=lambda still: still.name)
def test_what_passes_before_a_camera_that_rests_is_not_followed(still: CameraPath) -> None:
    found = plans(still, 30)
    assert any(np.hypot(*plan.motion) >= MOVES for plan in found), 'taken for motion at first'
    assert all(plan.look.frame.anchor == 0 for plan in found)


@pytest.mark.parametrize('speed', [1.0, 3.7, -7.1, 10.3, -14.0])
def test_a_camera_that_pans_is_followed_whatever_moves_at_the_same_time(speed: float) -> None:
    things = plans(CameraPath('things', lambda index: Pose(speed * index), things=3), 12)
    assert sum(plan.look.frame.anchor > 0 for plan in things) >= 10
    person = CameraPath('person', lambda index: Pose(speed * index), passes=pans.PERSON)
    if speed > -14:  # so fast, and she goes the other way: it is not told how far the wall goes
        assert plans(person, 12)[-1].look.frame.anchor


def test_a_camera_that_comes_to_rest_before_a_belt_does_not_go_on_with_the_belt() -> None:
    pan = CameraPath(
        'stops',
        lambda index: Pose(-7.0 * min(index, 8)),
        passes=lambda image, index: pans.BELT(image, index) if index > 10 else None,
    )
    found = plans(pan, 60)
    assert found[8].look.frame.anchor
    assert found[-1].look.frame.anchor == 0


@pytest.mark.parametrize('name', ['roll', 'zoom', 'fast pan'])
def test_where_following_does_not_help_it_costs_no_more(name: str) -> None:
    following, off = (
        pans.score(NAMED[name], pans.settings(follow=follow)) for follow in ('auto', 'off')
    )
    assert np.mean(following.fresh) <= np.mean(off.fresh) + 0.05


def test_the_gate_sees_a_roll_and_shows_all_of_the_image_again() -> None:
    found = plans(CameraPath('roll', lambda index: Pose(roll=2.0 * index)), 60)
    assert found[-1].look.frame.anchor == 0


def test_a_frame_too_small_for_the_margin_is_not_followed() -> None:
    found = plans(NAMED['pan of 7.1 px'], 8, follow_margin=80)
    assert all(plan.look.frame.anchor == 0 for plan in found)


def test_the_setting_ends_it_and_all_of_the_image_is_seen_again() -> None:
    sight = None
    for frame, _ in pans.frames(NAMED['pan of 7.1 px'], 8):
        sight = sight or Sight(pans.settings(), frame)
        if sight.newest.stamp != frame.stamp:
            sight.see(frame)
        sight.paid(sight.plan, sight.plan.fresh)
    assert sight.newest.anchor
    sight.configure(pans.settings(follow='off'))
    sight.see(replace(frame, stamp=frame.stamp + 1))
    assert sight.newest.anchor == 0
    assert sight.plan.whole


def test_another_statistic_is_taken_on_in_the_middle_of_a_pan() -> None:
    sight = None
    for index, (frame, _) in enumerate(pans.frames(NAMED['pan of 7.1 px'], 8)):
        if sight is None:
            sight = Sight(pans.settings(), frame)
        else:
            sight.see(frame)
        if index in (3, 5):
            sight.configure(pans.settings(statistic='mean' if index == 3 else 'tile_mean'))
        sight.paid(sight.plan, EVERYTHING)
    assert sight.newest.anchor


class TurningSight:
    """A sight whose camera turns and rests as it is told; nothing is paid by itself."""

    def __init__(self, **changes: object) -> None:
        self.index, self.at = 0, 0.0
        self.sight = Sight(pans.settings(**changes), self.frame())
        self.pay()

    def frame(self) -> Frame:
        """What it sees now."""
        pan = CameraPath('told', lambda _: Pose(self.at))
        stamp = round((self.index + 1) / pans.RATE * 1e9)
        return Frame(pans.delivered(pan, self.index), GRID, stamp)

    def turn(self, right: float, times: int = 1, *, pays: bool = False) -> None:
        """Turn so many pixels in each of some frames."""
        for _ in range(times):
            self.index += 1
            self.at += right
            self.sight.see(self.frame())
            if pays:
                self.pay()

    def pay(self, plan: Plan | None = None) -> None:
        """Pay what a plan says; None: the newest one's."""
        plan = plan or self.sight.owed().plan
        self.sight.paid(plan, plan.fresh)


def test_a_camera_that_has_come_to_rest_gets_all_of_its_image_back() -> None:
    camera = TurningSight()
    camera.turn(-5.0, 6, pays=True)
    assert camera.sight.newest.anchor
    camera.turn(0.0, 20, pays=True)
    assert camera.sight.owed().whole_view is None, 'it may go on at once'
    camera.turn(0.0, 15, pays=True)
    view = camera.sight.owed().whole_view
    assert view is not None
    assert view.whole
    assert camera.sight.owed().whole_view is view, 'made once per image'
    camera.pay(view)
    assert camera.sight.newest.anchor == 0
    assert camera.sight.newest.view.corner_and_size == (0.0, 0.0, 1.0, 1.0)
    assert camera.sight.owed().count == 0
    camera.turn(0.0, 5)
    assert camera.sight.owed().count == 0


def test_what_was_paid_is_found_again_when_the_camera_comes_back() -> None:
    camera = TurningSight()
    camera.turn(-7.0, 4, pays=True)
    paid = camera.sight.newest.anchor
    camera.turn(-7.0, 12)
    assert camera.sight.newest.anchor != paid
    assert camera.sight.plan.whole
    camera.turn(7.0, 12)
    assert camera.sight.newest.anchor == paid
    assert camera.sight.plan.fresh.mean() < 0.3


def test_a_payment_that_ends_late_stands_where_its_image_stood() -> None:
    camera = TurningSight()
    camera.turn(-6.0, 3, pays=True)
    camera.turn(-6.0, 9)
    late = camera.sight.owed().plan
    assert late.whole
    camera.turn(-6.0, 3)
    camera.pay(late)
    assert camera.sight.newest.anchor == late.look.frame.anchor
    assert not camera.sight.plan.whole, 'the newest image is held against what was paid'
    camera.turn(-6.0, 20)
    assert camera.sight.plan.whole
    camera.pay(late)
    assert camera.sight.plan.whole, 'what was paid is out of the picture'
