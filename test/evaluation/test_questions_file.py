# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The questions file: what is read is what was written, and mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from vlmaxxing_ros.demo.recordings import ScriptedQuestion, write_questions
from vlmaxxing_ros.evaluation.errors import QuestionsError
from vlmaxxing_ros.evaluation.questions_file import TimedQuestion, load_questions, save_questions

GOOD = {'id': 'a', 'at': 1, 'question': 'Where?', 'choices': ['left', 'right'], 'answer': 'left'}


def test_questions_survive_a_round_trip_and_come_back_in_order_of_time(tmp_path: Path) -> None:
    late = TimedQuestion(id='late', at=2.0, question='Was it 5?', choices=('yes', 'no'))
    early = TimedQuestion(id='early', at=0.5, question='Wo?', task='where', answer='Küche: 1')
    save_questions(tmp_path / 'q.yaml', [late, early])
    assert load_questions(tmp_path / 'q.yaml') == [early, late]


def test_the_demo_s_questions_files_are_read(tmp_path: Path) -> None:
    write_questions(
        tmp_path / 'q.yaml', [ScriptedQuestion('d', 'count', 1.5, 'camera', 'How many?', [], '3')]
    )
    (question,) = load_questions(tmp_path / 'q.yaml')
    assert (question.answer, question.choices, question.task) == ('3', (), 'count')


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'answer': True}, 'put it in quotes'),
        ({'answer': 'up'}, "'up' is not one of the choices"),
        ({'question': ' '}, 'question is empty'),
        ({'at': -1}, 'at is -1'),
        ({'at': float('nan')}, 'at is nan'),
        ({'at': 'soon'}, "at is 'soon', not seconds"),
        ({'choices': ['left']}, 'two or more'),
        ({'choices': ['left', 'left']}, 'two or more'),
        ({'choices': 'left'}, 'not a list'),
        ({'choices': [1, 2]}, 'put it in quotes'),
        ({'when': 3}, 'unknown when'),
    ],
)
def test_a_wrong_entry_is_refused_by_name(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = tmp_path / 'q.yaml'
    path.write_text(yaml.safe_dump([GOOD | change]))
    with pytest.raises(QuestionsError, match=r'entry 1 \(a\)') as caught:
        load_questions(path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('', 'must hold a list'),
        ('a: 1', 'must hold a list'),
        ('- just text', 'not a mapping'),
        ('- {id: a, at: 1}', 'question missing'),
        ('- {id: [', 'cannot be read'),
        ('- {id: a, at: 1, question: x}\n- {id: a, at: 2, question: x}', 'occurs twice'),
    ],
)
def test_a_file_that_is_no_questions_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / 'q.yaml'
    path.write_text(text)
    with pytest.raises(QuestionsError, match=said):
        load_questions(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuestionsError, match='cannot be read'):
        load_questions(tmp_path / 'none.yaml')
