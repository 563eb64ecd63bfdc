# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Who goes next on the model's thread, as a table."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.ros.schedule import Facts, Turn, next_turn


@pytest.mark.parametrize(
    ('facts', 'turn'),
    [
        (Facts(), Turn.WAIT),
        (Facts(work=True), Turn.BACKGROUND),
        (Facts(work=True, credit=False), Turn.WAIT),
        (Facts(audit=True), Turn.AUDIT),
        (Facts(audit=True, work=True), Turn.AUDIT),
        (Facts(audit=True, credit=False), Turn.AUDIT),
        (Facts(watch=True), Turn.WATCH),
        (Facts(watch=True, work=True), Turn.WATCH),
        (Facts(watch=True, credit=False), Turn.WATCH),
        (Facts(watch=True, audit=True), Turn.AUDIT),
        (Facts(watch=True, askable=True), Turn.START),
        (Facts(watch=True, answering=True), Turn.ANSWER),
        (Facts(askable=True), Turn.START),
        (Facts(askable=True, audit=True, work=True), Turn.START),
        (Facts(askable=True, credit=False), Turn.START),
        (Facts(answering=True, askable=True, audit=True, work=True), Turn.ANSWER),
        (Facts(answering=True, credit=False), Turn.ANSWER),
        (Facts(gives_way=True), Turn.ANSWER),
        (Facts(gives_way=True, work=True), Turn.ANSWER),
        (Facts(gives_way=True, doubted=True), Turn.START),
        (Facts(gives_way=True, askable=True), Turn.START),
        (Facts(gives_way=True, audit=True), Turn.AUDIT),
        (Facts(gives_way=True, watch=True), Turn.WATCH),
        (Facts(answering=True, doubted=True), Turn.ANSWER),
        (Facts(doubted=True), Turn.START),
        (Facts(doubted=True, work=True), Turn.START),
        (Facts(doubted=True, audit=True), Turn.AUDIT),
        (Facts(doubted=True, watch=True), Turn.WATCH),
    ],
)
def test_who_goes_next(facts: Facts, turn: Turn) -> None:
    assert next_turn(facts) is turn
