# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Models that think: off by default, bounded when on, and never part of the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from engine.families.exactness import noise, stream
from engine.families.zoo.folders import write

from vlmaxxing_ros.engine.answering.thinking import think
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.question import Answer, Question
from vlmaxxing_ros.engine.steps import Piece
from vlmaxxing_ros.engine.stream.session import StreamSession

QUESTION = 'what do you see?'
ANSWER = '<|im_end|>\n<|im_start|>assistant\n'
CLOSED = '<think>\n\n</think>\n\n'


@pytest.fixture(scope='module')
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    """A model that thinks unless its template is told otherwise."""
    return load(tmp_path_factory.mktemp('thinks'))


@pytest.fixture(scope='module')
def magistral(tmp_path_factory: pytest.TempPathFactory) -> Family:
    """A model that is told to think, whatever its template is told."""
    folder = tmp_path_factory.mktemp('told')
    write('magistral', folder)
    return load_family(str(folder))


def load(folder: Path, edit: tuple[str, str] = ('', '')) -> Family:
    write('qwen3_5', folder)
    template = folder / 'chat_template.jinja'
    text = template.read_text()
    template.write_text(text.replace(*edit) if edit[0] else text)
    return load_family(str(folder))


def prompt_end(family: Family, *, thinking: bool) -> str:
    ids = family.text.question_ids(QUESTION, (), thinking=thinking)
    return str(family.processor.tokenizer.decode(ids)).rpartition(QUESTION)[2]


def ask(family: Family, thinking: int, **fields: Any) -> tuple[Answer, int]:
    """The answer, and how many pieces of work it took."""
    session = StreamSession(family, EngineConfig(thinking=thinking, max_tokens=4))
    for frame in noise(family, 2):
        session.admit(frame)
    asking = session.ask(Question(text=QUESTION, **fields))
    steps = len(list(asking))
    assert asking.answer is not None
    return asking.answer, steps


def test_thinking_is_off_unless_asked_for(family: Family) -> None:
    assert prompt_end(family, thinking=False) == ANSWER + CLOSED
    assert prompt_end(family, thinking=True) == ANSWER + '<think>\n'
    assert family.text.can_think


def test_a_template_that_always_thinks_gets_its_block_closed(tmp_path: Path) -> None:
    always = load(tmp_path, ('enable_thinking is false', 'enable_thinking == 7'))
    assert prompt_end(always, thinking=False) == ANSWER + CLOSED
    assert prompt_end(always, thinking=True) == ANSWER + '<think>\n'


def test_a_model_that_is_told_to_think_is_shown_that_it_has(magistral: Family) -> None:
    assert prompt_end(magistral, thinking=False) == '[/INST][THINK][/THINK]'
    assert prompt_end(magistral, thinking=True) == '[/INST]'
    assert magistral.text.can_think
    assert not magistral.text.thought_is_open


def test_the_thoughts_of_an_instruction_are_part_of_the_prompt(magistral: Family) -> None:
    told = magistral.processor.tokenizer.decode(magistral.text.prefix_ids)
    assert told.startswith('<s>[SYSTEM_PROMPT]first think, as here:[THINK]a draft[/THINK]')


def test_a_model_without_thoughts_answers_at_once(qwen: Family) -> None:
    assert not qwen.text.can_think
    (thoughtful, steps), (at_once, same) = ask(qwen, 10), ask(qwen, 0)
    assert (thoughtful.token_ids, steps) == (at_once.token_ids, same)


@pytest.mark.parametrize(
    'fields', [{}, {'choices': ('left', 'right')}, {'json_schema': '{"type": "boolean"}'}]
)
def test_a_thought_is_closed_when_its_budget_is_spent(
    family: Family, fields: dict[str, Any]
) -> None:
    thoughtful, steps = ask(family, 6, **fields)
    at_once, fewer = ask(family, 0, **fields)
    assert steps - fewer >= 6 - 4  # six for the thought; answers have up to four tokens
    assert thoughtful.answer_tokens <= 4  # a thought is no part of it
    assert thoughtful.prompt_tokens <= at_once.prompt_tokens
    if 'json_schema' in fields:
        assert json.loads(thoughtful.answer) in (True, False)
    if 'choices' in fields:
        assert sum(thoughtful.choice_probabilities) == pytest.approx(1.0)


