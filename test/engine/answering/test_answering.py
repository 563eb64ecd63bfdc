# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Answers: greedy and sampled, closed-set, constrained, stopped."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_camera import QUIET
from vlmaxxing_ros.engine.answering import answering
from vlmaxxing_ros.engine.answering.answering import Asking
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import InvalidRequest, ModelError
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.families.json_constraint import JsonConstraint
from vlmaxxing_ros.engine.question import Answer, Question, Token
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.stream.session import StreamSession

MakeFrames = Callable[..., list[Frame]]


@pytest.fixture
def session(qwen: Family, make_frames: MakeFrames) -> StreamSession:
    """Two frames seen, nothing asked."""
    session = StreamSession(qwen, EngineConfig(keyframe_interval=0.0))
    for frame in make_frames(2):
        session.admit(frame)
    return session


def ask(session: StreamSession, text: str = 'what is it?', **fields: Any) -> Answer:
    asking = session.ask(Question(text=text, **fields))
    list(asking)
    assert asking.answer is not None
    return asking.answer


def test_tokens_arrive_one_by_one_and_make_up_the_answer(session: StreamSession) -> None:
    asking = session.ask(Question(text='what is it?', max_tokens=7))
    tokens = [token for token in asking if isinstance(token, Token)]
    answer = asking.answer
    assert answer is not None
    assert [t.token_count for t in tokens] == list(range(1, len(tokens) + 1))
    assert ''.join(t.token_text for t in tokens) == answer.answer
    assert tokens[-1].text == answer.answer
    assert answer.answer_tokens == len(tokens) == 7
    assert answer.finish_reason == 'length'
    assert answer.prompt_tokens == answer.reused_tokens + len(asking.suffix)


def test_the_default_limit_comes_from_the_settings(qwen: Family, make_frames: MakeFrames) -> None:
    session = StreamSession(qwen, EngineConfig(max_tokens=3))
    session.admit(make_frames(1)[0])
    assert ask(session).answer_tokens <= 3


def test_the_end_token_ends_an_answer(session: StreamSession) -> None:
    first = ask(session, max_tokens=3).token_ids
    ends = session.family.text.end_ids
    ends.add(first[1])
    try:
        answer = ask(session)
    finally:
        ends.remove(first[1])
    assert answer.finish_reason == 'stop'
    assert answer.token_ids == first[:1]


def test_stopping_keeps_what_there_is_and_ends_the_iteration(session: StreamSession) -> None:
    asking = session.ask(Question(text='what is it?', max_tokens=50))
    next(asking)
    next(asking)
    answer = asking.stop('cancelled')
    assert answer.finish_reason == 'cancelled'
    assert answer.answer_tokens == 2
    assert list(asking) == []
    assert asking.answer is answer


@pytest.fixture(scope='module')
def tabletop() -> tuple[StreamSession, str]:
    """A table that the built-in model has seen, and what it says of it."""
    session = StreamSession(load_family('nano'), EngineConfig())
    pixels = Tabletop(seed=1, camera=QUIET).render(0.0)
    session.admit(session.frame(pixels, stamp=0))
    answer = ask(session, 'describe what you see')
    assert answer.finish_reason == 'stop'
    assert len(answer.answer) >= 12
    return session, answer.answer


@pytest.mark.parametrize('start', [0, 1, 3, 7])
@pytest.mark.parametrize('length', [1, 2, 5])
def test_an_answer_ends_before_the_first_stop_text(
    tabletop: tuple[StreamSession, str], start: int, length: int
) -> None:
    session, whole = tabletop
    stop = whole[start : start + length]
    asking = session.ask(Question(text='describe what you see', stop=('nowhere', stop)))
    tokens = [token for token in asking if isinstance(token, Token)]
    assert asking.answer is not None
    assert asking.answer.answer == whole[: whole.find(stop)]
    assert asking.answer.finish_reason == 'stop'
    assert ''.join(token.token_text for token in tokens) == asking.answer.answer
    assert all(asking.answer.answer.startswith(token.text) for token in tokens)
    assert asking.answer.answer_tokens == len(tokens)


