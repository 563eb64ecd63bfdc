# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Standing questions on a real session and queue, step by step: nothing here depends on time."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from ros.desks import SECOND, Desk

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.ros.camera import Camera
from vlmaxxing_ros.ros.settings import NodeConfig
from vlmaxxing_ros.ros.ticket import Request, Status
from vlmaxxing_ros.ros.watch_settings import WatchConfig
from vlmaxxing_ros.ros.watches import TooManyWatches, UnknownWatch, WatchExists

LEFT, RIGHT = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 0.5, 1.0)


@pytest.fixture
def desk(family: Family) -> Desk:
    return Desk(family)


def test_it_is_asked_once_there_is_an_image_and_its_first_answer_is_told(desk: Desk) -> None:
    desk.add()
    assert not desk.due
    desk.show()
    assert desk.serve() == ['OK']
    (change,) = desk.changes
    assert (change.watch, change.before) == ('one', None)
    assert change.after.text in ('yes', 'no')
    assert (change.after.stamp, change.after.frame_id) == (SECOND, 'lens')
    assert sum(change.after.probabilities) == pytest.approx(1.0)


def test_while_nothing_changes_nobody_asks_and_the_evidence_gets_newer(desk: Desk) -> None:
    desk.add()
    desk.show()
    desk.serve()
    for _ in range(20):
        desk.show()
        assert not desk.due
    assert desk.true_as_of() == 21.0
    assert len(desk.outcomes) == 1


def test_change_in_its_region_is_asked_about_and_change_elsewhere_is_not(desk: Desk) -> None:
    desk.add('left', on_change=LEFT)
    desk.add('right', on_change=RIGHT, changed_blocks=2)
    desk.show()
    assert desk.serve() == ['OK', 'OK']
    desk.show((1, 0))
    assert desk.serve() == ['OK']
    desk.show((1, 3))
    assert desk.serve() == [], 'one block is not enough'
    desk.show((2, 3))
    assert desk.serve() == ['OK']
    assert [watch.answers for watch in desk.watches.look_up()] == [2, 2]
    desk.show()
    assert desk.serve() == [], 'what has changed is accounted for'


def test_each_is_about_its_own_camera(family: Family) -> None:
    desk, rear = (
        Desk(family, {'cameras': ('camera', 'rear')}),
        StreamSession(family, EngineConfig()),
    )
    desk.queue.cameras = {**desk.queue.cameras, 'rear': Camera('rear', np.asarray, rear)}
    desk.add('ahead')
    desk.add('behind', camera='rear')
    desk.show()
    assert desk.serve() == ['OK']
    rear.see(rear.frame(desk.pixels, stamp=SECOND))
    assert rear.sight is not None
    desk.watches.seen('rear', rear.sight)
    assert desk.serve() == ['OK']
    desk.show((1, 1))
    assert desk.serve() == ['OK']
    assert [watch.answers for watch in desk.watches.look_up()] == [2, 1]


def test_what_comes_and_goes_before_it_is_asked_is_change(desk: Desk) -> None:
    desk.add()
    desk.show()
    desk.serve()
    desk.show((1, 1))
    desk.show((1, 1))
    assert desk.serve() == ['OK']


def test_what_an_answer_accounted_for_is_asked_once(desk: Desk) -> None:
    desk.add()
    for _ in range(2):  # then the history shows a moment long enough ago
        desk.show((0, 0))
        desk.serve()
    desk.show((1, 1))
    assert desk.serve() == ['OK']
    sight = desk.session.sight
    assert sight is not None
    assert sight.owed().count == 0
    desk.show()
    assert desk.serve() == []
    assert desk.true_as_of() == 4.0
    desk.show((1, 1))
    assert sight.owed().count == 1
    assert desk.serve() == ['OK']


def test_what_changes_while_it_is_answered_is_asked_about_next(desk: Desk) -> None:
    desk.add()
    desk.show()
    desk.watches.ask(desk.submit)
    desk.queue.start()
    sight = desk.session.sight
    while sight is not None and sight.owed().count:
        desk.queue.step()  # once nothing is owed its evidence is fixed
    desk.show((1, 1))
    desk.answer()
    assert len(desk.changes) == 1
    assert desk.true_as_of() == 1.0
    assert desk.serve() == ['OK']
    assert desk.true_as_of() >= 2.0


def test_a_watch_has_one_question_on_its_way_at_most(desk: Desk) -> None:
    desk.add()
    desk.show()
    desk.watches.ask(desk.submit)
    desk.show((1, 1))
    assert not desk.due
    desk.answer()
    assert len(desk.outcomes) == 1


def test_they_take_turns(desk: Desk) -> None:
    for name in ('one', 'two', 'three'):
        desk.add(name, question=f'{name}?')
    desk.show()
    desk.serve()
    desk.show((1, 1))
    desk.watches.ask(desk.submit)
    desk.answer()
    desk.show((1, 1))
    desk.serve()
    asked = [outcome.request.text for outcome in desk.outcomes]
    assert asked == ['one?', 'two?', 'three?', 'one?', 'two?', 'three?', 'one?']


def test_their_answers_keep_to_their_share_of_the_time(family: Family) -> None:
    desk = Desk(family, settings={'watch_duty': 1e-6})
    desk.add()
    desk.show()
    desk.serve()
    desk.show((1, 1))
    assert not desk.due
    assert desk.watches.wait(time.monotonic()) > 60.0, 'an answer takes more than 60 us'
    desk.watches.limits = NodeConfig(watch_duty=1.0)
    assert desk.due


