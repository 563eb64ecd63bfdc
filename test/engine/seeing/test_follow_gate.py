# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whether it pays to follow."""

from __future__ import annotations

from vlmaxxing_ros.engine.seeing.follow_gate import PAUSE, FollowGate

FRAME = 100_000_000  # ns


def shown(gate: FollowGate, count: int, *, without: float, following: float, first: int = 1) -> int:
    """Note so many images; the stamp of the last."""
    for index in range(first, first + count):
        gate.note(index * FRAME, without=without, following=following)
    return (first + count - 1) * FRAME


def test_a_whole_frame_that_would_have_been_saved_opens_it_at_once() -> None:
    gate = FollowGate()
    assert gate.opens(shown(gate, 1, without=1.0, following=0.1), price=0.0)


def test_otherwise_it_opens_when_what_would_have_been_saved_is_a_frame() -> None:
    gate = FollowGate()
    assert not gate.opens(shown(gate, 3, without=0.3, following=0.0), price=1.0)
    assert gate.opens(shown(gate, 1, without=0.3, following=0.0, first=4), price=1.0)


def test_it_stays_shut_where_following_saves_too_little() -> None:
    gate = FollowGate()
    assert not gate.opens(shown(gate, 9, without=0.9, following=0.7), price=0.0)


def test_what_was_long_ago_does_not_count() -> None:
    gate = FollowGate()
    shown(gate, 3, without=0.3, following=0.0)
    assert not gate.opens(shown(gate, 1, without=0.3, following=0.0, first=30), price=1.0)


def test_it_shuts_once_following_has_saved_too_little_for_a_second_and_stays_shut() -> None:
    gate = FollowGate()
    assert gate.opens(shown(gate, 1, without=1.0, following=0.0), price=0.0)
    assert not gate.closes(shown(gate, 8, without=0.5, following=0.5, first=2))
    shut = shown(gate, 4, without=0.5, following=0.5, first=10)
    assert gate.closes(shut)
    assert not gate.opens(shown(gate, 1, without=1.0, following=0.0, first=20), price=0.0)
    later = shut + PAUSE
    gate.note(later, without=1.0, following=0.0)
    assert gate.opens(later, price=0.0)


def test_a_camera_that_rests_is_no_reason_to_shut() -> None:
    gate = FollowGate()
    assert gate.opens(shown(gate, 1, without=1.0, following=0.0), price=0.0)
    assert not gate.closes(50 * FRAME)
