# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What is paid, when, and in which form, as a table of what is owed and how the cache stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from engine.owing import ALL, CONFIG, HELD, NOTHING, SECOND, SOME, frame, owed

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.seeing.bursts import Brief
from vlmaxxing_ros.engine.seeing.note import Note
from vlmaxxing_ros.engine.seeing.sight import Sight
from vlmaxxing_ros.engine.stream.decision import asked, background, eager, patience
from vlmaxxing_ros.engine.stream.payment import Payment, Why


def test_nothing_owed_nothing_paid() -> None:
    assert asked(owed(), HELD, CONFIG) is None
    assert background(owed(), HELD, CONFIG) is None


def test_what_is_owed_waits_until_it_is_calm_due_or_asked_for() -> None:
    assert background(owed(SOME), HELD, CONFIG) is None
    calm = background(owed(SOME, calm=SOME), HELD, CONFIG)
    due = background(owed(SOME, due=SOME), HELD, CONFIG)
    wanted = asked(owed(SOME), HELD, CONFIG)
    assert calm is not None
    assert due is not None
    assert wanted is not None
    assert [payment.why for payment in (calm, due, wanted)] == [Why.CALM, Why.DUE, Why.ASKED]
    for payment in (calm, due, wanted):
        assert not payment.whole
        assert (payment.blocks == SOME).all()


def test_the_longer_nobody_asks_the_longer_change_has_to_stand_still() -> None:
    waits = [patience(quiet, CONFIG) for quiet in (0.0, 0.4, 2.0, 5.0, 60.0)]
    assert waits == pytest.approx([0.3, 0.3, 1.4, 3.5, 5.0]), 'calm at least, max_owed at most'
    assert patience(60.0, replace(CONFIG, calm=0.0)) == 0.0, 'all change is calm'


def test_a_frame_that_is_owed_whole_waits_until_all_of_it_is_calm() -> None:
    whole = replace(owed(ALL, calm=SOME))
    whole = replace(whole, plan=replace(whole.plan, take=Sight(CONFIG, frame(1)).plan.take))
    assert background(whole, HELD, CONFIG) is None
    payment = background(replace(whole, calm=ALL), HELD, CONFIG)
    assert payment is not None
    assert payment.whole


@pytest.mark.parametrize('pay', [asked, background])
def test_without_a_tail_everything_is_paid_whole(pay: object) -> None:
    nothing = replace(HELD, tail=None, exact=False, keyframe=None)
    payment = pay(owed(ALL), nothing, CONFIG)  # type: ignore[operator]
    assert payment is not None
    assert payment.whole
    assert not payment.promote


def test_a_tail_that_went_stale_is_caught_up_with_when_somebody_asks() -> None:
    stale = replace(HELD, exact=False, caught_up=False)
    payment = asked(owed(), stale, CONFIG)
    assert payment is not None
    assert not payment.blocks.any()
    assert background(owed(), stale, CONFIG) is None


def test_where_a_keyframe_is_due_a_question_is_answered_aside_and_the_background_makes_it() -> None:
    early = replace(HELD, keyframe=98 * SECOND)
    payment = asked(owed(SOME), early, CONFIG)
    assert payment is not None
    assert (payment.aside, payment.puts_off, payment.whole) == (True, True, False)
    assert background(owed(SOME), early, CONFIG) is None, 'nobody has asked'
    later = background(owed(SOME), replace(early, put_off=True), CONFIG)
    assert later is not None
    assert (later.why, later.whole, later.promote) == (Why.KEYFRAME, True, True)


def test_where_the_background_does_nothing_the_question_makes_the_keyframe() -> None:
    early, lazy = replace(HELD, keyframe=98 * SECOND), replace(CONFIG, max_duty=0.0)
    payment = asked(owed(SOME), early, lazy)
    assert payment is not None
    assert (payment.whole, payment.promote, payment.aside) == (True, True, False)
    late = asked(owed(SOME), replace(early, late=True), CONFIG)
    assert late is not None
    assert (late.whole, late.promote) == (True, True)


def test_a_refreshed_tail_is_no_keyframe_but_one_is_put_off() -> None:
    refreshed = replace(HELD, keyframe=98 * SECOND, exact=False)
    payment = asked(owed(SOME), refreshed, CONFIG)
    assert payment is not None
    assert (payment.whole, payment.aside, payment.puts_off) == (False, False, True)
    later = background(owed(SOME), replace(refreshed, put_off=True), CONFIG)
    assert later is not None
    assert (later.whole, later.promote) == (True, False)


