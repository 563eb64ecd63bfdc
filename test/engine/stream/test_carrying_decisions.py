# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a payment carries, leaves out and prefills, by what is owed and how the cache stands."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from engine.owing import ALL, CONFIG, HELD, OTHER, SECOND, SOME, frame, owed

from vlmaxxing_ros.engine.seeing.bursts import Brief
from vlmaxxing_ros.engine.seeing.note import Note
from vlmaxxing_ros.engine.seeing.reach import Reach
from vlmaxxing_ros.engine.seeing.sight import Past
from vlmaxxing_ros.engine.stream.decision import asked, background, eager, protecting, sure
from vlmaxxing_ros.engine.stream.payment import Payment, Why

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


def test_while_somebody_asks_a_frame_of_the_past_that_looks_the_same_goes_before_it() -> None:
    calm = owed(still=4.1)
    carried = replace(CARRIES, exact=False, carried=True, settles=True)
    asking = replace(carried, attended=True)
    assert paid(background(calm, asking, CONFIG)).past is calm.past
    assert paid(background(calm, carried, CONFIG)).past is None
    elsewhere = replace(frame(95 * SECOND), anchor=1)
    for past in (None, Past(frame(95 * SECOND), SOME), Past(elsewhere, ~ALL)):
        assert background(replace(calm, past=past), asking, CONFIG) is None, 'not yet'


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
    for attended in (False, True):
        standing = replace(carried, attended=attended)
        payment = paid(background(replace(owed(still=1.1), past=None), standing, untimed))
        assert (payment.why, payment.afresh, payment.since) == (Why.SETTLE, True, -math.inf)
