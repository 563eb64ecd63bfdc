# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Messages of standing questions: nothing is lost between them and the values."""

from __future__ import annotations

from dataclasses import fields

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from rclpy.serialization import deserialize_message, serialize_message

from vlmaxxing_msgs.msg import WatchEvent, WatchSettings, WatchState
from vlmaxxing_ros.ros.messages import to_ns
from vlmaxxing_ros.ros.watch import Change, Known, Watch
from vlmaxxing_ros.ros.watch_messages import to_config, to_event, to_settings, to_state
from vlmaxxing_ros.ros.watch_settings import WatchConfig

SECOND = 10**9
CONFIG = WatchConfig(
    question='open?',
    choices=('yes', 'no'),
    camera='wrist',
    period=5.0,
    on_change=(0.25, 0.0, 0.5, 1.0),
    changed_blocks=3,
    hold=0.5,
    min_probability=0.75,
    deadline=2.0,
)


def test_settings_come_back_as_they_were() -> None:
    names = {spec.name for spec in fields(WatchConfig)}
    assert set(WatchSettings.get_fields_and_field_types()) == names | {'id'}
    message = to_settings('gripper', CONFIG)
    assert message.id == 'gripper'
    sent = deserialize_message(serialize_message(message), WatchSettings)
    assert to_config(sent) == CONFIG


def test_what_is_left_out_is_at_its_default() -> None:
    assert to_config(WatchSettings(question='open?')) == WatchConfig(question='open?')
    assert to_settings('it', WatchConfig(question='open?')).choices == []


@pytest.mark.parametrize('value', [float('nan'), -1.0])
def test_a_number_that_cannot_be_is_not_taken_for_a_default(value: float) -> None:
    with pytest.raises(ValueError, match='period'):
        to_config(WatchSettings(question='open?', period=value))


def test_an_event_tells_both_answers_and_their_evidence() -> None:
    before = Known(text='no', stamp=3 * SECOND, since=SECOND, until=4 * SECOND)
    after = Known(
        text='yes',
        probabilities=(0.9, 0.1),
        stamp=7 * SECOND,
        frame_id='lens',
        since=6 * SECOND,
        until=8 * SECOND,
        note='2 blocks have changed since',
    )
    event = to_event(Change('gripper', CONFIG, before, after))
    assert deserialize_message(serialize_message(event), WatchEvent) == event
    assert (event.watch, event.camera, event.question) == ('gripper', 'wrist', 'open?')
    assert (event.from_answer, event.to_answer) == ('no', 'yes')
    assert (event.choices, list(event.choice_probabilities)) == (['yes', 'no'], [0.9, 0.1])
    assert (to_ns(event.header.stamp), event.header.frame_id) == (7 * SECOND, 'lens')
    stamps = (event.evidence_before, event.evidence_after, event.true_as_of)
    assert [to_ns(stamp) // SECOND for stamp in stamps] == [4, 6, 8]
    assert event.status_text == '2 blocks have changed since'


def test_the_first_event_comes_from_nothing() -> None:
    event = to_event(Change('gripper', CONFIG, None, Known.answered('yes', stamp=SECOND)))
    assert (event.from_answer, to_ns(event.evidence_before)) == ('', 0)


def test_a_state_tells_how_the_watch_stands() -> None:
    watch = Watch('gripper', CONFIG)
    state = to_state(watch)
    assert (state.settings.id, state.answer, state.answers) == ('gripper', '', 0)
    watch.answered(Known.answered('no', (0.1, 0.9), stamp=SECOND), now=0.0)
    watch.seen(2 * SECOND, 0, 8)
    watch.failed('TIMEOUT: too slow', now=0.0)
    state = to_state(watch)
    assert deserialize_message(serialize_message(state), WatchState) == state
    assert (state.answer, state.answers, state.status_text) == ('no', 1, 'TIMEOUT: too slow')
    assert (to_ns(state.evidence_since), to_ns(state.true_as_of)) == (SECOND, 2 * SECOND)