def test_a_tail_that_has_not_been_true_for_long_is_no_keyframe() -> None:
    payment = eager(owed(SOME, accounted=80), replace(HELD, keyframe=70 * SECOND), CONFIG)
    assert payment is not None
    assert (payment.whole, payment.promote) == (True, False)


def test_an_exact_tail_that_is_to_be_a_keyframe_is_spared_while_somebody_asks() -> None:
    early = replace(HELD, keyframe=98 * SECOND)
    calm, due = owed(SOME, calm=SOME), owed(SOME, due=SOME)
    for standing in (early, replace(HELD, attended=True), replace(early, exact=False)):
        payment = background(calm, standing, CONFIG)
        assert payment is not None
        assert payment.why is Why.CALM
    spared = replace(early, attended=True)
    assert background(calm, spared, CONFIG) is None
    payment = background(due, spared, CONFIG)
    assert payment is not None
    assert (payment.why, payment.whole, payment.promote) == (Why.KEYFRAME, True, True)


def test_while_somebody_asks_an_exact_tail_is_a_keyframe_before_it_is_of_another_time() -> None:
    spared = replace(HELD, keyframe=90 * SECOND, tail=94 * SECOND, attended=True)
    assert background(owed(SOME, accounted=96), spared, CONFIG) is None
    payment = background(owed(SOME, accounted=95), spared, CONFIG)
    assert payment is not None
    assert (payment.why, payment.whole, payment.promote) == (Why.KEYFRAME, True, True)
    assert background(owed(NOTHING, accounted=95), spared, CONFIG) is None, 'it still holds'


def test_a_keyframe_that_was_put_off_goes_before_what_is_due() -> None:
    payment = background(owed(SOME, due=SOME), replace(HELD, put_off=True), CONFIG)
    assert payment is not None
    assert payment.why is Why.KEYFRAME


def test_a_question_pays_for_a_past_that_nothing_else_shows() -> None:
    forgetful = replace(HELD, remembers=False, recalls=False, exact=False, keyframe=98 * SECOND)
    for blocks in (SOME, NOTHING):
        payment = asked(owed(blocks), forgetful, CONFIG)
        assert payment is not None
        assert (payment.whole, payment.afresh, payment.puts_off) == (True, True, False)
        assert payment.past is not None
    kept = asked(owed(SOME), replace(forgetful, exact=True, recalls=True), CONFIG)
    assert kept is not None
    assert (kept.promote, kept.past) == (True, None), 'the tail will show it'
    long_ago = asked(owed(SOME, accounted=80), replace(forgetful, exact=True, recalls=True), CONFIG)
    assert long_ago is not None
    assert long_ago.past is not None, 'the tail has not been true for too long'


def test_a_whole_frame_that_made_no_keyframe_puts_one_off() -> None:
    refreshed = replace(HELD, keyframe=98 * SECOND, exact=False)
    payment = asked(owed(ALL), refreshed, CONFIG)
    assert payment is not None
    assert (payment.whole, payment.promote, payment.puts_off) == (True, False, True)


def test_calm_change_does_not_make_a_refreshed_tail_whole_for_a_keyframes_sake() -> None:
    early = replace(HELD, keyframe=98 * SECOND, exact=False)
    payment = background(owed(SOME, calm=SOME), early, CONFIG)
    assert payment is not None
    assert not payment.whole


def test_most_of_the_blocks_are_taken_as_the_whole_frame() -> None:
    most = ALL.copy()
    most[0, 0] = False
    payment = asked(owed(most), HELD, CONFIG)
    assert payment is not None
    assert payment.whole
    assert payment.blocks.all()


def test_a_family_that_cannot_refresh_pays_whole_frames() -> None:
    payment = asked(owed(SOME), replace(HELD, whole_only=True), CONFIG)
    assert payment is not None
    assert payment.whole


def test_a_history_of_another_time_is_left_behind() -> None:
    old = replace(HELD, outdated=True, expired=True)
    payment = eager(owed(SOME), old, CONFIG)
    assert payment is not None
    assert payment.afresh
    assert payment.since == 99.4 * SECOND - 4 * SECOND
    waits = asked(owed(), old, CONFIG)
    assert waits is None, 'a question does not wait for that: a generation is being built'
    late = asked(owed(), replace(old, late=True), CONFIG)
    assert late is not None
    assert late.afresh


def test_a_history_that_does_not_reach_back_is_begun_with_a_frame_from_before() -> None:
    short = replace(HELD, reaches=False, put_off=True)
    payment = background(owed(SOME), short, CONFIG)
    assert payment is not None
    assert payment.past is not None
    assert payment.past.frame.stamp == 95 * SECOND
    assert payment.afresh


