# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Engine values and messages: equal names are equal fields, and constants agree."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from ros.requests import asks

pytest.importorskip('vlmaxxing_msgs.msg', reason='needs vlmaxxing_msgs')

from geometry_msgs.msg import TwistStamped
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, RegionOfInterest

from vlmaxxing_msgs.action import Ask
from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_msgs.srv import Query
from vlmaxxing_ros.engine import question
from vlmaxxing_ros.engine.stream import budget as budgets
from vlmaxxing_ros.ros.camera import Arrival, Counts, Perceived
from vlmaxxing_ros.ros.camera_motion import Lens, Twist
from vlmaxxing_ros.ros.images import to_rgb
from vlmaxxing_ros.ros.messages import (
    to_answer,
    to_budget,
    to_failed_answer,
    to_image,
    to_lens,
    to_ns,
    to_rectangle,
    to_request,
    to_time,
    to_twist,
)
from vlmaxxing_ros.ros.protection import Rectangle
from vlmaxxing_ros.ros.ticket import Outcome, Request, Status


@pytest.mark.parametrize('stamp', [0, 1, 1_700_000_000_123_456_789])
def test_stamps_survive_the_round_trip(stamp: int) -> None:
    assert to_ns(to_time(stamp)) == stamp


def test_statuses_and_kinds_are_the_messages() -> None:
    assert {s.name: s.value for s in Status} == {s.name: getattr(Answer, s.name) for s in Status}
    kinds = budgets.FrameKind
    assert {k.name: k.value for k in kinds} == {k.name: getattr(FreshBudget, k.name) for k in kinds}


def test_of_a_twist_the_rotation_across_the_image_is_taken() -> None:
    message = TwistStamped()
    message.header.stamp, message.header.frame_id = to_time(5), 'lens'
    angular = message.twist.angular
    angular.x, angular.y, angular.z = 0.1, 0.2, 0.3
    assert to_twist(message) == Twist(stamp=5, frame_id='lens', x=0.1, y=0.2)


def test_of_a_lens_the_region_that_the_image_shows_is_taken() -> None:
    k = [500.0, 0.0, 320.0, 0.0, 400.0, 240.0, 0.0, 0.0, 1.0]
    message = CameraInfo(width=640, height=480, k=k)
    assert to_lens(message) == Lens(fx=500.0, fy=400.0, width=640, height=480)
    message.roi.width, message.roi.height = 320, 120
    assert to_lens(message) == Lens(fx=500.0, fy=400.0, width=320, height=120)


def test_of_a_region_the_rectangle_is_taken() -> None:
    message = RegionOfInterest(x_offset=1, y_offset=2, width=3, height=4, do_rectify=True)
    assert to_rectangle(message) == Rectangle(x=1, y=2, width=3, height=4)


@pytest.mark.parametrize('kind', [Query.Request, Ask.Goal])
def test_a_request_carries_every_field(kind: type) -> None:
    values = {
        'camera': 'front',
        'cameras': ['front', 'wrist'],
        'question': 'what?',
        'choices': ['a', 'b'],
        'json_schema': '{}',
        'stop': ['.'],
        'max_tokens': 7,
        'temperature': 0.5,
        'top_p': 0.9,
        'seed': 11,
        'deadline': 2.0,
        'max_evidence_age': 0.25,
        'as_of': to_time(5),
    }
    message = kind(**values)
    assert set(message.get_fields_and_field_types()) == set(values)
    of_the_request = {name: values.pop(name) for name in ('camera', 'deadline', 'max_evidence_age')}
    asked = {**values, 'choices': ('a', 'b'), 'stop': ('.',), 'as_of': 5}
    asked['cameras'] = ('front', 'wrist')
    asked['text'] = asked.pop('question')
    assert to_request(message) == Request(asked=asked, **of_the_request)
    assert {spec.name for spec in fields(question.Question)} == set(asked), (
        'a field of the message is a field of the question, and that is all there is to do'
    )


def test_an_answer_carries_what_the_engine_said() -> None:
    evidence = question.Evidence(
        oldest_stamp=1,
        newest_stamp=5,
        frame_id='lens',
        oldest_block_age=0.5,
        exact=True,
        blocks_owed=6,
    )
    said = question.Answer(
        answer='red',
        finish_reason='choice',
        evidence=evidence,
        choice_index=1,
        choice_probabilities=(0.25, 0.75),
        prompt_tokens=40,
        reused_tokens=30,
        rows_paid=10,
        time_to_first_token=0.2,
    )
    outcome = Outcome(
        request=asks('which?'),
        camera='front',
        status=Status.OK,
        model='nano',
        answer=said,
        evidence_age=0.1,
        latency=0.3,
    )
    message = to_answer(outcome)
    assert (message.camera, message.question, message.answer) == ('front', 'which?', 'red')
    assert (message.header.frame_id, to_ns(message.header.stamp)) == ('lens', 5)
    assert to_ns(message.newest_evidence_stamp) == 5
    assert to_ns(message.oldest_evidence_stamp) == 1
    assert (message.oldest_block_age, message.evidence_age) == (0.5, 0.1)
    assert message.exact is True
    assert (message.blocks_owed, message.rows_paid) == (6, 10)
    assert (message.choice_index, list(message.choice_probabilities)) == (1, [0.25, 0.75])
    assert (message.prompt_tokens, message.reused_tokens) == (40, 30)
    assert (message.time_to_first_token, message.latency) == (0.2, 0.3)
    assert message.finish_reason == Answer.FINISH_CHOICE


