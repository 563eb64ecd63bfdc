# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Notes on a stream's history: where they stand, how long they are kept, what they cost."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from engine.scenes import GRID, PERIOD, moving_scene, scene, session_logits

from vlmaxxing_ros.engine.cache.ledger import Kind
from vlmaxxing_ros.engine.cache.rolling_cache import RollingCache
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import EngineError, InvalidRequest, NoEvidence, Unsupported
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Answer, Question
from vlmaxxing_ros.engine.steps import finish
from vlmaxxing_ros.engine.stream.encoder import IncrementalEncoder
from vlmaxxing_ros.engine.stream.governor import Terms
from vlmaxxing_ros.engine.stream.noting import MAX_TOKENS
from vlmaxxing_ros.engine.stream.session import StreamSession

OPEN = 'the gripper is open'


def begun(family: Family, frames: int = 1, **settings: Any) -> StreamSession:
    settings = {'keep_notes': 4, 'keyframe_interval': 0.1, 'audit_interval': 0.0, **settings}
    session = StreamSession(family, EngineConfig(**settings))
    for frame in moving_scene(frames):
        session.admit(frame)
    return session


def ask(session: StreamSession, terms: Terms | None = None, **fields: Any) -> Answer:
    return session.answering(
        Question(text='what?', max_tokens=4, **fields),
        terms or Terms(),
        evidence_age=lambda _: 0.0,
        start=0.0,
    ).finish()


def idle(session: StreamSession) -> None:
    while session.idle():
        pass


def held(session: StreamSession) -> list[str | int]:
    """What is on the ledger behind the prompt's beginning: texts, and frames by their number."""
    assert session.stream is not None
    text = session.family.text
    return [
        s.frame.stamp // PERIOD if s.frame else text.decode(s.rows.ids.tolist()).strip()
        for s in session.stream.cache.ledger.segments[1:]
    ]


def test_a_note_stands_behind_what_had_been_seen_and_the_next_question_sees_it(
    qwen: Family,
) -> None:
    session = begun(qwen, frames=2)
    before = ask(session)
    assert held(session) == [1, 2]
    assert session.note(OPEN) == 2 * PERIOD
    answer = ask(session)
    assert held(session) == [1, 2, OPEN, 2]
    note = len(qwen.text.note_ids(OPEN))
    frame = GRID.blocks + 2
    paid = note + 1  # and the closing row of the tail, which is carried behind it
    assert answer.rows_paid == paid
    assert answer.prompt_tokens == before.prompt_tokens + note + frame
    expected = replace(before.evidence, oldest_block_age=0.0, rows_paid=paid, exact=False)
    assert answer.evidence == expected
    assert ask(session).rows_paid == 0, 'once'


def test_the_context_is_one_cold_prompt_with_the_same_text_bit_for_bit(qwen: Family) -> None:
    session, frames = begun(qwen, frames=3), moving_scene(5)
    session.note(OPEN)
    session.admit(frames[3])
    session.note('it has closed')
    session.admit(frames[4])
    assert held(session) == [1, 2, 3, OPEN, 4, 'it has closed', 5]
    cold = RollingCache(qwen)
    assert session.stream is not None
    for segment in session.stream.cache.ledger.segments[1:]:
        if segment.frame is None:
            assert segment.note is not None
            finish(cold.noting(segment.note))
        else:
            features = IncrementalEncoder(qwen).encode(segment.frame).features
            cold.append(Kind.KEYFRAME, segment.frame, features)
    expected = np.array(cold.fork().extend(qwen.text.question_ids('what?', ())))
    assert np.array_equal(session_logits(session, 'what?'), expected)
    assert session.audit().ok


