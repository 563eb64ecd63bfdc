# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""History and tail are carried: a question pays for what has changed, and for nothing besides."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from engine.owing import ALL, CONFIG, HELD, OTHER, SECOND, SOME, frame, owed
from engine.scenes import GRID, PERIOD, answer, change_blocks, frames_held, is_as_cold, scene
from engine.situations import without_carry

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.seeing.bursts import Brief
from vlmaxxing_ros.engine.seeing.note import Note
from vlmaxxing_ros.engine.seeing.reach import Reach
from vlmaxxing_ros.engine.stream.decision import asked, background, eager, protecting, sure
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.engine.stream.payment import Payment, Why
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.evaluation.arms.live import SimulatedClock

FRAME_ROWS = GRID.blocks + 2
# The tail is a moment that the history lacks.
CARRIES = replace(HELD, keyframe=98 * SECOND, carries=True)
OUTDATED = replace(CARRIES, keyframe=90 * SECOND, outdated=True, expired=True, remembers=False)
REACH = Reach.of(CONFIG)


def paid(payment: Payment | None) -> Payment:
    assert payment is not None
    return payment


def test_a_question_s_tail_becomes_a_keyframe_and_a_copy_of_it_the_tail() -> None:
    payment = paid(asked(owed(SOME), CARRIES, CONFIG))
    assert (payment.promote, payment.carried, payment.afresh) == (True, True, False)
    assert (payment.whole, payment.aside, payment.puts_off) == (False, False, False)
    assert (payment.blocks == SOME).all()


