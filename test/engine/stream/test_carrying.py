# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A history that would have to be remade is carried for one answer; the cache is what it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine.owing import CONFIG, HELD, SECOND, SOME, frame, owed
from engine.scenes import GRID, PERIOD, answer, change_blocks, scene

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.seeing.bursts import Brief
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.reach import Reach
from vlmaxxing_ros.engine.stream.decision import asked, background, rebuilds, sure
from vlmaxxing_ros.engine.stream.payment import Payment, Why
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.evaluation.arms.live import SimulatedClock

FRAME_ROWS = GRID.blocks + 2
# The tail is to be a keyframe, and the history before it is of another time.
OUTDATED = replace(
    HELD, keyframe=90 * SECOND, outdated=True, expired=True, remembers=False, carries=True
)


def alone(payment: Payment | None) -> Payment:
    assert payment is not None
    assert payment.whole
    assert payment.alone is not None
    return payment.alone


def test_where_the_history_is_outdated_it_and_the_tail_can_be_carried_for_the_answer() -> None:
    payment = alone(asked(owed(SOME), OUTDATED, CONFIG))
    assert (payment.carried, payment.aside, payment.puts_off) == (True, True, True)
    assert (payment.promote, payment.afresh, payment.whole) == (True, True, False)
    assert (payment.blocks == SOME).all()


def test_behind_a_history_that_is_carried_most_of_a_frame_is_taken_whole() -> None:
    payment = alone(asked(owed(~SOME), OUTDATED, CONFIG))
    assert (payment.carried, payment.whole) == (True, True)
    inexact = alone(asked(owed(SOME), replace(OUTDATED, exact=False), CONFIG))
    assert (inexact.whole, inexact.promote) == (True, False), 'only exact rows are carried'


def test_a_keyframe_that_is_put_on_costs_nothing_where_the_frame_is_whole_anyway() -> None:
    fresh = replace(OUTDATED, outdated=False, expired=False)
    assert alone(asked(owed(SOME), fresh, CONFIG)).promote
    payment = asked(owed(~SOME), fresh, CONFIG)
    assert payment is not None
    assert payment.promote
    assert payment.alone is None


@pytest.mark.parametrize(
    ('standing', 'config'),
    [
        (replace(OUTDATED, carries=False), CONFIG),
        (OUTDATED, replace(CONFIG, max_duty=0.0)),
        (replace(OUTDATED, recalls=False), CONFIG),
    ],
    ids=['a family that cannot', 'nobody makes the keyframe', 'a frame of the past is lacking'],
)
def test_otherwise_the_question_pays_for_the_history(standing: object, config: object) -> None:
    payment = asked(owed(SOME), standing, config)  # type: ignore[arg-type]
    assert payment is not None
    assert payment.afresh
    assert payment.alone is None


def test_what_ended_too_long_ago_is_left_out_as_soon_as_that_costs_nothing() -> None:
    outdated = replace(OUTDATED, expired=False, keyframe=99 * SECOND)
    in_place = asked(owed(SOME), outdated, CONFIG)
    assert in_place is not None
    assert (in_place.whole, in_place.afresh) == (False, False), 'it does not pay for that'
    assert in_place.alone is not None
    assert (in_place.alone.whole, in_place.alone.afresh) == (False, True)
    assert in_place.alone.since == owed(SOME).stamp - Reach.of(CONFIG).most
    refreshed = asked(owed(SOME), replace(outdated, exact=False), CONFIG)
    assert refreshed is not None
    assert refreshed.alone is None, 'its tail would have to be taken whole'


def test_nothing_has_to_be_owed_for_that() -> None:
    payment = asked(owed(), OUTDATED, CONFIG)
    assert payment is not None
    assert payment.alone is not None
    assert (payment.alone.blocks.any(), payment.alone.promote) == (False, False)
    assert asked(owed(), replace(OUTDATED, outdated=False, expired=False), CONFIG) is None


def test_the_background_leaves_it_on_the_history_until_nothing_is_owed() -> None:
    attended = replace(OUTDATED, attended=True, wanted=True)
    for standing, left in (
        (attended, True),
        (replace(attended, attended=False), False),
        (replace(attended, carries=False), False),
    ):
        payment = background(owed(SOME), standing, CONFIG)
        assert payment is not None
        assert (payment.why, payment.afresh) == (Why.KEYFRAME, not left)
        assert rebuilds(owed(SOME), standing) == (not left)
        assert rebuilds(owed(), standing)


def test_an_answer_that_is_not_sure_does_not_bring_it_back() -> None:
    payment = sure(owed(SOME), OUTDATED, CONFIG)
    assert (payment.whole, payment.afresh) == (True, True)
    assert payment.since == owed(SOME).stamp - Reach.of(CONFIG).most
    assert not sure(owed(SOME), replace(OUTDATED, outdated=False), CONFIG).afresh


def test_a_compressed_history_is_not_carried(qwen: Family) -> None:
    config = EngineConfig(keyframe_interval=0.0, token_budget=4 * FRAME_ROWS)
    session = StreamSession(qwen, config, SimulatedClock(100.0))
    session.admit(scene(PERIOD))
    session.admit(scene(2 * PERIOD, seed=1))
    assert session.stream.standing.carries
    session.configure(replace(config, compression='infinipot'))
    for number in range(3, 12):
        session.admit(scene(number * PERIOD, seed=number))
    assert session.stream.cache.ledger.compressed
    assert not session.stream.standing.carries