def test_the_background_puts_it_there_in_slices_though_nothing_changes(qwen: Family) -> None:
    session = begun(qwen, max_slice=0.001)
    session.note(OPEN)
    session.see(replace(scene(PERIOD), stamp=2 * PERIOD))
    work, slices = session.background(), 0
    assert work is not None
    while not work.step():
        slices += 1
        fastest = Terms(max_evidence_age=math.inf)
        assert ask(session, fastest).rows_paid == 0, 'answered from what stands'
        assert OPEN not in held(session)
    assert slices > 2
    assert OPEN in held(session)
    budget = session.see(replace(scene(PERIOD), stamp=3 * PERIOD))
    assert budget.tokens_added == len(qwen.text.note_ids(OPEN)) + GRID.blocks + 2
    assert budget.tokens_cached == session.stream.cache.ledger.rows


def test_a_question_does_not_take_over_what_the_background_began_before_the_note(
    qwen: Family,
) -> None:
    session = begun(qwen, max_slice=0.001)
    session.see(moving_scene(2)[1])
    session.keyframe()
    work = session.background()
    assert work is not None
    assert not work.step()
    session.note(OPEN)
    assert ask(session).rows_paid == len(qwen.text.note_ids(OPEN)) + GRID.blocks + 2
    assert OPEN in held(session)


def test_what_it_holds_counts(qwen: Family) -> None:
    session = begun(qwen)
    line = ' '.join(['red'] * 20)
    rows = session.stream.cache.ledger.rows
    for _ in range(12):  # a cache grows 256 rows at a time
        session.note(line)
        session.pay()
    frames = sum(isinstance(what, int) for what in held(session))
    notes = len(session.stream.cache.ledger.notes)
    note, frame = len(qwen.text.note_ids(line)), GRID.blocks + 2
    assert session.stream.cache.ledger.rows == rows - frame + frames * frame + notes * note
    budget = session.see(replace(scene(PERIOD), stamp=2 * PERIOD))
    alone = begun(qwen).see(replace(scene(PERIOD), stamp=2 * PERIOD))
    assert budget.cache_bytes > alone.cache_bytes


def test_the_newest_are_kept_by_each_generation_and_their_number_is_bounded(qwen: Family) -> None:
    session = begun(qwen, keep_notes=2, keep_keyframes=2)
    most = 0
    for number, frame in enumerate(moving_scene(40)[1:], start=2):
        session.note(f'note {number}')
        session.admit(frame)
        most = max(most, len(session.stream.cache.ledger.notes))
        if number % 3 == 0:
            idle(session)
    assert session.stream.cache.number > 2
    assert 4 <= most <= 6
    idle(session)
    notes = [what for what in held(session) if isinstance(what, str)]
    assert notes[-2:] == ['note 39', 'note 40']
    stamps = [segment.stamp for segment in session.stream.cache.ledger.segments[1:]]
    assert stamps == sorted(stamps)
    assert session.audit().ok


def test_where_nobody_builds_a_generation_a_note_that_is_one_too_many_does(qwen: Family) -> None:
    session = begun(qwen, keep_notes=2, keyframe_interval=math.inf)
    held_at_once = []
    for number in range(9):
        session.note(f'note {number}')
        session.pay()
        held_at_once.append(len(session.stream.cache.ledger.notes))
    assert held_at_once == [1, 2, 3, 4, 5, 6, 3, 4, 5]
    session.configure(replace(session.config, keep_notes=0))
    session.keyframe()
    session.pay()
    assert session.stream.cache.ledger.notes == []


def test_notes_that_come_all_at_once_are_as_many_as_are_kept(qwen: Family) -> None:
    session = begun(qwen, keep_notes=2)
    for number in range(5):
        session.note(f'note {number}')
    session.pay()
    assert [what for what in held(session) if isinstance(what, str)] == ['note 3', 'note 4']


def test_a_note_outlives_the_frames_around_it(qwen: Family) -> None:
    session = begun(qwen, keep_keyframes=2)  # a history reaches back 0.2 s, and 0.4 s at most
    session.note(OPEN)
    session.pay()
    for frame in moving_scene(30)[2:]:
        session.see(frame)
        if frame.stamp % (5 * PERIOD) == 0:
            ask(session)
            idle(session)
    assert held(session)[0] == OPEN
    assert min(what for what in held(session) if isinstance(what, int)) > 20
    session.configure(replace(session.config, keep_notes=0))
    for _ in range(3):
        idle(session)
    assert OPEN not in held(session), 'turned off'