def test_an_answer_says_of_each_camera_what_it_rests_on() -> None:
    parts = tuple(
        question.Evidence(
            oldest_stamp=stamp - 1,
            newest_stamp=stamp,
            frame_id=f'lens {stamp}',
            oldest_block_age=0.5,
            exact=stamp == 5,
            blocks_owed=stamp,
            age=stamp / 2,
            rows_paid=2 * stamp,
        )
        for stamp in (5, 3)
    )
    said = question.Answer(
        answer='red', finish_reason='stop', evidence=question.joint(parts), cameras=parts
    )
    request = asks('which?', cameras=('front', 'wrist'))
    outcome = Outcome(request=request, camera='front', status=Status.OK, answer=said)
    message = to_answer(outcome)
    assert [part.camera for part in message.cameras] == ['front', 'wrist']
    for part, stamp in zip(message.cameras, (5, 3), strict=True):
        assert (to_ns(part.header.stamp), part.header.frame_id) == (stamp, f'lens {stamp}')
        assert to_ns(part.oldest_evidence_stamp) == stamp - 1
        assert (part.evidence_age, part.oldest_block_age) == (stamp / 2, 0.5)
        assert (part.blocks_owed, part.rows_paid, part.exact) == (stamp, 2 * stamp, stamp == 5)
    assert to_ns(message.newest_evidence_stamp) == 3, 'that of the one that is oldest'
    assert (message.header.frame_id, message.blocks_owed) == ('lens 3', 8)
    assert to_ns(message.oldest_evidence_stamp) == 2
    assert not message.exact
    assert serialize_message(message)


def test_a_failure_is_an_answer_too() -> None:
    outcome = Outcome(
        request=asks('?'),
        camera='',
        status=Status.TIMEOUT,
        status_text='too slow',
        token=question.Token('so far', ' far', 2, 0.4),
    )
    message = to_answer(outcome)
    assert (message.status, message.status_text) == (Answer.TIMEOUT, 'too slow')
    assert (message.answer, message.finish_reason) == ('so far', Answer.FINISH_TIMEOUT)
    assert message.time_to_first_token == 0.4
    assert message.choice_index == -1
    assert message.header.stamp == to_time(0)


def test_a_budget_carries_every_field_of_the_engine_and_the_nodes_counts() -> None:
    numbers = {
        spec.name: type(spec.default)(index + 2)
        for index, spec in enumerate(fields(budgets.FreshBudget))
        if type(spec.default) in (int, float)
    }
    numbers['fresh_ratio'] = np.float32(0.5)
    budget = budgets.FreshBudget(kind=budgets.FrameKind.TAIL, status_text='said', **numbers)
    counts = Counts(received=10, planned=8, admitted=7, dropped=2, rate=4.5)
    message = to_budget(Perceived('front', Arrival(None, 9, 'lens'), budget, counts, 0.01, 0.25))
    assert (message.camera, message.kind, message.status_text) == (
        'front',
        FreshBudget.TAIL,
        'said',
    )
    assert (message.header.frame_id, to_ns(message.header.stamp)) == ('lens', 9)
    assert (message.frame_index, message.frames_received, message.frames_dropped) == (7, 10, 2)
    assert (message.frames_planned, message.frames_admitted) == (8, 7)
    assert (message.perception_rate, message.convert_time) == (4.5, 0.01)
    assert message.background_duty == 0.25
    for name in numbers:
        assert getattr(message, name) == numbers[name], name


def test_an_image_message_is_what_it_was_made_of() -> None:
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    message = to_image(pixels, stamp=7, frame_id='lens')
    assert (to_ns(message.header.stamp), message.header.frame_id) == (7, 'lens')
    np.testing.assert_array_equal(to_rgb(message), pixels)


def test_an_answer_that_no_message_can_hold_is_one_that_says_so() -> None:
    outcome = Outcome(request=asks('what \ud800?'), camera='front', status=Status.OK)
    with pytest.raises(UnicodeEncodeError) as raised:
        serialize_message(to_answer(outcome))
    message = to_failed_answer(outcome, raised.value)
    assert serialize_message(message)
    assert (message.camera, message.status) == ('front', Answer.MODEL_ERROR)
    assert 'cannot be sent: UnicodeEncodeError' in message.status_text
