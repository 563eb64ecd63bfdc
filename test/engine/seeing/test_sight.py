# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a camera shows, what of it is owed, since when, and what came and went meanwhile."""

from __future__ import annotations

import math
import threading
from dataclasses import replace

import numpy as np
import pytest

from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_camera import QUIET
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.region import Region
from vlmaxxing_ros.engine.seeing.sight import Sight

GRID = Grid(4, 6, 28)
PERIOD = 100_000_000  # ns


def picture(*changed: tuple[int, int], level: int = 200) -> np.ndarray:
    """A textured scene; blocks at `changed` are flat."""
    coarse = np.random.default_rng(0).integers(40, 160, (GRID.rows * 4, GRID.cols * 4, 3), np.uint8)
    pixels = coarse.repeat(7, 0).repeat(7, 1)
    for row, col in changed:
        pixels[row * 28 : row * 28 + 28, col * 28 : col * 28 + 28] = level
    return pixels


class Watching:
    """A sight that is shown an image every 100 ms; the first one is paid."""

    def __init__(self, **settings: float) -> None:
        self.index = 1
        self.sight = Sight(EngineConfig(**settings), self.frame(picture()))
        everything = np.ones((GRID.rows, GRID.cols), bool)
        self.sight.paid(self.sight.plan, everything)

    def frame(self, pixels: np.ndarray) -> Frame:
        """One image."""
        return Frame(pixels, GRID, self.index * PERIOD)

    def show(self, *changed: tuple[int, int], times: int = 1, level: int = 200) -> None:
        """Show a scene for some images."""
        for _ in range(times):
            self.index += 1
            self.sight.see(self.frame(picture(*changed, level=level)))

    def pay(self) -> None:
        """Pay what is owed."""
        owed = self.sight.owed()
        self.sight.paid(owed.plan, owed.blocks)


def places(mask: np.ndarray) -> list[tuple[int, int]]:
    return [(int(row), int(col)) for row, col in np.argwhere(mask)]


def test_nothing_changed_nothing_owed_and_the_newest_image_is_accounted_for() -> None:
    camera = Watching()
    camera.show(times=5)
    owed = camera.sight.owed()
    assert (owed.count, owed.accounted, owed.age) == (0, 6 * PERIOD, 0.0)


def test_what_changed_is_owed_until_it_is_paid_whatever_comes_after() -> None:
    camera = Watching()
    camera.show((1, 2), times=3)
    owed = camera.sight.owed()
    assert places(owed.blocks) == [(1, 2)]
    assert owed.accounted == PERIOD
    assert owed.age == pytest.approx(0.3)
    camera.pay()
    assert camera.sight.owed().count == 0
    assert camera.sight.owed().accounted == 4 * PERIOD


def test_what_changes_back_is_owed_no_more() -> None:
    camera = Watching()
    camera.show((1, 2))
    camera.show()
    assert camera.sight.owed().count == 0


def test_what_changed_while_it_was_being_paid_stays_owed() -> None:
    camera = Watching()
    camera.show((1, 2))
    owed = camera.sight.owed()
    camera.show((1, 2), level=20)
    camera.sight.paid(owed.plan, owed.blocks)
    assert places(camera.sight.owed().blocks) == [(1, 2)]
    assert camera.sight.owed().accounted == owed.stamp


def test_a_block_is_calm_once_it_has_stood_still() -> None:
    camera = Watching(calm=0.3)
    for level in (200, 20, 200):
        camera.show((1, 2), (3, 3), level=level)
    assert not camera.sight.owed().calm.any()
    camera.show((1, 2), times=2)
    assert not camera.sight.owed().calm.any()
    camera.show((1, 2))
    assert places(camera.sight.owed().calm) == [(1, 2)]


def test_what_drifts_slowly_has_stood_still_since_it_is_owed() -> None:
    camera = Watching(calm=0.3)
    pixels = picture()
    while not camera.sight.owed().count:
        pixels[28:56, 56:84] += 1
        camera.index += 1
        camera.sight.see(camera.frame(pixels.copy()))
    for _ in range(3):
        assert not camera.sight.owed().calm.any()
        camera.index += 1
        camera.sight.see(camera.frame(pixels))
    assert places(camera.sight.owed().calm) == [(1, 2)]


def test_change_that_goes_on_is_due_after_a_while() -> None:
    camera = Watching(calm=0.3, max_owed=1.0)
    for index in range(10):
        camera.show((1, 2), level=200 if index % 2 else 20)
        assert not camera.sight.owed().due.any()
    camera.show((1, 2))
    assert places(camera.sight.owed().due) == [(1, 2)]