def test_what_waits_in_vain_uses_up_no_share(family: Family) -> None:
    desk = Desk(family, settings={'watch_duty': 0.01})
    desk.add(deadline=0.2)
    desk.show()
    desk.session.reset()  # as after a model that failed: there is no image until the next one
    assert desk.serve() == ['NO_EVIDENCE']
    desk.show()
    assert desk.due


def test_without_a_share_nobody_asks(family: Family) -> None:
    desk = Desk(family, settings={'watch_duty': 0.0})
    desk.add()
    desk.show()
    assert not desk.due
    assert desk.watches.wait(time.monotonic()) is None


def test_its_period_is_waited_for(desk: Desk) -> None:
    desk.add(period=1000.0)
    desk.show()
    desk.serve()
    assert desk.watches.wait(time.monotonic()) is None, 'until there is another image'
    desk.show()
    now = time.monotonic()
    assert 900.0 < (desk.watches.wait(now) or 0.0) <= 1000.0
    assert not desk.watches.due(now)
    assert desk.watches.due(now + 1000.0)


def test_what_was_seen_is_forgotten_and_the_watch_is_kept(desk: Desk) -> None:
    desk.add()
    desk.show()
    desk.serve()
    desk.queue.cameras = {}
    desk.watches.forget()
    assert not desk.due
    desk.begin()
    desk.show()
    assert desk.serve() == ['OK']
    assert len(desk.changes) == 1, 'the same answer is no change'


def test_an_answer_about_a_stream_that_has_ended_does_not_count(desk: Desk) -> None:
    desk.add()
    desk.show()
    desk.watches.ask(desk.submit)
    desk.stamp = -SECOND // 2
    desk.show()  # stamps go back: the session begins anew
    desk.answer()
    assert desk.serve()[-1] == 'OK'
    assert desk.changes[0].after.stamp == SECOND // 2


def test_a_question_that_fails_is_said_so_and_tells_nothing(desk: Desk) -> None:
    desk.add(deadline=1e-9)
    desk.show()
    assert desk.serve() == ['TIMEOUT']
    (watch,) = desk.watches.look_up()
    assert watch.trouble.startswith('TIMEOUT: not finished within')
    assert (watch.answers, desk.changes) == (0, [])
    assert not desk.due, 'not at once again'
    assert desk.watches.due(time.monotonic() + 60.0)


def test_an_overloaded_queue_comes_first(family: Family) -> None:
    desk = Desk(family, settings={'max_waiting_questions': 1})
    desk.add()
    desk.show()
    later = Request(asked={'text': 'later?'}, max_evidence_age=1e-9)
    desk.submit(later, on_token=lambda _: None, on_done=lambda _: None)
    desk.watches.ask(desk.submit)
    assert [outcome.status for outcome in desk.outcomes] == [Status.OVERLOADED]


def test_a_watch_that_is_removed_tells_nothing_more(desk: Desk) -> None:
    desk.add()
    desk.show()
    desk.watches.ask(desk.submit)
    desk.watches.remove('one')
    desk.answer()
    assert [outcome.status for outcome in desk.outcomes] == [Status.CANCELLED]
    assert (len(desk.watches), desk.changes) == (0, [])


def test_what_cannot_be_added_or_removed_is_refused_by_name(family: Family) -> None:
    desk = Desk(family, settings={'max_watches': 2, 'max_question_characters': 100})
    desk.add('one')
    desk.add('one')  # the very same
    assert len(desk.watches) == 1
    with pytest.raises(WatchExists, match="watch 'one' with other settings: remove it first"):
        desk.add('one', period=1.0)
    with pytest.raises(ValueError, match=r"'1\.' is no usable id"):
        desk.add('1.')
    with pytest.raises(InvalidRequest, match="no camera 'rear': there is camera"):
        desk.add('two', camera='rear')
    with pytest.raises(InvalidRequest, match='max_question_characters'):
        desk.add('two', question='x' * 200)
    desk.add('two')
    with pytest.raises(TooManyWatches, match='there are 2 watches'):
        desk.add('three')
    with pytest.raises(UnknownWatch, match="no watch 'three': there is one, two"):
        desk.watches.remove('three')


@pytest.mark.parametrize(
    ('settings', 'said'),
    [
        ({'question': ' '}, 'the question is empty'),
        ({'choices': ('yes',)}, 'two or more'),
        ({'choices': ('yes', 'yes')}, 'different'),
        ({'period': -1.0}, 'period must be at least 0'),
        ({'hold': float('nan')}, 'hold must be at least 0'),
        ({'on_change': (0.0, 0.0, 1.0)}, 'on_change has 3 numbers'),
        ({'on_change': (0.5, 0.0, 1.0, 1.0)}, 'fractions of the image'),
        ({'changed_blocks': 0}, 'changed_blocks must be at least 1'),
        ({'min_probability': 1.5}, 'min_probability must be at most 1'),
        ({'min_probability': 0.5, 'choices': ('',)}, 'min_probability needs choices'),
        ({'deadline': 1e6}, 'deadline must be at most 86400'),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WatchConfig(**{'question': 'well?', 'choices': ('yes', 'no'), **settings})