def test_a_generation_that_a_question_begins_anew_keeps_the_newest_notes(qwen: Family) -> None:
    session = begun(qwen, keep_notes=1, keep_keyframes=2, keyframe_interval=0.5, max_duty=0.0)
    for text in ('it was closed', OPEN):
        session.note(text)
        session.pay()
    assert [what for what in held(session) if isinstance(what, str)] == ['it was closed', OPEN]
    changed = moving_scene(2)[1]
    for index in range(2, 97):
        session.see(replace(changed, stamp=index * PERIOD))
    number = session.stream.cache.number
    ask(session)
    assert session.stream.cache.number == number + 1
    assert [what for what in held(session) if isinstance(what, str)] == [OPEN]


def test_a_brief_event_behind_a_note_is_still_a_matter_of_its_blocks(qwen: Family) -> None:
    session, (first, event) = begun(qwen), moving_scene(2)
    session.note(OPEN)
    session.pay()
    session.see(event)
    for index in (3, 4):
        session.see(replace(first, stamp=index * PERIOD))
    ask(session)
    assert session.stream is not None
    kinds = [segment.kind for segment in session.stream.cache.ledger.segments[1:]]
    assert kinds == [Kind.KEYFRAME, Kind.NOTE, Kind.DELTA, Kind.TAIL]
    assert held(session)[1] == OPEN
    assert session.audit().ok


def test_a_question_about_the_past_sees_the_notes_before_its_frame(qwen: Family) -> None:
    session, frames = begun(qwen, frames=2), moving_scene(4)
    session.note(OPEN)
    session.admit(frames[2])
    session.admit(frames[3])
    assert held(session) == [1, 2, OPEN, 3, 4]
    note, frame = len(qwen.text.note_ids(OPEN)), GRID.blocks + 2
    rows = [ask(session, as_of=number * PERIOD).prompt_tokens for number in (1, 2, 3)]
    assert np.diff(rows).tolist() == [frame, note + frame]


def test_a_reset_forgets_notes_as_everything(qwen: Family) -> None:
    session = begun(qwen)
    session.note(OPEN)
    session.reset()
    session.admit(scene(9 * PERIOD))
    assert held(session) == [9]


@pytest.mark.parametrize(
    ('text', 'settings', 'error', 'said'),
    [
        (' \n', {}, InvalidRequest, 'empty'),
        ('one\ntwo', {}, InvalidRequest, 'one line'),
        ('red ' * 200, {}, InvalidRequest, f'tokens; at most {MAX_TOKENS}'),
        ('x' * 5000, {}, InvalidRequest, '5000 characters'),
        (OPEN, {'keep_notes': 0}, Unsupported, 'set keep_notes'),
        (OPEN, {'compression': 'infinipot'}, Unsupported, 'set compression to none'),
    ],
)
def test_what_cannot_be_noted_is_refused_by_name_and_nothing_is_lost(
    qwen: Family, text: str, settings: dict[str, Any], error: type[EngineError], said: str
) -> None:
    session = begun(qwen, **settings)
    with pytest.raises(error, match=said):
        session.note(text)
    assert held(session) == [1]
    assert ask(session).rows_paid == 0


def test_before_an_image_there_is_no_history_to_note_on(qwen: Family) -> None:
    with pytest.raises(NoEvidence, match='no image has been seen'):
        StreamSession(qwen, EngineConfig(keep_notes=1)).note(OPEN)


def test_compression_turned_on_later_takes_notes_with_the_rest(qwen: Family) -> None:
    session = begun(qwen, frames=3, token_budget=200)
    session.note(OPEN)
    session.pay()
    session.configure(replace(session.config, compression='infinipot'))
    for number, frame in enumerate(moving_scene(20)[3:], start=4):
        session.admit(replace(frame, stamp=number * PERIOD))
    assert session.stream.cache.ledger.rows <= 200
    assert not ask(session).evidence.exact