def test_what_never_changes_is_due_when_it_is_too_old() -> None:
    camera = Watching(max_age=1.0)
    camera.show(times=9)
    assert not camera.sight.owed().due.any()
    camera.show()
    assert camera.sight.owed().due.all()
    assert camera.sight.owed().count == 0, 'it is owed to nobody'


def test_what_went_on_changing_while_it_was_paid_is_owed_since_the_frame_that_was_paid() -> None:
    camera = Watching()
    camera.show((1, 2))
    camera.show((1, 2), (2, 2), times=3)
    plan = camera.sight.plan
    camera.show((2, 2), (1, 3), times=9)
    camera.sight.paid(plan, np.ones_like(plan.fresh))
    owed = camera.sight.owed()
    assert places(owed.blocks) == [(1, 2), (1, 3)]
    assert owed.accounted == plan.look.frame.stamp


def test_what_went_back_while_it_was_paid_is_owed_since_the_frame_that_was_paid() -> None:
    camera = Watching()
    camera.show((1, 2))
    paid = camera.sight.owed()
    camera.show(times=5)
    assert camera.sight.owed().count == 0, 'it looks as it did before'
    camera.sight.paid(paid.plan, paid.blocks)
    owed = camera.sight.owed()
    assert places(owed.blocks) == [(1, 2)]
    assert owed.accounted == paid.stamp


def test_a_brief_event_waits_with_the_image_that_showed_most_of_it() -> None:
    camera = Watching()
    camera.show((1, 2))
    camera.show((1, 2), (1, 3))
    shown = camera.sight.newest
    camera.show((1, 3))
    camera.show()
    (brief,) = camera.sight.owed().briefs
    assert brief.frame.stamp == shown.stamp
    assert places(brief.blocks) == [(1, 2), (1, 3)]
    camera.sight.remembered(brief)
    assert camera.sight.owed().briefs == ()


def test_what_was_paid_while_it_lasted_is_no_brief_event() -> None:
    camera = Watching()
    camera.show((1, 2))
    camera.pay()
    camera.show((1, 2))
    camera.show()
    camera.pay()
    assert camera.sight.owed().briefs == ()


def test_a_brief_event_of_another_time_is_forgotten() -> None:
    camera = Watching(keyframe_interval=0.5, keep_keyframes=2)
    camera.show((1, 2))
    camera.show(times=20)
    assert len(camera.sight.owed().briefs) == 1
    camera.show(times=2)
    assert camera.sight.owed().briefs == ()


def test_frames_of_the_past_are_kept_as_far_as_a_history_may_reach_and_are_bounded() -> None:
    camera = Watching(keyframe_interval=0.5, keep_keyframes=2)
    camera.show(times=9)
    assert camera.sight.owed().past is None
    camera.show(times=300)
    past, newest = camera.sight.owed().past, camera.sight.newest
    assert past is not None
    assert 1.0 <= (newest.stamp - past.frame.stamp) * 1e-9 < 1.5
    assert camera.sight.nbytes <= 6 * newest.pixels.nbytes


def test_what_has_changed_since_the_past_is_known_whatever_was_paid() -> None:
    camera = Watching(keyframe_interval=0.5, keep_keyframes=2)
    camera.show((0, 0), times=10)
    camera.show((0, 0), (1, 2), times=5)
    camera.pay()
    camera.show((0, 0), (1, 2), times=5)
    past = camera.sight.owed().past
    assert past is not None
    assert places(past.changed) == [(1, 2)]


def test_one_thread_sees_while_another_pays() -> None:
    camera = Watching()
    stopped = threading.Event()

    def pay() -> None:
        while not stopped.is_set():
            camera.pay()

    payer = threading.Thread(target=pay)
    payer.start()
    for index in range(100):
        camera.show((index % GRID.rows, index % GRID.cols))
    stopped.set()
    payer.join()
    camera.pay()
    owed = camera.sight.owed()
    assert (owed.count, owed.accounted) == (0, camera.sight.newest.stamp)


EVERYWHERE = (slice(0, GRID.rows), slice(0, GRID.cols))
TOP = (slice(0, 1), slice(0, GRID.cols))


def test_change_is_counted_since_any_stamp_whatever_was_paid_since() -> None:
    camera = Watching()
    camera.show(times=3)
    before = camera.sight.newest.stamp
    assert camera.sight.changed_since(before, EVERYWHERE) == 0
    camera.show((1, 2), (2, 2))
    changed = camera.sight.newest.stamp
    camera.pay()
    camera.show((1, 2), (2, 2), times=5)
    assert camera.sight.changed_since(before, EVERYWHERE) == 2
    assert camera.sight.changed_since(before, TOP) == 0
    assert camera.sight.changed_since(changed, EVERYWHERE) == 0, 'paid, and nothing has moved'


