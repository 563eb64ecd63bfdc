# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Standing questions to a running node: it tells when the answer changes, and asks only then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from integration.gripper import CHOICES, QUESTION, Pictures
from integration.ros_process import NODE, Peer, TestCamera, wait_until
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from vlmaxxing_msgs.msg import Answer, WatchEvent, WatchSettings, WatchState
from vlmaxxing_msgs.srv import Watch
from vlmaxxing_ros.ros.messages import to_ns

MOST = 3
LATCHED = QoSProfile(depth=MOST, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
GRIPPER = {'question': QUESTION, 'choices': CHOICES}

pytestmark = pytest.mark.usefixtures('lasting_peer')


@pytest.fixture(scope='module')
def node(start_node: Callable[..., None], model: str) -> None:
    start_node(model=model, max_watches=MOST, watch_duty=1.0)


@pytest.fixture
def camera(node: None, peer: Peer) -> Iterator[TestCamera]:
    """A camera, and a node that has seen nothing yet; its watches end with the test."""
    camera = TestCamera.of(peer, Image)
    peer.call(Trigger, '/vlmaxxing/reset', Trigger.Request())
    yield camera
    for state in states(peer):
        serve(peer, Watch.Request.REMOVE, id=state.settings.id)


def serve(peer: Peer, operation: int, **settings: Any) -> Watch.Response:
    request = Watch.Request(operation=operation, watch=WatchSettings(**settings))
    return peer.call(Watch, '/vlmaxxing/watch', request)


def add(peer: Peer, name: str, **settings: Any) -> Watch.Response:
    response = serve(peer, Watch.Request.ADD, id=name, **settings)
    assert response.status == Watch.Response.OK, response.status_text
    assert [state.settings.id for state in response.watches] == [name]
    return response


def states(peer: Peer) -> list[WatchState]:
    return list(serve(peer, Watch.Request.LIST).watches)


def answers(peer: Peer) -> dict[str, int]:
    """How often each watch was answered."""
    return {state.settings.id: state.answers for state in states(peer)}


FILE = """
/**:
  ros__parameters:
    watches: [gripper]
    gripper:
      question: Is the gripper open or closed?
      choices: [open, closed]
      on_change: [0.0, 0.0, 1.0, 0.5]
"""


def test_one_of_a_parameter_file_outlives_deactivation(
    spawn: Callable[..., Any], peer: Peer, tmp_path: Path, pictures: Pictures
) -> None:
    (tmp_path / 'watches.yaml').write_text(FILE)
    process = spawn(*NODE, '--ros-args', '--params-file', tmp_path / 'watches.yaml')
    (state,) = states(peer)
    assert (state.settings.id, state.answer) == ('gripper', '')
    assert list(state.settings.on_change) == [0.0, 0.0, 1.0, 0.5]
    events = peer.collect(WatchEvent, '/vlmaxxing/events', LATCHED)
    change(peer, Transition.TRANSITION_CONFIGURE)
    change(peer, Transition.TRANSITION_ACTIVATE)
    before = to_ns(TestCamera(peer, Image).show(pictures.open).header.stamp)
    wait_until(lambda: len(events) == 1, what='the first answer')
    change(peer, Transition.TRANSITION_DEACTIVATE)
    (state,) = states(peer)
    assert (state.answer, to_ns(state.true_as_of), state.answers) == ('open', before, 1)
    late = peer.collect(WatchEvent, '/vlmaxxing/events', LATCHED)
    wait_until(lambda: late, what='what was told is still there')
    assert late == events
    add(peer, 'meanwhile', **GRIPPER)
    change(peer, Transition.TRANSITION_ACTIVATE)
    camera = TestCamera(peer, Image)
    camera.show(pictures.open)
    wait_until(lambda: answers(peer) == {'gripper': 2, 'meanwhile': 1}, what='both are asked')
    camera.show(pictures.closed)
    wait_until(lambda: len(events) == 4, what='the change')
    for name in ('gripper', 'meanwhile'):
        told = [(e.from_answer, e.to_answer) for e in events if e.watch == name]
        assert told == [('', 'open'), ('open', 'closed')]
    assert process.interrupt() == 0, process.output


def change(peer: Peer, transition: int) -> None:
    request = ChangeState.Request(transition=Transition(id=transition))
    assert peer.call(ChangeState, '/vlmaxxing/change_state', request).success


def test_it_tells_the_first_answer_and_every_change_and_asks_only_then(
    peer: Peer, camera: TestCamera, pictures: Pictures
) -> None:
    events = peer.collect(WatchEvent, '/vlmaxxing/events', LATCHED)
    published = peer.collect(Answer, '/vlmaxxing/answers')
    add(peer, 'gripper', **GRIPPER)
    first = to_ns(camera.show(pictures.open).header.stamp)
    wait_until(lambda: events, what='the first answer')
    (event,) = events
    assert (event.watch, event.camera, event.question) == ('gripper', 'camera', QUESTION)
    assert (event.from_answer, event.to_answer, event.choices) == ('', 'open', CHOICES)
    assert sum(event.choice_probabilities) == pytest.approx(1.0)
    assert event.header.frame_id == 'camera_lens'
    assert to_ns(event.header.stamp) == to_ns(event.evidence_after) == first
    assert to_ns(event.evidence_before) == 0

    for _ in range(20):
        still = to_ns(camera.show(pictures.open).header.stamp)
    (state,) = states(peer)
    assert state.answers == 1, 'nothing has changed: nobody asks'
    assert (state.answer, state.status_text) == ('open', '')
    assert (to_ns(state.evidence_since), to_ns(state.true_as_of)) == (first, still)

    changed = to_ns(camera.show(pictures.closed).header.stamp)
    wait_until(lambda: len(events) == 2, what='the change')
    event = events[1]
    assert (event.from_answer, event.to_answer) == ('open', 'closed')
    assert to_ns(event.evidence_before) == still
    assert to_ns(event.header.stamp) == to_ns(event.evidence_after) == changed
    for _ in range(10):
        camera.show(pictures.closed)
    assert answers(peer) == {'gripper': 2}
    assert [(a.question, a.answer, a.status) for a in published] == [
        (QUESTION, 'open', Answer.OK),
        (QUESTION, 'closed', Answer.OK),
    ], 'they are answers as any other'


def test_change_elsewhere_is_not_asked_about(
    peer: Peer, camera: TestCamera, pictures: Pictures
) -> None:
    add(peer, 'above', on_change=[0.0, 0.0, 1.0, 0.5], **GRIPPER)
    add(peer, 'below', on_change=[0.0, 0.75, 1.0, 0.25], **GRIPPER)
    camera.show(pictures.open)
    wait_until(lambda: answers(peer) == {'above': 1, 'below': 1}, what='the first answers')
    camera.show(pictures.closed)
    wait_until(lambda: answers(peer)['above'] == 2, what='an answer about the change')
    newest = to_ns(camera.show(pictures.closed).header.stamp)
    above, below = states(peer)
    assert (above.answer, below.answer, below.answers) == ('closed', 'open', 1)
    assert to_ns(below.true_as_of) == newest, 'as far as the lowest quarter tells'


def test_who_subscribes_late_learns_how_each_watch_stands(
    peer: Peer, camera: TestCamera, pictures: Pictures
) -> None:
    events = peer.collect(WatchEvent, '/vlmaxxing/events', LATCHED)
    below = {**GRIPPER, 'on_change': [0.0, 0.75, 1.0, 0.25]}
    camera.show(pictures.open)
    for name, settings in (('gone', below), ('quiet', below), ('busy', GRIPPER)):
        add(peer, name, **settings)
    wait_until(lambda: len(events) == 3, what='the first answers')
    for count in range(4, 10):  # more than any depth
        camera.show(pictures.closed if count % 2 == 0 else pictures.open)
        wait_until(lambda count=count: len(events) == count, what='a change')
    assert serve(peer, Watch.Request.REMOVE, id='gone').status == Watch.Response.OK
    late = Peer('late')
    learned = late.collect(WatchEvent, '/vlmaxxing/events', LATCHED)
    wait_until(lambda: len(learned) >= 2, what='what was latched')
    camera.show(pictures.closed)
    wait_until(lambda: len(learned) >= 3, what='what comes then')
    late.close()
    assert sorted((event.watch, event.to_answer) for event in learned[:2]) == [
        ('busy', 'open'),
        ('quiet', 'open'),
    ]
    assert [(event.watch, event.to_answer) for event in learned[2:]] == [('busy', 'closed')]


def test_an_answer_that_is_not_sure_enough_tells_nothing(
    peer: Peer, camera: TestCamera, pictures: Pictures
) -> None:
    events = peer.collect(WatchEvent, '/vlmaxxing/events', LATCHED)
    add(peer, 'doubtful', min_probability=1.0, **GRIPPER)
    camera.show(pictures.open)
    wait_until(lambda: answers(peer) == {'doubtful': 1}, what='an answer')
    (state,) = states(peer)
    assert state.answer == ''
    assert 'below min_probability 1' in state.status_text
    assert events == []


def test_another_answer_is_told_once_it_has_held(
    peer: Peer, camera: TestCamera, pictures: Pictures
) -> None:
    events = peer.collect(WatchEvent, '/vlmaxxing/events', LATCHED)
    add(peer, 'patient', hold=2.0, **GRIPPER)
    start = camera.now() - 10 * 10**9

    def show(pixels: np.ndarray, second: float, answered: int) -> int:
        """An image of that second, and so many answers by then; its stamp."""
        stamp = start + round(second * 1e9)
        camera.show(pixels, stamp=stamp)
        wait_until(lambda: answers(peer) == {'patient': answered}, what=f'{answered} answers')
        return stamp

    first = show(pictures.open, 0.0, 1)
    show(pictures.open, 1.9, 1)
    assert events == []
    show(pictures.open, 2.0, 1)
    wait_until(lambda: len(events) == 1, what='the first answer has held')
    show(pictures.closed, 3.0, 2)
    show(pictures.open, 4.0, 3)
    closed = show(pictures.closed, 5.0, 4)
    show(pictures.closed, 7.0, 4)
    wait_until(lambda: len(events) == 2, what='the change has held')
    told = [(event.to_answer, to_ns(event.evidence_after)) for event in events]
    assert told == [('open', first), ('closed', closed)]


def test_a_planner_s_question_is_answered_as_without_watches(
    peer: Peer, camera: TestCamera, pictures: Pictures
) -> None:
    add(peer, 'restless', period=1e-3, **GRIPPER)
    for _ in range(5):
        camera.show(pictures.closed)
        answer = peer.query(QUESTION, choices=CHOICES)
        assert (answer.status, answer.answer) == (Answer.OK, 'closed')
    wait_until(lambda: camera.show(pictures.closed) and answers(peer)['restless'] > 2)


@pytest.mark.parametrize(
    ('operation', 'settings', 'status', 'said'),
    [
        (7, {}, Watch.Response.INVALID_REQUEST, 'LIST 0, ADD 1 or REMOVE 2'),
        (Watch.Request.ADD, {'id': ''}, Watch.Response.INVALID_REQUEST, 'no usable id'),
        (Watch.Request.ADD, {'id': 'a b'}, Watch.Response.INVALID_REQUEST, 'no usable id'),
        (Watch.Request.ADD, {'question': ''}, Watch.Response.INVALID_REQUEST, 'empty'),
        (Watch.Request.ADD, {'question': 'x' * 30_000}, Watch.Response.INVALID_REQUEST, 'shorten'),
        (Watch.Request.ADD, {'camera': 'rear'}, Watch.Response.INVALID_REQUEST, 'there is camera'),
        (Watch.Request.ADD, {'choices': ['a']}, Watch.Response.INVALID_REQUEST, 'two or more'),
        (Watch.Request.ADD, {'period': -1.0}, Watch.Response.INVALID_REQUEST, 'period'),
        (Watch.Request.ADD, {'hold': float('nan')}, Watch.Response.INVALID_REQUEST, 'hold'),
        (Watch.Request.ADD, {'on_change': [0.5]}, Watch.Response.INVALID_REQUEST, 'on_change'),
        (
            Watch.Request.ADD,
            {'on_change': [0.0, 0.0, 640.0, 480.0]},
            Watch.Response.INVALID_REQUEST,
            'fractions of the image',
        ),
        (
            Watch.Request.ADD,
            {'min_probability': 0.5},
            Watch.Response.INVALID_REQUEST,
            'min_probability needs choices',
        ),
        (
            Watch.Request.ADD,
            {'changed_blocks': 10**9},
            Watch.Response.INVALID_REQUEST,
            'changed_blocks must be at most',
        ),
        (Watch.Request.ADD, {'deadline': 1e9}, Watch.Response.INVALID_REQUEST, 'deadline'),
        (Watch.Request.ADD, {'id': 'there'}, Watch.Response.EXISTS, 'remove it first'),
        (Watch.Request.REMOVE, {'id': 'nobody'}, Watch.Response.UNKNOWN_ID, 'there is there'),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    peer: Peer,
    camera: TestCamera,
    operation: int,
    settings: dict[str, Any],
    status: int,
    said: str,
) -> None:
    add(peer, 'there', question='well?')
    response = serve(peer, operation, **{'id': 'new', 'question': 'and now?', **settings})
    assert response.status == status, response.status_text
    assert said in response.status_text
    assert list(response.watches) == []
    assert list(answers(peer)) == ['there']


def test_there_are_as_many_as_max_watches_says_and_the_same_one_twice_is_one(
    peer: Peer, camera: TestCamera
) -> None:
    for name in ('one', 'two', 'three', 'two'):
        add(peer, name, question='well?')
    response = serve(peer, Watch.Request.ADD, id='four', question='well?')
    assert response.status == Watch.Response.TOO_MANY
    assert 'max_watches' in response.status_text
    assert list(answers(peer)) == ['one', 'two', 'three']