class Ticks:
    """A clock that says how many pieces of work there were."""

    def __init__(self) -> None:
        self.count = 0

    def now(self) -> float:
        """As seconds."""
        return float(self.count)

    def worked(self, piece: Piece) -> None:
        """Pieces are counted where they are asked for."""


@pytest.mark.parametrize('fields', [{}, {'choices': ('left', 'right')}])
def test_the_time_to_the_first_token_is_the_answers(family: Family, fields: dict[str, Any]) -> None:
    times = []
    for budget in (0, 6):
        clock = Ticks()
        session = StreamSession(family, EngineConfig(thinking=budget, max_tokens=4), clock)
        session.admit(noise(family, 1)[0])
        asking = session.ask(Question(text=QUESTION, **fields))
        clock.count += 1
        for _ in asking:
            clock.count += 1
        assert asking.answer is not None
        times.append(asking.answer.time_to_first_token)
    assert times[1] == times[0] + 6


def scripted(family: Family, *ids: int, budget: int = -1) -> tuple[list[float], int]:
    """Logits after a thought of these tokens, and in how many steps they came."""
    fork = stream(family, noise(family, 1)).fork()
    logits = fork.extend(family.text.question_ids(QUESTION, (), thinking=True))
    script: Iterator[int] = iter(ids)

    def sample(_: mx.array) -> int:
        return next(script)

    work, steps = think(fork, family.text, logits, sample, budget), 0
    while True:
        try:
            next(work)
            steps += 1
        except StopIteration as done:
            return np.array(done.value).tolist(), steps


def written(family: Family, text: str) -> list[float]:
    """Logits after the whole prompt with this for a thought, in the chunks that it came in."""
    fork = stream(family, noise(family, 1)).fork()
    logits = fork.extend(family.text.question_ids(QUESTION, (), thinking=True))
    for id_ in family.text.control_ids(text):
        logits = fork.extend([id_])
    return np.array(logits).tolist()


def test_the_answer_follows_the_thought_that_the_model_ended(family: Family) -> None:
    ids = family.text.control_ids('red left')
    logits, steps = scripted(family, *ids, family.text.thought_end)
    assert steps == len(ids)
    assert logits == pytest.approx(written(family, 'red left</think>\n\n'), abs=1e-4)


def test_the_answer_follows_the_thought_that_was_cut(family: Family) -> None:
    ids = family.text.control_ids('red left')
    logits, _ = scripted(family, *ids, budget=len(ids))
    assert logits == pytest.approx(written(family, 'red left\n</think>\n\n'), abs=1e-4)


def test_a_model_that_ends_in_its_thought_has_no_answer(family: Family) -> None:
    end = next(iter(family.text.end_ids))
    logits, steps = scripted(family, end)
    assert steps == 0
    assert logits == pytest.approx(written(family, ''), abs=1e-6)


def test_a_model_that_is_told_to_think_decides_behind_its_thoughts(magistral: Family) -> None:
    answer, _ = ask(magistral, 0, choices=('left', 'right'))
    fork = stream(magistral, noise(magistral, 2)).fork()
    ids = magistral.text.question_ids(QUESTION, ('left', 'right'), thinking=True)
    fork.extend(ids + magistral.text.control_ids('[THINK][/THINK]'))
    assert answer.prompt_tokens == fork.rows
    answer, _ = ask(magistral, 0, json_schema='{"type": "boolean"}')
    assert json.loads(answer.answer) in (True, False)


@pytest.mark.parametrize('ended', [True, False])
def test_a_thought_that_the_model_begins_itself_is_left_out_of_the_answer(
    magistral: Family, ended: bool
) -> None:
    text = magistral.text
    ids = [text.thought_begin, *text.control_ids('red left')]
    budget = -1 if ended else len(ids) - 1
    logits, steps = scripted(magistral, *ids, *([text.thought_end] if ended else []), budget=budget)
    assert steps == len(ids) - 1
    assert logits == pytest.approx(written(magistral, '[THINK]red left[/THINK]'), abs=1e-4)


def test_a_model_that_begins_no_thought_answers(magistral: Family) -> None:
    logits, steps = scripted(magistral, *magistral.text.control_ids('red'))
    assert steps == 0
    assert logits == pytest.approx(written(magistral, ''), abs=1e-6)
