# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the planner buys, and when."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from engine.seeing.planned import GRID, Planned, frame_of, scene, settings, with_patch

from vlmaxxing_ros.engine.seeing import planner
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.plan import Take, Verdict
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.seeing.region import Region


def test_first_frame_is_taken_whole() -> None:
    plan = Planned(settings()).show(scene())
    assert plan.whole
    assert plan.reason == 'first frame'
    assert plan.fresh.all()


def test_another_size_is_taken_whole() -> None:
    other = Grid(4, 4, 28)
    planner = Planner(settings())
    small = Frame(np.zeros((112, 112, 3), np.uint8), other, 0)
    planner.admit(planner.plan(planner.look(small)))
    plan = planner.plan(planner.look(frame_of(scene(), 1)))
    assert plan.whole
    assert plan.fresh.shape == (8, 10)


def test_nothing_changed_buys_nothing() -> None:
    stream = Planned(settings())
    stream.show(scene())
    plan = stream.show(scene())
    assert not plan.whole
    assert not plan.fresh.any()
    assert (plan.verdicts == Verdict.STATIC).all()


@pytest.mark.parametrize('change', [30, -30])
def test_a_change_buys_its_block_alone(change: int) -> None:
    stream = Planned(settings())
    stream.show(scene())
    plan = stream.show(with_patch(scene(), 3, 4, change))
    assert np.argwhere(plan.fresh).tolist() == [[3, 4]]
    assert plan.verdicts[3, 4] == Verdict.NOVEL


@pytest.mark.parametrize(
    'statistic', ['tile_mean', 'mean', 'max_abs', 'changed_pixel_fraction', 'top_k_mean']
)
def test_every_statistic_sees_a_large_change(statistic: str) -> None:
    stream = Planned(settings(statistic=statistic))
    stream.show(scene())
    plan = stream.show(with_patch(scene(), 3, 4, 60, size=16))
    assert np.argwhere(plan.fresh).tolist() == [[3, 4]]


def test_in_a_protected_region_a_small_change_is_novel_at_once_and_noise_is_none() -> None:
    stream, region = Planned(settings()), Region(0.4, 0.375, 0.1, 0.125)
    stream.show(scene())
    moved = with_patch(with_patch(scene(), 3, 4, 5), 6, 7, 5)
    plan = stream.show(moved, protected=(region,))
    assert np.argwhere(plan.protected).tolist() == [[3, 4]]
    assert np.argwhere(plan.fresh).tolist() == [[3, 4]]
    assert plan.verdicts[6, 7] == Verdict.SHIFTED
    still = Planned(settings())
    still.show(scene())
    assert not still.show(with_patch(scene(), 3, 4, 1), protected=(region,)).fresh.any()


def test_a_small_change_is_reused_once_and_bought_when_it_stays() -> None:
    stream = Planned(settings())
    stream.show(scene())
    moved = with_patch(scene(), 3, 4, 5)
    first, second = stream.show(moved), stream.show(moved)
    assert first.verdicts[3, 4] == second.verdicts[3, 4] == Verdict.SHIFTED
    assert not first.fresh[3, 4]
    assert second.fresh[3, 4]


def test_many_small_changes_are_bought_a_few_at_a_time() -> None:
    stream = Planned(settings())
    stream.show(scene())
    moved = scene()
    for col in range(10):
        moved = with_patch(moved, 3, col, 5)
    counts = [int(stream.show(moved).fresh.sum()) for _ in range(5)]
    assert counts == [0, 4, 4, 2, 0]


def test_a_dirty_block_settles_after_settle_frames() -> None:
    stream = Planned(settings(settle_frames=3))
    stream.show(scene())
    moved = with_patch(scene(), 3, 4, 60)
    assert stream.show(moved).verdicts[3, 4] == Verdict.NOVEL
    verdicts = [stream.show(moved).verdicts[3, 4] for _ in range(4)]
    assert verdicts == [Verdict.SHIFTED, Verdict.SHIFTED, Verdict.STATIC, Verdict.STATIC]


