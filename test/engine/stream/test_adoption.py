# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A question ends what the background is paying where it is answered earlier so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from engine.owing import ALL, NOTHING, SECOND, SOME, frame, owed
from engine.scenes import PERIOD, change_blocks, frames_held, scene
from engine.situations import without_carry

from vlmaxxing_ros.engine.cache.ledger import Kind, Ledger, Segment
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.base import Rows
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.bursts import Brief
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.sight import Past
from vlmaxxing_ros.engine.steps import Job
from vlmaxxing_ros.engine.stream.adoption import foreseen, still_owed
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.payment import Payment, Why
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.evaluation.arms.live import SimulatedClock

SPEED = 1000.0  # rows per second
FRAME = 24 / SPEED  # s of a frame's blocks, or of its rows
# A history should reach back 0.4 s, and at most 0.8 s.
CONFIG = EngineConfig(
    keyframe_interval=0.2, keep_keyframes=2, calm=60.0, audit_interval=0.0, max_slice=0.001
)


class AskedScene:
    """A scene in which two corners change with every image, and a question was asked of it."""

    def __init__(self, family: Family) -> None:
        self.clock = SimulatedClock(SPEED)
        self.session = StreamSession(family, CONFIG, self.clock)
        self._first = scene(PERIOD)
        self._corners = np.zeros((self._first.grid.rows, self._first.grid.cols), bool)
        self._corners[0, 0] = self._corners[-1, -1] = True
        self.seen = 1
        self.session.admit(self._first)
        self.ask()

    def see(self, images: int) -> None:
        """As many more."""
        for _ in range(images):
            self.seen += 1
            self.session.see(self._image(self.seen))

    def _image(self, number: int) -> Frame:
        return change_blocks(self._first, self._corners, stamp=number * PERIOD, seed=number)

    def keyframe(self) -> Job:
        """The background's, once the question's evidence has become old."""
        self.see(5)
        work = self.session.background()
        assert work is not None
        return work.job

    def ask(self) -> tuple[int, float]:
        """The rows and seconds that the newest evidence took."""
        start = self.clock.now()
        job = self.session.answering(
            Question(text='what?', max_tokens=1),
            Terms(),
            evidence_age=lambda _: 0.0,
            start=start,
        )
        while job.paying is not None:
            job.step()
        took, answer = self.clock.now() - start, job.finish()
        assert answer.evidence.newest_stamp == self.seen * PERIOD
        return answer.rows_paid, took

    @property
    def stamps(self) -> list[int]:
        """Which images the cache shows."""
        return [shown.stamp // PERIOD for shown in frames_held(self.session)]


@pytest.fixture
def watched(qwen: Family) -> Iterator[AskedScene]:
    with without_carry(qwen):  # whose background makes keyframes
        yield AskedScene(qwen)


def step(job: Job, until: float) -> None:
    """Pay until so many seconds are left."""
    while job.cost > until:
        assert not job.step()


def test_one_that_is_nearly_done_is_the_past_that_a_question_would_have_to_pay_for(
    watched: AskedScene,
) -> None:
    job = watched.keyframe()
    step(job, until=FRAME / 2)
    watched.see(7)  # by now what the tail shows has ended too long ago
    rows, took = watched.ask()
    assert 6 in watched.stamps, "the background's frame"
    assert rows < 2 * 24, 'those that were paid before it was asked are not told'
    assert took < 3 * FRAME, 'its end and a whole frame; one of the past has as many rows again'
    assert watched.session.audit().ok


def test_one_that_has_hardly_begun_is_given_up(watched: AskedScene) -> None:
    job = watched.keyframe()
    assert not job.step()
    watched.see(1)  # the tail is still a moment of the past
    watched.ask()
    assert 6 not in watched.stamps
    assert watched.session.audit().ok


def test_what_was_paid_for_one_answer_alone_serves_the_next_one_while_nothing_moves(
    watched: AskedScene,
) -> None:
    watched.keyframe()
    while watched.session.idle():
        pass
    watched.see(2)
    aside, _ = watched.ask()
    assert watched.session.stream is not None
    assert watched.session.stream.sight.owed().count == 2, 'it is still owed'
    again, took = watched.ask()
    assert aside > 0
    assert (again, took) == (0, 0.0)
    watched.see(1)
    assert watched.ask()[0] > 0, 'that has moved'
    assert watched.session.audit().ok


HISTORY, STANDING = 92, 97
ROWS = Rows(
    ids=np.zeros(9, np.int32),
    positions=np.zeros((3, 9), np.int32),
    blocks=np.arange(-1, 8, dtype=np.int32),
    end=9,
)
LEDGER = Ledger(
    [
        Segment(Kind.KEYFRAME, ROWS, frame(HISTORY * SECOND), until=HISTORY * SECOND),
        Segment(Kind.TAIL, ROWS, frame(STANDING * SECOND)),
    ]
)
WHOLE = Payment(Why.KEYFRAME, owed().plan, ALL, whole=True)  # of 99.4 s


def shown(ledger: Ledger) -> list[float]:
    return [seen.stamp / SECOND for seen in ledger.frames]


@pytest.mark.parametrize(
    ('payment', 'expected'),
    [
        (WHOLE, [92, 99.4]),
        (replace(WHOLE, promote=True), [92, 97, 99.4]),
        (replace(WHOLE, promote=True, afresh=True, since=95 * SECOND), [97, 99.4]),
        (
            replace(WHOLE, afresh=True, since=95 * SECOND, past=Past(frame(96 * SECOND), NOTHING)),
            [96, 99.4],
        ),
        (replace(WHOLE, past=Past(frame(90 * SECOND), NOTHING)), [90, 92, 99.4]),
    ],
)
def test_the_frames_that_a_whole_payment_leaves_are_foreseen(
    payment: Payment, expected: list[float]
) -> None:
    assert shown(foreseen(payment, 98 * SECOND, LEDGER)) == expected
    assert shown(LEDGER) == [92, 97], 'and nothing happens'


def test_what_is_owed_is_taken_to_go_on_changing() -> None:
    told = Brief(frame(98 * SECOND), SOME)
    new = Brief(frame(99 * SECOND), SOME)
    left = still_owed(replace(WHOLE, briefs=(told,)), owed(SOME, briefs=(told, new)), 2.0)
    assert (left.blocks == SOME).all()
    assert left.briefs == (new,)
    assert left.accounted == WHOLE.plan.look.frame.stamp - 2 * SECOND, 'and to grow old'


def test_a_camera_that_rests_is_to_be_seen_whole_after_a_piece_of_its_image() -> None:
    resting = replace(owed(SOME), whole_view=WHOLE.plan)
    assert still_owed(WHOLE, resting, 0.0).whole_view is None, 'it is what is paid'
    look = WHOLE.plan.look
    piece = replace(
        WHOLE, plan=replace(WHOLE.plan, look=replace(look, frame=replace(look.frame, anchor=1)))
    )
    assert still_owed(piece, resting, 0.0).whole_view is WHOLE.plan