@pytest.mark.parametrize('limit', [0, 2])
def test_what_may_have_been_a_stop_text_and_was_none_is_not_lost(
    tabletop: tuple[StreamSession, str], limit: int
) -> None:
    session, _ = tabletop
    whole = ask(session, 'describe what you see', max_tokens=limit)
    stop = f'{whole.answer[-2:]} and no more'
    asking = session.ask(Question(text='describe what you see', max_tokens=limit, stop=(stop,)))
    tokens = [token for token in asking if isinstance(token, Token)]
    assert asking.answer is not None
    assert asking.answer.answer == tokens[-1].text == whole.answer
    assert asking.answer.finish_reason == whole.finish_reason
    assert asking.answer.token_ids == whole.token_ids
    assert tokens[-1].token_text == whole.answer[-2:]


def test_two_answers_can_be_decoded_in_turns(session: StreamSession) -> None:
    questions = ('what is it?', 'how many are there?')
    alone = [ask(session, text, max_tokens=8).token_ids for text in questions]
    running: list[Asking] = [session.ask(Question(text=t, max_tokens=8)) for t in questions]
    while any(r.answer is None for r in running):
        for one in running:
            next(one, None)
    assert [r.answer.token_ids for r in running if r.answer] == alone


def test_a_running_answer_does_not_see_later_frames(
    session: StreamSession, make_frames: MakeFrames
) -> None:
    alone = ask(session, max_tokens=8).token_ids
    asking = session.ask(Question(text='what is it?', max_tokens=8))
    next(asking)
    for frame in make_frames(5)[2:]:
        session.admit(frame)
        next(asking)
    list(asking)
    assert asking.answer is not None
    assert asking.answer.token_ids == alone


def test_a_seed_makes_a_sampled_answer_repeatable(session: StreamSession) -> None:
    fields = {'temperature': 1.5, 'top_p': 0.95, 'max_tokens': 12}
    one, same, other = (ask(session, seed=s, **fields).token_ids for s in (1, 1, 2))
    assert one == same
    assert one != other


def test_choices_are_scored_as_the_model_would_write_them(session: StreamSession) -> None:
    choices = ('red', 'top left', 'blue')
    answer = ask(session, choices=choices)
    text = session.family.text
    totals = []
    for choice in choices:
        fork = session.stream.cache.fork()
        logits = np.array(fork.extend(text.question_ids('what is it?', choices)))
        total = 0.0
        for token in text.plain_ids(choice):
            total += logits[token] - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
            logits = np.array(fork.extend([token]))
        ends = logits[sorted(text.end_ids)]
        total += np.log(np.exp(ends).sum()) - np.log(np.exp(logits).sum())
        totals.append(total)
    expected = np.exp(totals) / np.exp(totals).sum()
    assert answer.choice_probabilities == pytest.approx(expected, abs=1e-4)
    assert sum(answer.choice_probabilities) == pytest.approx(1.0)
    assert answer.choice_index == int(np.argmax(expected))
    assert answer.answer == choices[answer.choice_index]
    assert (answer.finish_reason, answer.answer_tokens) == ('choice', 0)
    second, best = sorted(totals)[-2:]
    assert answer.margin == pytest.approx(best - second, abs=1e-4)


def test_an_answer_carries_the_margin_of_its_first_token(session: StreamSession) -> None:
    ids = session.family.text.question_ids('what is it?', ())
    second, best = np.sort(np.array(session.stream.cache.fork().extend(ids)))[-2:]
    answer = ask(session)
    assert answer.margin == pytest.approx(best - second, abs=1e-5)
    assert ask(session, temperature=1.5, seed=3).margin == answer.margin, 'whatever was drawn'
    assert ask(session, json_schema='{"const": 7}').margin == math.inf, 'no other was allowed'


def test_one_prefill_of_the_question_serves_all_choices(session: StreamSession) -> None:
    rows: list[int] = []
    family = session.family
    original = family.hidden

    def counting(shown: Any, features: Any, cache: Any) -> mx.array:
        rows.append(len(shown))
        return original(shown, features, cache)

    family.hidden = counting  # type: ignore[method-assign]
    try:
        choices = ('red', 'top left', 'blue', 'green')
        asking = session.ask(Question(text='what is it?', choices=choices))
        list(asking)
    finally:
        del family.hidden  # type: ignore[method-assign]
    assert rows[0] == len(asking.suffix)
    assert rows[1:] == [len(family.text.plain_ids(choice)) for choice in choices]