def test_one_that_is_no_new_moment_is_refreshed_in_place_and_nothing_carried() -> None:
    early = replace(CARRIES, keyframe=98 * SECOND + SECOND // 2)
    payment = paid(asked(owed(SOME), early, CONFIG))
    assert (payment.promote, payment.carried, payment.whole) == (False, False, False)


def test_most_of_a_frame_is_taken_whole_behind_it() -> None:
    payment = paid(asked(owed(~SOME), CARRIES, CONFIG))
    assert (payment.promote, payment.whole) == (True, True)
    worn = replace(CARRIES, exact=False, refreshed=CONFIG.max_refreshed + 0.1)
    payment = paid(asked(owed(SOME), worn, CONFIG))
    assert (payment.promote, payment.whole) == (True, True), 'so much was refreshed'


def test_what_ended_too_long_ago_is_left_out_at_no_cost() -> None:
    for blocks in (SOME, ~ALL):
        payment = paid(asked(owed(blocks), OUTDATED, CONFIG))
        assert (payment.afresh, payment.carried, payment.whole) == (True, True, False)
        assert payment.since == owed().stamp - REACH.most
        assert payment.promote == blocks.any(), 'what has not changed is no moment of the past'
    assert asked(owed(), replace(OUTDATED, outdated=False, expired=False), CONFIG) is None


def test_so_is_what_makes_a_history_longer_than_it_should_be() -> None:
    payment = paid(asked(owed(SOME), replace(CARRIES, crowded=True), CONFIG))
    assert (payment.afresh, payment.since) == (True, owed().stamp - REACH.least)
    early = replace(CARRIES, crowded=True, keyframe=CARRIES.tail)
    assert not paid(asked(owed(SOME), early, CONFIG)).afresh, 'it does not grow'


def test_the_background_does_the_same_while_somebody_asks() -> None:
    for attended in (True, False):
        standing = replace(CARRIES, attended=attended)
        for why, what in ((Why.CALM, {'calm': SOME}), (Why.DUE, {'due': SOME})):
            payment = paid(background(owed(SOME, **what), standing, CONFIG))
            assert (payment.why, payment.whole, payment.promote) == (why, False, attended)
    assert background(owed(SOME), replace(CARRIES, attended=True), CONFIG) is None


def test_a_tail_that_is_not_of_one_moment_is_a_keyframe_only_where_the_history_lacks_one() -> None:
    partly = owed(SOME, accounted=98)
    assert not paid(asked(partly, replace(CARRIES, exact=False), CONFIG)).promote
    for keyframe in (98, 91):
        held = replace(CARRIES, keyframe=keyframe * SECOND, exact=False)
        assert not paid(asked(partly, held, CONFIG)).promote
    lacking = replace(CARRIES, keyframe=None, exact=False)
    assert paid(asked(partly, lacking, CONFIG)).promote
    assert not paid(asked(partly, replace(lacking, carries=False), CONFIG)).promote


def test_what_is_protected_is_paid_beside_another_payment_and_carries_nothing() -> None:
    what = owed(SOME, protected=SOME)
    payment = paid(protecting(what, replace(CARRIES, attended=True), CONFIG))
    assert (payment.partial, payment.carried, payment.promote) == (True, False, False)


def test_a_past_that_nothing_shows_is_the_tail_with_what_has_changed_since_undone() -> None:
    forgetful = replace(CARRIES, remembers=False, recalls=False)
    what = owed(SOME)
    assert what.past is not None
    for changed, turns_back in ((OTHER, True), (~OTHER, False)):
        then = replace(what, past=replace(what.past, changed=changed))
        payment = paid(asked(then, forgetful, CONFIG))
        assert payment.past is not None
        assert (payment.past.changed == changed | SOME).all(), 'what is owed may have been before'
        assert (payment.afresh, payment.whole) == (True, False)
        assert payment.turns_back == turns_back, 'most of a frame is prefilled whole'
    none = replace(CONFIG, keep_keyframes=0)
    assert paid(asked(what, replace(forgetful, keyframe=None), none)).past is None
    due = background(owed(SOME, due=SOME), replace(forgetful, attended=True), CONFIG)
    assert paid(due).past is None, 'the background leaves that to the question'


def test_notes_and_small_brief_events_are_put_on_it_and_a_large_one_waits_for_a_lull() -> None:
    small, large = (Brief(frame(98 * SECOND), blocks) for blocks in (SOME, ~SOME))
    note = Note((1, 2), 100 * SECOND)
    payment = paid(
        asked(replace(owed(SOME, briefs=(small, large)), notes=(note,)), CARRIES, CONFIG)
    )
    assert (payment.briefs, payment.notes) == ((small,), (note,))
    assert (payment.carried, payment.whole) == (True, False)
    lazy = replace(CONFIG, max_duty=0.0)
    assert paid(asked(owed(SOME, briefs=(large,)), CARRIES, lazy)).briefs == (large,)
    attended = replace(CARRIES, attended=True)
    assert background(owed(SOME, briefs=(large,)), attended, CONFIG) is None
    lull = paid(background(owed(briefs=(large,)), attended, CONFIG))
    assert (lull.why, lull.briefs, lull.whole) == (Why.KEYFRAME, (large,), False)


def test_an_answer_that_is_not_sure_has_everything_prefilled() -> None:
    carried = replace(CARRIES, exact=False, carried=True)
    payment = sure(owed(SOME), carried, CONFIG)
    assert (payment.whole, payment.afresh, payment.carried) == (True, True, False)
    assert payment.since == owed().stamp - REACH.most
    assert not sure(owed(SOME), CARRIES, CONFIG).afresh


def test_so_has_the_background_once_most_of_it_has_ended() -> None:
    carried = replace(CARRIES, exact=False, carried=True, settles=True)
    assert background(owed(still=3.9), carried, CONFIG) is None
    for standing in (carried, replace(OUTDATED, settles=True)):
        payment = paid(background(owed(still=4.1), standing, CONFIG))
        assert (payment.why, payment.whole, payment.carried) == (Why.SETTLE, True, False)
        assert (payment.afresh, payment.since) == (True, owed().stamp - REACH.least)
    tail_alone = paid(background(owed(still=1.1), replace(carried, carried=False), CONFIG))
    assert (tail_alone.why, tail_alone.afresh) == (Why.SETTLE, False)


@pytest.mark.parametrize('kind', ['promote', 'afresh', 'whole'])
def test_a_payment_under_way_does_for_a_question_that_makes_no_more_of_the_history(
    kind: str,
) -> None:
    plain = replace(paid(asked(owed(SOME), CARRIES, CONFIG)), promote=False)
    more = replace(plain, **{kind: True})
    assert more.replaces(plain)
    assert more.replaces(more)
    assert not plain.replaces(more)


def test_a_keyframe_that_was_put_off_before_is_none_the_background_has_to_make() -> None:
    for attended in (True, False):
        standing = replace(CARRIES, put_off=True, reaches=False, attended=attended)
        for blocks in (SOME, ~ALL):
            assert background(owed(blocks), standing, CONFIG) is None


def test_a_question_without_time_for_more_pays_what_is_protected_and_keeps_the_moment() -> None:
    what = replace(owed(SOME | OTHER, protected=SOME), briefs=(Brief(frame(98 * SECOND), SOME),))
    payment = paid(protecting(what, replace(CARRIES, remembers=False), CONFIG, Why.ASKED))
    assert (payment.blocks == SOME).all()
    assert (payment.promote, payment.past, payment.briefs) == (True, None, ())
    assert (payment.aside, payment.puts_off, payment.partial) == (False, False, True)


def test_whoever_wants_all_that_is_owed_at_once_gets_large_brief_events_too() -> None:
    large = Brief(frame(98 * SECOND), ~SOME)
    payment = paid(eager(owed(SOME, briefs=(large,)), replace(CARRIES, attended=True), CONFIG))
    assert payment.briefs == (large,)


def test_notes_outlive_what_is_prefilled_again() -> None:
    config = replace(CONFIG, keep_notes=3)
    for standing in (replace(CARRIES, exact=False, carried=True), OUTDATED):
        payment = paid(background(owed(still=5.0), replace(standing, settles=True), config))
        assert (payment.afresh, payment.keep_notes) == (True, 3)
    assert sure(owed(SOME), replace(CARRIES, carried=True), config).keep_notes == 3


def test_what_was_carried_before_history_was_no_longer_timed_is_prefilled_too() -> None:
    untimed = replace(CONFIG, keyframe_interval=math.inf)
    carried = replace(CARRIES, exact=False, carries=False, carried=True, settles=True)
    payment = paid(background(owed(still=1.1), carried, untimed))
    assert (payment.why, payment.afresh, payment.since) == (Why.SETTLE, True, -math.inf)


# A stream


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
    watched.wait(6)
    watched.change((1, 2))
    answer(watched.session)
    watched.wait(12)
    watched.idle()
    assert watched.session.stream.cache.ledger.exact
    assert is_as_cold(watched.session)
    assert watched.session.audit().ok
    again = answer(watched.session)
    assert again.evidence.exact


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