def test_a_small_brief_event_is_put_on_the_history_and_a_large_one_left() -> None:
    small, large = (Brief(frame(98 * SECOND), blocks) for blocks in (SOME, ~SOME))
    payment = asked(owed(SOME, briefs=(small,)), OUTDATED, CONFIG)
    assert payment is not None
    assert (payment.briefs, payment.alone) == ((small,), None)
    assert alone(asked(owed(SOME, briefs=(large,)), OUTDATED, CONFIG)).briefs == ()


# A stream


def one(place: tuple[int, int]) -> np.ndarray:
    chosen = np.zeros((GRID.rows, GRID.cols), bool)
    chosen[place] = True
    return chosen


def outdated(family: Family) -> tuple[StreamSession, Frame]:
    """A keyframe of long ago, an exact tail that has been true until now; one block is owed."""
    config = EngineConfig(keyframe_interval=0.5, keep_keyframes=2, settle_margin=0.0)
    session = StreamSession(family, config, SimulatedClock(100.0))
    session.admit(scene(PERIOD))
    answer(session)
    shown = change_blocks(scene(PERIOD), ~one((0, 0)), stamp=8 * PERIOD)
    session.see(shown)
    answer(session)
    for stamp in range(9, 42):
        session.see(replace(shown, stamp=stamp * PERIOD))
    newest = change_blocks(shown, one((1, 2)), stamp=42 * PERIOD, seed=2)
    session.see(newest)
    ledger = session.stream.cache.ledger
    assert [s.kind for s in ledger.segments] == [Kind.TEXT, Kind.KEYFRAME, Kind.TAIL]
    assert session.stream.standing.expired
    assert ledger.exact
    return session, newest


def contents(session: StreamSession) -> list[np.ndarray]:
    return [np.array(array) for array in session.stream.cache.contents()]


def test_the_answer_s_history_is_the_tail_and_its_tail_the_newest_frame(qwen: Family) -> None:
    session, newest = outdated(qwen)
    answer(session)
    stream = session.stream
    left = stream.sight.owed()
    aside = stream.payer.paid_aside(alone(asked(left, stream.standing, stream.config)), left)
    assert aside is not None
    text, keyframe, tail = aside.cache.ledger.segments
    assert (keyframe.kind, keyframe.stamp) == (Kind.KEYFRAME, 8 * PERIOD)
    assert keyframe.until == 41 * PERIOD
    assert tail.kind is Kind.TAIL
    assert tail.frame is not None
    assert tail.frame.shows_the_same(newest)
    for segment, end in ((keyframe, text.rows.end), (tail, keyframe.rows.end)):
        expected = qwen.frame_rows(GRID, end)
        assert np.array_equal(segment.rows.positions, expected.positions)
        assert segment.rows.end == expected.end
        assert segment.refreshed is not None


def test_the_cache_is_byte_for_byte_what_it_was(qwen: Family) -> None:
    session, _ = outdated(qwen)
    cache, ledger = session.stream.cache, list(session.stream.cache.ledger.segments)
    before = contents(session)
    answered = answer(session)
    assert not answered.evidence.exact
    assert answered.evidence.blocks_owed == 0
    assert 0 < answered.evidence.rows_paid < FRAME_ROWS
    assert session.stream.cache is cache
    assert all(a is b for a, b in zip(ledger, cache.ledger.segments, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(before, contents(session), strict=True))
    assert session.stream.sight.owed().blocks.any(), 'nothing was paid but for the answer'


def test_the_next_question_is_answered_from_the_same_branch_for_nothing(qwen: Family) -> None:
    session, newest = outdated(qwen)
    first = answer(session)
    held = session.see(replace(newest, stamp=newest.stamp + PERIOD)).cache_bytes
    assert held > session.stream.cache.nbytes, 'the branch is counted'
    second = answer(session)
    assert (first.answer, second.evidence.rows_paid) == (second.answer, 0)


def test_not_where_a_block_has_gone_back_meanwhile(qwen: Family) -> None:
    session, newest = outdated(qwen)
    hand = change_blocks(newest, one((0, 5)), stamp=newest.stamp + PERIOD, seed=3)
    session.see(hand)
    assert answer(session).evidence.rows_paid > 0
    session.see(replace(newest, stamp=hand.stamp + PERIOD))
    again = answer(session)
    assert (again.evidence.blocks_owed, again.evidence.newest_stamp) == (0, hand.stamp + PERIOD)
    assert again.evidence.rows_paid > 0, 'that branch still shows the hand'


def test_the_background_makes_the_keyframe_and_an_audit_finds_nothing(qwen: Family) -> None:
    session, _ = outdated(qwen)
    answer(session)
    while (work := session.background()) is not None:
        work.step()
    history = session.stream.cache.ledger.history
    assert [s.frame.stamp for s in history if s.frame] == [8 * PERIOD]
    assert session.stream.cache.ledger.exact
    assert session.audit().ok
    again = answer(session)
    assert (again.evidence.exact, again.evidence.rows_paid) == (True, 0)


def test_a_reset_drops_the_branch(qwen: Family) -> None:
    session, _ = outdated(qwen)
    answer(session)
    assert session.stream.payer.nbytes > 0
    session.stream.give_up()
    assert session.stream.payer.nbytes == 0


def test_a_family_that_cannot_pays_for_the_history_as_ever(qwen: Family) -> None:
    able = qwen.capabilities
    qwen.capabilities = replace(able, carry=False)
    try:
        session, _ = outdated(qwen)
        answered = answer(session)
    finally:
        qwen.capabilities = able
    assert answered.evidence.exact
    assert answered.evidence.rows_paid == len(qwen.text.prefix_ids) + 2 * FRAME_ROWS
