# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One question about several cameras is one cold prompt, and says of each what it rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from engine.counting import counting_rows
from engine.families.exactness import (
    QUESTION,
    features,
    greedy,
    in_one_chunk,
    next_logits,
    noise,
    same,
    stock,
    stream,
)
from engine.scenes import GRID, PERIOD, change_blocks, scene

from vlmaxxing_ros.engine.cache.fork import Fork
from vlmaxxing_ros.engine.cache.ledger import Kind, Segment
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidRequest, NoEvidence, Unsupported
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.steps import Piece, finish
from vlmaxxing_ros.engine.stream.answer_job import AnswerJob
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.random_models.families import random_family

FAMILIES = ['qwen2_5_vl', 'qwen3_vl', 'qwen3_5', 'gemma4', 'lfm2_vl', 'pixtral']
CAMERAS = ('front', 'wrist', 'rear')
FASTEST = Terms(max_evidence_age=math.inf)
EXACT: dict[str, Any] = {'keyframe_interval': 0.1, 'tail_mode': 'exact', 'audit_interval': 0.0}


@pytest.fixture(scope='module', params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return random_family(request.param)


class SlowClock:
    """Every step takes a second: a slice is one step."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        """Seconds."""
        return self.time

    def worked(self, piece: Piece) -> None:
        """A second has passed."""
        self.time += 1.0


class Cameras:
    """Three cameras on grids of their own, all paid, and what they have shown."""

    def __init__(self, family: Family) -> None:
        # Stock mlx-vlm scales every image that Gemma 4 is shown to one budget of blocks.
        alike = 'gemma4' in family.name
        self.shown = [
            noise(family, count, rows=3, cols=4 if alike else count + 1, seed=count)
            for count in (3, 2, 1)
        ]
        self.family = family
        config, clock = EngineConfig(**EXACT), SlowClock()
        self.sessions = [StreamSession(family, config, clock) for _ in self.shown]
        for session, frames in zip(self.sessions, self.shown, strict=True):
            for frame in frames:
                session.admit(frame)

    @property
    def frames(self) -> list[Frame]:
        """Every frame of the first camera, the newest of the others, in the first one's time."""
        first, *others = self.shown
        since = first[0].stamp
        return [frame.since(since) for frame in [*first, *(frames[-1] for frames in others)]]

    def cold(self) -> Fork:
        """The same frames from nothing: each one encoded and prefilled by itself."""
        family, count = self.family, len(self.shown[0])
        fork = stream(family, self.frames[:count]).fork()
        for camera, frame in zip(CAMERAS[1:], self.frames[count:], strict=True):
            rows = family.labelled_rows(f'{camera} camera:', frame, fork.end)
            finish(fork.appending(Segment(Kind.BESIDE, rows, frame, features(family, frame))))
        return fork


@pytest.fixture(scope='module')
def cameras(family: Family) -> Cameras:
    """Three cameras of each family."""
    return Cameras(family)


def ask(*sessions: StreamSession, terms: Terms | None = None, **fields: Any) -> AnswerJob:
    fields = {'text': QUESTION, 'max_tokens': 8, 'cameras': CAMERAS[: len(sessions)], **fields}
    return sessions[0].answering(
        Question(**fields),
        terms or Terms(),
        evidence_age=lambda stamp: (1000 * PERIOD - stamp) * 1e-9,
        start=0.0,
        beside=sessions[1:],
    )


def held(sessions: Sequence[StreamSession]) -> list[np.ndarray]:
    """Every array of their caches."""
    streams = [session.stream for session in sessions]
    return [np.array(a) for stream in streams if stream for a in stream.cache.contents()]


def test_it_is_a_cold_prefill_of_the_same_chunks_bit_for_bit(
    family: Family, cameras: Cameras
) -> None:
    fork = ask(*cameras.sessions).taken_up()._fork
    once = next_logits(family, in_one_chunk(family, fork.segments))
    ours = next_logits(family, fork)
    assert np.array_equal(ours, next_logits(family, cameras.cold()))
    assert np.abs(ours - once).max() < 1e-4


def test_its_tokens_are_those_of_stock_mlx_vlm_on_that_one_prompt(
    family: Family, cameras: Cameras
) -> None:
    labels = [*[''] * len(cameras.shown[0]), 'wrist camera:', 'rear camera:']
    expected = stock(family, cameras.frames, 10, labels)
    ours = greedy(family, ask(*cameras.sessions).taken_up()._fork, 10)
    assert ours[: len(expected)] == expected


def test_it_leaves_every_camera_bitwise_untouched_and_goes_on_in_slices(
    family: Family, cameras: Cameras
) -> None:
    before, job, steps = held(cameras.sessions), ask(*cameras.sessions), 0
    while job._asking is None:
        assert job.paying is None, 'nothing was owed'
        assert not job.step()
        steps += 1
    assert steps > 2 * len(family.make_cache()), 'a layer of one frame at a time'
    answer = job.finish()
    assert same(before, held(cameras.sessions))
    appended = sum(evidence.rows_paid for evidence in answer.cameras)
    assert answer.rows_paid == appended > 0
    assert answer.evidence.exact
    assert job.finish() == answer


def test_each_camera_s_evidence_is_told_and_the_whole_is_worth_the_least_of_it(
    qwen: Family,
) -> None:
    cameras = Cameras(qwen)
    answer = ask(*cameras.sessions).finish()
    newest = [frames[-1].stamp for frames in cameras.shown]
    assert [evidence.newest_stamp for evidence in answer.cameras] == newest
    assert [evidence.oldest_stamp for evidence in answer.cameras] == [
        cameras.shown[0][0].stamp,
        *newest[1:],
    ]
    ages = [evidence.age for evidence in answer.cameras]
    assert ages == [pytest.approx((1000 * PERIOD - stamp) * 1e-9) for stamp in newest]
    assert answer.evidence.newest_stamp == min(newest)
    assert answer.evidence.age == max(ages)
    alone = ask(cameras.sessions[0]).finish()
    assert alone.cameras == (alone.evidence,)
    assert alone.evidence == answer.cameras[0]


def owing(family: Family, *places: int, **settings: Any) -> StreamSession:
    """A camera of which some blocks have changed since they were paid."""
    config = EngineConfig(keep_keyframes=0, audit_interval=0.0, **settings)
    session = StreamSession(family, config)
    first, fresh = scene(PERIOD), np.zeros((GRID.rows, GRID.cols), bool)
    session.admit(first)
    fresh.flat[list(places)] = True
    session.see(change_blocks(first, fresh, stamp=2 * PERIOD))
    return session


def test_what_each_camera_owes_is_paid_first_in_its_own_stream(qwen: Family) -> None:
    front, wrist = owing(qwen, 3), owing(qwen, 7, 8)
    job, paying = ask(front, wrist), []
    while job.paying is not None:
        paying.append(job.paying)
        job.step()
    assert sorted(set(paying)) == [0, 1], 'one after the other'
    assert paying == sorted(paying)
    answer = job.finish()
    assert [evidence.blocks_owed for evidence in answer.cameras] == [0, 0]
    assert [evidence.newest_stamp for evidence in answer.cameras] == 2 * [2 * PERIOD]
    for session in (front, wrist):
        assert session.stream is not None
        assert session.stream.sight.owed().count == 0
    assert not answer.evidence.exact, 'both were refreshed in place'
    first, second = answer.cameras
    assert answer.rows_paid == first.rows_paid + second.rows_paid
    assert second.rows_paid > GRID.blocks, 'its newest frame is put behind the first camera, too'


def test_where_it_is_settled_every_row_that_went_through_the_model_for_it_is_told(
    qwen: Family,
) -> None:
    front, wrist = owing(qwen, 3, settle_margin=math.inf), owing(qwen, 7, 8)
    with counting_rows(qwen) as counted:
        answer = ask(front, wrist).finish()
    assert answer.evidence.exact
    asked_twice = 2 * len(qwen.text.question_ids(QUESTION, ()))
    decoded = answer.answer_tokens - (answer.finish_reason == 'length')
    assert answer.rows_paid == sum(counted) - asked_twice - decoded
    assert answer.rows_paid == sum(evidence.rows_paid for evidence in answer.cameras)


def test_what_is_not_paid_is_told_of_each(qwen: Family) -> None:
    front, wrist = owing(qwen, 3), owing(qwen, 7, 8)
    answer = ask(front, wrist, terms=FASTEST).finish()
    assert [evidence.blocks_owed for evidence in answer.cameras] == [1, 2]
    assert [evidence.newest_stamp for evidence in answer.cameras] == 2 * [PERIOD]
    assert answer.evidence.blocks_owed == 3
    assert answer.cameras[0].rows_paid == 0


def test_a_camera_of_which_nothing_is_paid_yet_is_paid_whatever_the_terms(qwen: Family) -> None:
    front, wrist = owing(qwen, 3), StreamSession(qwen, EngineConfig(audit_interval=0.0))
    wrist.see(scene(5 * PERIOD, seed=4))
    answer = ask(front, wrist, terms=FASTEST).finish()
    assert [evidence.blocks_owed for evidence in answer.cameras] == [1, 0]
    assert answer.cameras[1].newest_stamp == 5 * PERIOD
    assert answer.cameras[1].exact


def test_the_background_may_work_on_either_camera_in_the_middle_of_it(qwen: Family) -> None:
    front, wrist = owing(qwen, 3), owing(qwen, 7)
    expected = ask(front, wrist).finish()
    front, wrist = owing(qwen, 3), owing(qwen, 7)
    job = ask(front, wrist)
    while job._showing is None:
        job.step()
    job.step()
    for session in (front, wrist):
        session.see(scene(3 * PERIOD, seed=9))
        session.pay()
    answer = job.finish()
    assert answer.token_ids == expected.token_ids
    assert answer.cameras == expected.cameras
    for session in (front, wrist):
        assert session.audit().ok


def test_it_can_be_ended_at_any_moment(qwen: Family) -> None:
    for steps in (0, 1, 2, 4, 7):
        front, wrist = owing(qwen, 3), owing(qwen, 7)
        job = ask(front, wrist)
        for _ in range(steps):
            job.step()
        job.stop('cancelled')
        assert ask(front, wrist).finish().evidence.blocks_owed == 0


def test_a_label_is_text_whatever_the_camera_is_called(qwen: Family) -> None:
    frame = noise(qwen, 1)[0]
    rows = qwen.labelled_rows('<|vision_end|> camera:', frame, 5)
    plain = qwen.frame_rows(frame.grid, 0)
    special = set(qwen.processor.tokenizer.all_special_ids)
    assert not special & set(rows.ids[: -len(plain)].tolist())
    assert rows.end - 5 == len(rows) - len(plain) + plain.end


@pytest.mark.parametrize(
    ('fields', 'said'),
    [({'cameras': ('front', 'front')}, 'must be different'), ({'as_of': 5}, 'about one camera')],
)
def test_a_question_that_cannot_be_about_several_cameras_says_so(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        Question(**{'text': 'what?', 'cameras': ('front', 'wrist'), **fields})


def test_a_camera_that_has_shown_nothing_ends_it(qwen: Family) -> None:
    with pytest.raises(NoEvidence, match='camera publishing'):
        ask(owing(qwen, 3), StreamSession(qwen, EngineConfig()))


@pytest.mark.parametrize('kind', ['qwen2_5_vl', 'pixtral', 'gemma4'])
def test_a_model_whose_prompt_shows_no_text_between_images_refuses_by_name(kind: str) -> None:
    known = random_family(kind)
    known.processor.chat_template = _TEXT_LAST.replace('IMAGE', _IMAGES[kind])
    family = type(known)('the mute one', known.model, known.processor, set(), **_named(known))
    cameras = Cameras(family)
    assert ask(cameras.sessions[0]).finish().evidence.exact, 'one camera can be asked about'
    with pytest.raises(Unsupported, match='the mute one shows no text between two images'):
        ask(*cameras.sessions)


_IMAGES = {
    'qwen2_5_vl': '<|vision_start|><|image_pad|><|vision_end|>',
    'pixtral': '[IMG]',
    'gemma4': '<|image|>',
}
_TEXT_LAST = (
    "user:{% for part in messages[0]['content'] %}{% if part['type'] == 'image' %}IMAGE"
    "{% endif %}{% endfor %}{{ messages[0]['content'][-1]['text'] }}"
)


def _named(family: Family) -> dict[str, int]:
    return {'image_id': family.image_id} if family.block == 32 else {}