def test_a_small_event_that_came_and_went_is_paid_by_the_next_question() -> None:
    brief = Brief(frame(99 * SECOND), SOME)
    payment = asked(owed(briefs=(brief,)), HELD, CONFIG)
    assert payment is not None
    assert payment.briefs == (brief,)
    assert payment.whole
    assert background(owed(still=2.0, briefs=(brief,)), HELD, CONFIG) is None


def test_a_large_one_is_left_to_the_background_once_somebody_has_asked() -> None:
    brief = Brief(frame(99 * SECOND), ALL)
    assert asked(owed(briefs=(brief,)), HELD, CONFIG) is None
    payment = background(owed(briefs=(brief,)), replace(HELD, put_off=True), CONFIG)
    assert payment is not None
    assert payment.briefs == (brief,)


def test_a_large_brief_event_that_no_question_paid_is_paid_while_somebody_asks() -> None:
    brief = Brief(frame(99 * SECOND), ALL)
    idle = replace(HELD, remembers=False, recalls=False, keyframe=None)
    payment = asked(owed(SOME, briefs=(brief,)), idle, CONFIG)
    assert payment is not None
    assert (payment.briefs, payment.puts_off) == ((), False)
    later = background(owed(briefs=(brief,)), replace(HELD, attended=True), CONFIG)
    assert later is not None
    assert later.briefs == (brief,)
    assert background(owed(briefs=(brief,)), HELD, CONFIG) is None, 'nobody has asked'


def test_a_large_brief_event_holds_no_keyframe_up_while_something_moves() -> None:
    brief = Brief(frame(99 * SECOND), ALL)
    attended = replace(HELD, attended=True, put_off=True)
    for blocks, briefs in ((SOME, ()), (~ALL, (brief,))):
        payment = background(owed(blocks, briefs=(brief,)), attended, CONFIG)
        assert payment is not None
        assert (payment.why, payment.briefs) == (Why.KEYFRAME, briefs)


def test_a_note_is_put_on_the_history_with_the_frame_whole() -> None:
    noted = replace(owed(), notes=(Note((1, 2), 100 * SECOND),))
    for pay, why in ((asked, Why.ASKED), (eager, Why.EAGER), (background, Why.KEYFRAME)):
        payment = pay(noted, HELD, CONFIG)
        assert payment is not None
        assert (payment.why, payment.whole, payment.aside) == (why, True, False)
        assert payment.notes == noted.notes


def test_a_tail_is_settled_when_nothing_has_changed_for_a_while() -> None:
    refreshed = replace(HELD, exact=False, settles=True)
    assert background(owed(still=0.5), refreshed, CONFIG) is None
    assert background(owed(SOME, still=2.0), refreshed, CONFIG) is None
    payment = background(owed(still=2.0), refreshed, CONFIG)
    assert payment is not None
    assert (payment.why, payment.whole) == (Why.SETTLE, True)
    assert background(owed(still=2.0), replace(refreshed, settles=False), CONFIG) is None


def test_without_keyframes_none_are_taken() -> None:
    none = EngineConfig(keep_keyframes=0)
    payment = asked(owed(SOME), replace(HELD, keyframe=None), none)
    assert payment is not None
    assert (payment.whole, payment.promote, payment.past) == (False, False, None)


PAST = owed().past
NOTED = Note((1, 2), 100 * SECOND)
EVENT = Brief(frame(99 * SECOND), SOME)


@pytest.mark.parametrize('besides', [{'notes': (NOTED,)}, {'briefs': (EVENT,)}, {'past': PAST}])
def test_a_frame_under_way_does_for_a_question_only_with_all_that_it_would_put_on_the_history(
    besides: dict[str, Any],
) -> None:
    whole = Payment.settling(owed(SOME).plan)
    wanted = replace(whole, **besides)
    assert whole.replaces(whole)
    assert wanted.replaces(wanted)
    assert wanted.replaces(whole)
    assert not whole.replaces(wanted)


def test_a_frame_under_way_does_not_do_for_a_question_that_finds_the_lattice_elsewhere() -> None:
    plan = owed(SOME).plan
    moved = replace(plan, look=replace(plan.look, frame=replace(plan.look.frame, anchor=1)))
    assert not Payment.settling(plan).replaces(Payment.settling(moved))


def test_what_is_paid_in_place_does_not_do_for_a_whole_frame_but_the_other_way_round() -> None:
    in_place, whole = asked(owed(SOME), HELD, CONFIG), Payment.settling(owed(SOME).plan)
    assert in_place is not None
    assert whole.replaces(in_place)
    assert not in_place.replaces(whole)