def test_a_json_schema_shapes_the_answer(session: StreamSession) -> None:
    schema = {
        'type': 'object',
        'properties': {'color': {'enum': ['red', 'blue']}, 'count': {'enum': [1, 2, 3]}},
        'required': ['color', 'count'],
        'additionalProperties': False,
    }
    answer = ask(session, json_schema=json.dumps(schema), max_tokens=200)
    assert answer.finish_reason == 'stop'
    parsed = json.loads(answer.answer)
    assert parsed['color'] in ('red', 'blue')
    assert parsed['count'] in (1, 2, 3)


HARD = json.dumps(
    {'type': 'string', 'allOf': [{'pattern': f'({"ab" * i}|x)[a-z]{{1,9}}'} for i in range(1, 24)]}
)
"""A schema of 1,300 characters that takes most of a minute to compile."""


def test_a_schema_that_takes_long_to_compile_is_refused_and_the_next_question_is_not(
    session: StreamSession,
) -> None:
    with pytest.raises(InvalidRequest, match='computing'):
        ask(session, json_schema=HARD)
    assert ask(session, json_schema='{"enum": ["yes"]}').answer == '"yes"'


def test_a_schema_nested_so_deeply_that_its_parser_ends_the_process_is_refused(
    session: StreamSession,
) -> None:
    deep = '{"items":' * 900 + '{}' + '}' * 900
    with pytest.raises(InvalidRequest):
        ask(session, json_schema=deep)


def test_a_question_too_long_to_be_tokenised_is_refused(session: StreamSession) -> None:
    with pytest.raises(InvalidRequest, match='characters'):
        ask(session, '\N{GRINNING FACE}' * 600_000)


def test_a_choice_too_long_to_be_scored_is_refused(session: StreamSession) -> None:
    with pytest.raises(InvalidRequest, match='choice'):
        ask(session, choices=('yes', 'no ' * 400))


def test_a_very_long_question_is_prefilled_in_chunks(
    session: StreamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    text = 'what is it? ' * 20
    whole = ask(session, text, max_tokens=5).token_ids
    hidden = session.family.hidden

    def counting(shown: Any, features: Any, cache: Any) -> mx.array:
        rows.append(len(shown))
        return hidden(shown, features, cache)

    monkeypatch.setattr(session.family, 'hidden', counting)
    monkeypatch.setattr(answering, '_CHUNK', 50)
    assert ask(session, text, max_tokens=5).token_ids == whole
    assert max(rows) <= 50


@pytest.mark.parametrize(
    'fields',
    [
        {},
        {'temperature': 1.0},
        {'choices': ('yes', 'no')},
        {'json_schema': '{"type": "integer"}'},
    ],
    ids=str,
)
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_logits_that_are_not_finite_are_an_error_by_name(
    session: StreamSession,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    value: float,
) -> None:
    logits = session.family.logits
    with monkeypatch.context() as broken:
        broken.setattr(session.family, 'logits', lambda hidden: logits(hidden) * 0.0 + value)
        with pytest.raises(ModelError, match='not finite'):
            ask(session, **fields)
    assert ask(session, **fields).answer


def test_a_constrained_answer_that_is_cut_does_not_satisfy_its_schema(
    session: StreamSession,
) -> None:
    answer = ask(session, json_schema='{"type": "string", "minLength": 1000}', max_tokens=4)
    assert answer.finish_reason == 'length'


def test_a_constraint_that_fails_inside_is_said_so(
    session: StreamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    consume = JsonConstraint.accept

    def failing(self: JsonConstraint, token: int) -> bool:
        consume(self, token)
        return consume(self, 10**6)  # no such token: the matcher gives up

    monkeypatch.setattr(JsonConstraint, 'accept', failing)
    assert ask(session, json_schema='{"type": "string", "minLength": 9}').finish_reason == 'invalid'