def test_a_dirty_block_is_bought_above_low() -> None:
    stream = Planned(settings())
    stream.show(scene())
    stream.show(with_patch(scene(), 3, 4, 60))
    assert stream.show(with_patch(scene(), 3, 4, 65)).verdicts[3, 4] == Verdict.NOVEL


def test_a_fade_below_low_per_frame_is_seen() -> None:
    stream = Planned(settings())
    stream.show(scene())
    bought = [stream.show(with_patch(scene(), 3, 4, 1.0 * i)).fresh[3, 4] for i in range(1, 12)]
    assert any(bought)


def test_a_change_that_was_not_admitted_is_not_forgotten() -> None:
    stream = Planned(settings())
    stream.show(scene())
    moved = with_patch(scene(), 3, 4, 60)
    for _ in range(3):
        assert stream.show(moved, admit=False).fresh[3, 4]


def test_change_is_measured_against_what_was_admitted_not_the_previous_frame() -> None:
    stream = Planned(settings())
    stream.show(scene())
    stream.show(with_patch(scene(), 3, 4, 60), admit=False)
    assert not stream.show(scene()).fresh.any()


def test_a_block_whose_pixels_are_older_than_the_bound_expires() -> None:
    stream = Planned(settings(max_age=1.0))
    for _ in range(10):
        assert not (stream.show(scene()).verdicts == Verdict.EXPIRED).any()
    plan = stream.show(scene())
    assert (plan.verdicts == Verdict.EXPIRED).all()
    assert plan.take is Take.NOTHING


def test_a_block_that_was_bought_again_is_as_new_as_the_frame_that_it_came_from() -> None:
    stream = Planned(settings(max_age=1.0))
    for index in range(11):
        plan = stream.show(with_patch(scene(), 3, 4, 60) if index >= 5 else scene())
    assert plan.verdicts[3, 4] == Verdict.STATIC
    assert (plan.verdicts == Verdict.EXPIRED).sum() == GRID.blocks - 1


def test_what_moves_from_one_frame_to_the_next_is_told_from_what_only_differs() -> None:
    stream = Planned(settings())
    stream.show(scene())
    moved = with_patch(scene(), 3, 4, 60)
    plans = [
        stream.show(image, admit=False)
        for image in (moved, moved, with_patch(moved * 0.8, 5, 6, 60))
    ]
    assert not stream.planner.moved(plans[0], plans[1]).any()
    assert np.argwhere(stream.planner.moved(plans[1], plans[2])).tolist() == [[5, 6]]


def test_a_hard_cut_takes_the_frame_whole() -> None:
    stream = Planned(settings())
    stream.show(scene(1))
    plan = stream.show(scene(2))
    assert plan.whole
    assert plan.fresh.all()
    assert plan.reason


@pytest.mark.parametrize('shake', [0, 1])
def test_an_image_compared_in_strips_reads_as_in_one_go(
    monkeypatch: pytest.MonkeyPatch, shake: int
) -> None:
    rng = np.random.default_rng(0)
    texture = rng.uniform(60, 200, (GRID.height // 4, GRID.width // 4, 3))
    picture = cv2.resize(texture, (GRID.width, GRID.height), interpolation=cv2.INTER_CUBIC)
    whole, strips = Planned(settings()), Planned(settings())
    for index in range(8):
        image = np.roll(picture, shake * (index % 2), axis=0) * (1.1 if index > 4 else 1.0)
        image = with_patch(image, 3, 4, 60)
        monkeypatch.setattr(planner, 'STRIP', 10**9)
        expected = whole.show(image).change
        monkeypatch.setattr(planner, 'STRIP', 2 * 14 * GRID.width // 2 * 3)  # two rows of blocks
        assert np.array_equal(strips.show(image).change, expected)
