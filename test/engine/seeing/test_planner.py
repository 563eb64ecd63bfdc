# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the planner buys, and when."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing import planner
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.engine.seeing.plan import Plan, Take, Verdict
from vlmaxxing_ros.engine.seeing.planner import Planner
from vlmaxxing_ros.engine.seeing.region import Region

GRID = Grid(8, 10, 28)
SECOND = 1_000_000_000


def scene(seed: int = 0) -> np.ndarray:
    """A smooth, colourful image: float64 [height, width, 3]."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 210, (12, 14, 3))
    return cv2.resize(coarse, (GRID.width, GRID.height), interpolation=cv2.INTER_CUBIC)


def frame_of(image: np.ndarray, index: int, interval: float = 0.1) -> Frame:
    pixels = np.clip(np.round(image), 0, 255).astype(np.uint8)
    return Frame(pixels, GRID, int(index * interval * SECOND))


def settings(**changes: object) -> EngineConfig:
    """Staleness out of the way unless a test asks for it."""
    values: dict[str, object] = {'max_age': math.inf, **changes}
    return EngineConfig(**values)  # type: ignore[arg-type]


class Planned:
    """A planner that is given what it planned."""

    def __init__(self, config: EngineConfig) -> None:
        self.planner = Planner(config)
        self.index = 0

    def show(
        self, image: np.ndarray, *, admit: bool = True, interval: float = 0.1, **hint: object
    ) -> Plan:
        """Plan the next frame and, unless told not to, admit what was planned."""
        frame = frame_of(image, self.index, interval)
        self.index += 1
        plan = self.planner.plan(self.planner.look(frame, **hint))  # type: ignore[arg-type]
        if admit or self.planner.reference is None:
            self.planner.admit(plan)
        return plan


def with_patch(image: np.ndarray, row: int, col: int, change: float, size: int = 8) -> np.ndarray:
    """`change` added to a square in the middle of block (row, col)."""
    image = image.copy()
    y, x = row * GRID.block + 10, col * GRID.block + 10
    image[y : y + size, x : x + size] += change
    return image


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


def test_a_frame_that_was_bought_whole_owes_nothing_though_the_camera_moved() -> None:
    planner = Planner(settings())
    planner.admit(planner.plan(planner.look(frame_of(scene(), 0))))
    moved = planner.look(frame_of(np.roll(scene(), 20, 1), 1))
    plan = planner.plan(moved)
    assert 'camera moved' in plan.reason
    planner.admit(plan)
    again = planner.plan(moved)
    assert (again.take, again.reason) == (Take.NOTHING, '')


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


@pytest.mark.parametrize('gain', [0.7, 1.3])
def test_exposure_buys_nothing(gain: float) -> None:
    stream = Planned(settings())
    stream.show(scene())
    for _ in range(3):
        plan = stream.show(scene() * gain)
        assert not plan.fresh.any()
        assert plan.light.gain == pytest.approx([gain] * 3, abs=0.03) or plan.light.offset.any()


def test_exposure_and_a_real_change_buy_the_change() -> None:
    stream = Planned(settings())
    stream.show(scene())
    plan = stream.show(with_patch(scene(), 3, 4, 60) * 0.7)
    assert np.argwhere(plan.fresh).tolist() == [[3, 4]]


def test_blocks_bought_in_different_light_agree_afterwards() -> None:
    stream = Planned(settings())
    for i in range(16):
        plan = stream.show(scene() * (1.0, 0.8, 0.65, 0.9)[i % 4])
        if i:
            assert not (plan.verdicts == Verdict.NOVEL).any()


@pytest.mark.parametrize('darkest', [40, 150])
def test_bands_leave_the_reference_in_its_own_light(darkest: int) -> None:
    down = np.arange(GRID.height)[:, None, None] / GRID.height
    rng, stream = np.random.default_rng(0), Planned(settings())
    # In the brighter room some of it is beyond 255 in the brightest rows.
    room = darkest + (scene() - 40) * (0.6 if darkest > 100 else 1.0)
    for index in range(300):
        rolling = 1 + 0.12 * np.sin(2 * np.pi * (1.7 * down + 0.37 * index)) if index else 1.0
        stream.show(room * rolling + rng.normal(0, 2, room.shape))
    comparison = stream.planner._comparison
    assert comparison is not None
    now = comparison.image
    first = cv2.resize(np.clip(room, 0, 255), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    unclipped = first < 220
    assert abs((now - first)[unclipped].mean()) < 1.5


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


def test_a_sky_that_is_blown_out_is_no_change_whatever_the_light() -> None:
    down = np.arange(GRID.height)[:, None, None] / GRID.height
    stream, outdoors = Planned(settings()), scene()
    outdoors[: 2 * GRID.block] = 400
    stream.show(outdoors)
    for index in range(8):
        rolling = 1 + 0.15 * np.sin(2 * np.pi * (1.7 * down + 0.37 * index))
        assert not (stream.show(outdoors * rolling).verdicts == Verdict.NOVEL).any()
    for gain in (0.8, 1.1, 0.9, 1.2):
        assert not (stream.show(outdoors * gain).verdicts == Verdict.NOVEL).any()


def test_lights_out_is_a_scene_change() -> None:
    stream = Planned(settings())
    stream.show(scene())
    assert stream.show(scene() * 0.2).whole
    assert stream.show(scene() * 0).whole
    assert stream.show(scene()).whole


def test_a_slow_change_of_light_is_bought_in_the_end() -> None:
    stream = Planned(settings())
    stream.show(scene())
    bought = [stream.show(scene() * 0.99**i).fresh.any() for i in range(1, 100)]
    assert any(bought)
    assert bought.index(True) > 20


def test_a_pan_takes_frames_whole_and_says_so() -> None:
    wide = np.concatenate([scene(1), scene(2)], axis=1)
    stream = Planned(settings())
    for i in range(3):
        plan = stream.show(wide[:, 10 * i : 10 * i + GRID.width])
    assert plan.whole
    assert 'camera moved' in plan.reason
    assert plan.motion == pytest.approx((-10, 0), abs=1)


def test_jitter_of_one_pixel_is_no_camera_motion() -> None:
    wide = cv2.copyMakeBorder(scene(), 1, 1, 1, 1, cv2.BORDER_REFLECT)
    rng = np.random.default_rng(3)
    stream = Planned(settings())
    for _ in range(10):
        y, x = rng.integers(0, 3, 2)
        plan = stream.show(wide[y : y + GRID.height, x : x + GRID.width])
        assert 'camera' not in plan.reason


def test_shifted_blocks_wait_while_the_camera_shakes() -> None:
    wide = cv2.copyMakeBorder(scene(), 0, 0, 0, 1, cv2.BORDER_REFLECT)
    wide[3 * GRID.block : 4 * GRID.block, 4 * GRID.block : 5 * GRID.block] = 120
    stream = Planned(settings())
    for i in range(12):
        image = with_patch(wide, 3, 4, 5 if i >= 6 else 0)
        plan = stream.show(image[:, i % 2 : i % 2 + GRID.width])
    assert plan.verdicts[3, 4] == Verdict.SHIFTED
    assert not plan.fresh[3, 4]
    assert any(stream.show(image[:, 1:]).fresh[3, 4] for _ in range(20))


def test_a_hint_of_camera_motion_is_believed() -> None:
    stream = Planned(settings())
    stream.show(scene())
    assert not stream.show(scene(), camera_velocity=(50.0, 0.0)).whole
    plan = stream.show(scene(), camera_velocity=(100.0, 0.0))
    assert plan.whole
    assert plan.motion == pytest.approx((10.0, 0.0))
