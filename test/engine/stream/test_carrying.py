# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""History and tail are carried: a question pays for what has changed, and for nothing besides."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from engine.scenes import GRID, PERIOD, answer, change_blocks, frames_held, is_as_cold, scene
from engine.situations import without_carry

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.evaluation.arms.live import SimulatedClock

FRAME_ROWS = GRID.blocks + 2


def one(place: tuple[int, int]) -> np.ndarray:
    chosen = np.zeros((GRID.rows, GRID.cols), bool)
    chosen[place] = True
    return chosen


class CarriedScene:
    """A scene that somebody asks about; a history should reach back 1 s, and 2 s at most."""

    def __init__(self, family: Family, **settings: float) -> None:
        config = replace(EngineConfig(keyframe_interval=0.5, keep_keyframes=2), **settings)
        self.session = StreamSession(family, config, SimulatedClock(1000.0))
        self.newest = scene(PERIOD)
        self.session.admit(self.newest)
        answer(self.session)

    def wait(self, images: int) -> None:
        """As many that show the same."""
        for _ in range(images):
            self.newest = replace(self.newest, stamp=self.newest.stamp + PERIOD)
            self.session.see(self.newest)

    def change(self, *places: tuple[int, int]) -> None:
        """One in which some blocks have changed."""
        stamp = self.newest.stamp + PERIOD
        fresh = np.any([one(place) for place in places], axis=0)
        self.newest = change_blocks(self.newest, fresh, stamp=stamp, seed=stamp // PERIOD)
        self.session.see(self.newest)

    def idle(self) -> None:
        """All that the background has to do."""
        while (work := self.session.background()) is not None:
            work.step()

    def come_to_rest(self, images: int) -> None:
        """A change, a question, as many images that show the same, and what is done meanwhile."""
        self.wait(6)
        self.change((1, 2))
        answer(self.session)
        self.wait(images)
        self.idle()

    @property
    def stamps(self) -> list[int]:
        """Which images the cache shows."""
        return [shown.stamp // PERIOD for shown in frames_held(self.session)]


@pytest.fixture
def watched(qwen: Family) -> CarriedScene:
    return CarriedScene(qwen)


def test_the_cache_is_the_tail_that_was_and_the_newest_frame(
    watched: CarriedScene, qwen: Family
) -> None:
    watched.wait(6)
    watched.change((3, 4))
    answered = answer(watched.session)
    assert watched.stamps == [1, 8]
    text, keyframe, tail = watched.session.stream.cache.ledger.segments
    assert (keyframe.kind, keyframe.until, keyframe.refreshed) == (Kind.KEYFRAME, 7 * PERIOD, None)
    assert tail.refreshed is not None
    for segment, end in ((keyframe, text.rows.end), (tail, keyframe.rows.end)):
        expected = qwen.frame_rows(GRID, end)
        assert np.array_equal(segment.rows.positions, expected.positions)
        assert segment.rows.end == expected.end
    assert not answered.evidence.exact
    assert answered.evidence.blocks_owed == 0
    assert 0 < answered.evidence.rows_paid < FRAME_ROWS
    assert answer(watched.session).evidence.rows_paid == 0


def test_from_question_to_question_what_ended_is_left_out(watched: CarriedScene) -> None:
    for place in ((3, 5), (2, 5), (3, 4)):
        watched.wait(8)
        watched.change(place)
        assert answer(watched.session).evidence.rows_paid < FRAME_ROWS
    assert watched.stamps == [1, 10, 19, 28], 'that of 0.1 s ended 1.9 s ago'
    watched.wait(2)
    assert answer(watched.session).evidence.rows_paid == 1, 'the closing row'
    assert watched.stamps == [10, 19, 30]
    assert all(s.refreshed for s in watched.session.stream.cache.ledger.history), 'and again'


def test_after_a_silence_a_frame_of_the_past_is_shown_without_being_prefilled(
    watched: CarriedScene, qwen: Family
) -> None:
    watched.wait(2)
    watched.change((2, 5))
    watched.wait(20)
    watched.change((3, 5))
    watched.wait(4)
    assert answer(watched.session).evidence.rows_paid < 2 * FRAME_ROWS
    then, newest = frames_held(watched.session)
    assert 10 * PERIOD <= newest.stamp - then.stamp < 20 * PERIOD
    past, tail = watched.session.stream.cache.ledger.segments[1:]
    assert past.shown is not None
    assert tail.shown is not None
    assert past.refreshed is not None
    cold = [np.array(IncrementalEncoder(qwen).encode(f).features.embeds) for f in (then, newest)]
    for shown in (past.shown.embeds, tail.shown.embeds):
        errors = [np.square(np.array(shown) - expected).mean() for expected in cold]
        assert errors[shown is tail.shown.embeds] < 0.2 * errors[shown is past.shown.embeds]


def test_once_all_is_calm_it_is_as_cold_and_an_audit_finds_nothing(watched: CarriedScene) -> None:
    watched.come_to_rest(12)
    assert watched.session.stream.cache.ledger.exact
    assert is_as_cold(watched.session)
    assert watched.session.audit().ok
    again = answer(watched.session)
    assert again.evidence.exact


def test_a_scene_that_stands_still_is_told_by_two_frames_for_as_long_as_it_does(
    watched: CarriedScene,
) -> None:
    watched.come_to_rest(22)
    past, tail = frames_held(watched.session)
    assert (past.stamp, tail.stamp) == (16 * PERIOD, 30 * PERIOD)
    assert past.shows_the_same(tail)
    watched.wait(30)
    assert watched.session.background() is None, 'it has not ended: the tail looks the same'
    assert answer(watched.session).evidence.exact
    watched.change((3, 4))
    answer(watched.session)
    watched.wait(1)
    assert watched.session.stream.standing.outdated, 'the keyframe that the tail has become has not'
    watched.change((3, 4))
    answer(watched.session)
    assert watched.stamps == [30, 61, 63]


def test_by_one_where_nobody_has_asked_for_long(watched: CarriedScene) -> None:
    watched.come_to_rest(50)
    assert watched.stamps == [58]


def test_an_audit_that_somebody_asks_for_has_it_prefilled_first(watched: CarriedScene) -> None:
    for place in ((3, 5), (2, 5)):
        watched.wait(8)
        watched.change(place)
        answer(watched.session)
    assert watched.session.stream.standing.carried
    report = watched.session.audit()
    assert report.ok
    assert watched.stamps == [1, 10, 19]
    assert watched.session.stream.cache.ledger.exact


def test_the_background_keeps_history_and_tail_up_to_date(watched: CarriedScene) -> None:
    watched.change((3, 5))
    watched.wait(8)
    watched.idle()
    assert watched.stamps == [1, 10]
    assert watched.session.stream.sight.owed().count == 0


def test_change_that_comes_later_has_to_stand_still_for_longer(watched: CarriedScene) -> None:
    watched.wait(20)
    watched.change((3, 5))
    watched.wait(8)
    watched.idle()
    assert watched.session.stream.sight.owed().count == 1, 'as long would do after a question'
    watched.wait(50)
    watched.idle()
    assert watched.session.stream.sight.owed().count == 0


def test_a_family_that_cannot_pays_for_its_history(qwen: Family) -> None:
    with without_carry(qwen):
        watched = CarriedScene(qwen)
        watched.change((2, 2))
        watched.wait(25)
        watched.change((1, 2))
        answered = answer(watched.session)
    assert answered.evidence.exact
    assert answered.evidence.rows_paid >= 2 * FRAME_ROWS


@pytest.mark.parametrize(
    'settings',
    [{'compression': 'infinipot'}, {'keyframe_interval': 0.0}, {'keyframe_interval': math.inf},
     {'token_budget': 64}, {'tail_mode': 'exact'}],
    ids=str,
)  # fmt: skip
def test_nor_is_anything_carried_where_nothing_bounds_how_long(
    qwen: Family, settings: dict[str, float]
) -> None:
    assert CarriedScene(qwen).session.stream.standing.carries
    assert not CarriedScene(qwen, **settings).session.stream.standing.carries


def test_a_compressed_history_is_not_prefilled_again(watched: CarriedScene) -> None:
    for place in ((3, 5), (2, 5)):
        watched.wait(8)
        watched.change(place)
        answer(watched.session)
    stream = watched.session.stream
    assert stream.standing.carried
    stream.compress(stream.cache.ledger.rows - 10)
    assert stream.cache.ledger.compressed
    assert not stream.standing.carried


def test_however_often_is_asked_the_budget_holds(qwen: Family) -> None:
    watched, most = CarriedScene(qwen, token_budget=6 * FRAME_ROWS), 0
    for number in range(24):
        watched.wait(4)
        watched.change((number % 4, number % 6))
        answer(watched.session, max_tokens=1)
        watched.idle()
        most = max(most, watched.session.stream.cache.ledger.rows)
    assert 3 * FRAME_ROWS < most <= 6 * FRAME_ROWS


def test_a_keyframe_that_was_asked_for_is_made_though_nothing_moves(watched: CarriedScene) -> None:
    watched.wait(6)
    watched.change((3, 4))
    answer(watched.session)
    watched.session.stream.wanted = True
    watched.idle()
    assert not watched.session.stream.wanted
    assert watched.stamps == [1, 8, 8]
