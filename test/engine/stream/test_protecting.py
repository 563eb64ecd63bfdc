# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What of protected regions is paid, when, and in which form, as a table of what is owed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.owing import CONFIG, HELD, NOTHING, OTHER, SECOND, SOME, owed

from vlmaxxing_ros.engine.stream.decision import background, protecting
from vlmaxxing_ros.engine.stream.payment import Why


def test_what_is_protected_and_owed_is_paid_at_once_with_what_is_due_and_nothing_else() -> None:
    now = owed(SOME | OTHER, protected=SOME)
    payment = background(now, HELD, CONFIG)
    assert payment is not None
    assert (payment.why, payment.whole) == (Why.PROTECTED, False)
    assert (payment.blocks == SOME).all()
    late = background(replace(now, due=OTHER), HELD, CONFIG)
    assert late is not None
    assert (late.blocks == SOME | OTHER).all()
    assert background(owed(OTHER, protected=SOME), HELD, CONFIG) is None, 'the rest waits'


def test_what_is_protected_goes_before_all_that_can_wait() -> None:
    order = [Why.PROTECTED, Why.DUE, Why.KEYFRAME, Why.CALM, Why.SETTLE]
    assert sorted(order, key=lambda why: why.urgency) == order
    assert Why.FIRST.urgency < Why.PROTECTED.urgency, 'without a tail there is nothing to keep up'


def test_what_is_protected_is_paid_in_place_past_the_bound_and_the_exact_frame_comes_behind() -> (
    None
):
    worn = replace(HELD, exact=False, refreshed=CONFIG.max_refreshed + 1.0)
    payment = background(owed(SOME, protected=SOME), worn, CONFIG)
    assert payment is not None
    assert (payment.why, payment.whole) == (Why.PROTECTED, False)
    behind = background(owed(protected=SOME), worn, CONFIG)
    assert behind is not None
    assert (behind.why, behind.whole) == (Why.SETTLE, True)
    assert background(owed(), worn, CONFIG) is None, 'without a protected region it waits'


def test_an_exact_tail_that_is_to_be_a_keyframe_is_kept_from_what_is_protected_too() -> None:
    spared = replace(HELD, keyframe=98 * SECOND, attended=True)
    payment = background(owed(SOME, protected=SOME), spared, CONFIG)
    assert payment is not None
    assert (payment.why, payment.whole, payment.promote) == (Why.KEYFRAME, True, True)


def test_beside_a_payment_under_way_only_what_can_be_paid_in_place_is() -> None:
    payment = protecting(owed(SOME, protected=SOME), HELD, CONFIG)
    assert payment is not None
    assert (payment.why, payment.whole) == (Why.PROTECTED, False)
    assert protecting(owed(OTHER, protected=SOME), HELD, CONFIG) is None
    for standing in (replace(HELD, whole_only=True), replace(HELD, tail=None, exact=False)):
        assert protecting(owed(SOME, protected=SOME), standing, CONFIG) is None


VIEW = owed(NOTHING).plan
"""All of an image of which a piece was planned."""


@pytest.mark.parametrize('why', [Why.PROTECTED, Why.ASKED])
def test_where_the_camera_rests_what_is_protected_is_paid_in_place_before_all_of_the_image(
    why: Why,
) -> None:
    resting = replace(owed(SOME, protected=SOME), whole_view=VIEW)
    for payment in (
        background(resting, HELD, CONFIG),
        protecting(resting, HELD, CONFIG, why),
    ):
        assert payment is not None
        assert (payment.whole, payment.plan) == (False, resting.plan)
        assert (payment.blocks == SOME).all()


def test_the_exact_frame_that_comes_behind_is_all_of_the_image_where_the_camera_rests() -> None:
    worn = replace(HELD, exact=False, refreshed=CONFIG.max_refreshed + 1.0)
    behind = background(replace(owed(protected=SOME), whole_view=VIEW), worn, CONFIG)
    assert behind is not None
    assert (behind.why, behind.plan) == (Why.SETTLE, VIEW)