def test_what_is_owed_and_stands_still_changes_no_more() -> None:
    camera = Watching()
    camera.show((0, 2), times=5)
    stamp = camera.sight.newest.stamp
    camera.show((0, 2), times=5)
    assert camera.sight.owed().count == 1
    assert camera.sight.changed_since(stamp, EVERYWHERE) == 0
    camera.show((0, 2), level=120)
    assert camera.sight.changed_since(stamp, EVERYWHERE) == 1, 'it is owed as before, and moved'


def test_what_goes_back_to_what_was_paid_has_changed_too() -> None:
    camera = Watching()
    camera.show((0, 2), times=5)
    stamp = camera.sight.newest.stamp
    camera.show()
    assert camera.sight.owed().count == 0
    assert camera.sight.changed_since(stamp, TOP) == 1


def test_a_frame_of_which_nothing_can_be_reused_has_changed_everywhere() -> None:
    camera = Watching()
    camera.show()
    stamp = camera.sight.newest.stamp
    camera.show(*((row, col) for row in range(GRID.rows) for col in range(GRID.cols)))
    assert camera.sight.changed_since(stamp, EVERYWHERE) == GRID.blocks


def begun(camera: Watching) -> list[tuple[float, float, int]]:
    return [(b.region.x, b.region.y, b.blocks) for b in camera.sight.begun]


def test_what_begins_to_change_is_told_once() -> None:
    camera = Watching(calm=0.3)
    assert begun(camera) == []
    camera.show(times=5)
    camera.show((0, 4), (0, 5), (3, 0))
    assert begun(camera) == [(4 / 6, 0.0, 2), (0.0, 3 / 4, 1)]
    camera.show((0, 4), (0, 5), (3, 0))
    assert begun(camera) == [], 'it stands still'
    camera.pay()
    camera.show((0, 4), (0, 5), (3, 0))
    assert begun(camera) == []


def test_what_moves_on_is_told_no_more_until_it_has_been_calm() -> None:
    camera = Watching(calm=0.3)
    camera.show(times=5)
    told = []
    for col in (0, 1, 2, 3):
        camera.show((1, col))
        told.append(len(camera.sight.begun))
    assert told == [1, 0, 0, 0]
    camera.show((1, 3), times=4)
    camera.show((1, 4))
    assert begun(camera) == [(3 / 6, 1 / 4, 2)], 'it goes on after a while'


def test_what_goes_away_is_told_as_well() -> None:
    camera = Watching(calm=0.3)
    camera.show(times=5)
    camera.show((1, 2), times=5)
    camera.show()
    assert begun(camera) == [(2 / 6, 1 / 4, 1)]


def test_at_a_low_rate_change_goes_on_from_one_image_to_the_next() -> None:
    camera = Watching(calm=0.01)
    camera.show(times=5)
    told = []
    for col in (0, 1, 2, 3):
        camera.show((1, col))
        told.append(len(camera.sight.begun))
    assert told == [1, 0, 0, 0]


def test_a_frame_of_which_nothing_can_be_reused_begins_everywhere() -> None:
    camera = Watching()
    camera.show(times=5)
    camera.show(*((row, col) for row in range(GRID.rows) for col in range(GRID.cols)))
    assert begun(camera) == [(0.0, 0.0, GRID.blocks)]


def test_noise_drifting_light_and_a_flickering_lamp_are_no_change() -> None:
    spoilt = replace(QUIET, noise=5.0, drift=0.1, drift_period=9.0, flicker=0.04, flicker_hz=99.7)
    table = Tabletop(seed=1, size=(GRID.height, GRID.width), pause=math.inf, camera=spoilt)
    camera = Watching()
    camera.sight = Sight(EngineConfig(), Frame(table.render(0.0), GRID, PERIOD))
    camera.pay()
    stamp = camera.sight.newest.stamp
    for index in range(1, 100):
        frame = Frame(table.render(index / 10), GRID, stamp + index * PERIOD)
        camera.sight.see(frame)
        assert camera.sight.begun == ()
    assert camera.sight.changed_since(stamp, EVERYWHERE) == 0


def test_a_region_of_the_image_is_found_in_whatever_is_shown_of_it() -> None:
    camera = Watching()
    assert camera.sight.touched(Region(0.5, 0.0, 0.5, 1.0)) == (slice(0, 4), slice(3, 6))
    shown = replace(camera.sight.newest, view=Region(0.25, 0.0, 0.75, 1.0))
    look = replace(camera.sight.plan.look, frame=shown)
    camera.sight._plan = replace(camera.sight.plan, look=look)
    assert camera.sight.touched(Region(0.5, 0.0, 0.5, 1.0)) == (slice(0, 4), slice(2, 6))
