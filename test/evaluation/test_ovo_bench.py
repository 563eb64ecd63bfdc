# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""OVO-Bench's annotations become questions files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlmaxxing_ros.evaluation.errors import QuestionsError
from vlmaxxing_ros.evaluation.ovo_bench import convert
from vlmaxxing_ros.evaluation.questions_file import load_questions

BACKWARD = {
    'id': 0,
    'task': 'EPM',
    'video': 'Ego4D/clips/a.b.mp4',
    'realtime': 215,
    'question': 'What did I drop? ',
    'answer': 'a cup',
    'options': ['a spoon', 'a cup'],
    'gt': 1,
}
FORWARD = {
    'id': 7,
    'task': 'SSR',
    'video': 'Ego4D/clips/a.b.mp4',
    'test_info': [
        {'realtime': 9, 'step': 'cut the bread', 'type': 0},
        {'realtime': 12, 'step': 'cut the bread', 'type': 1},
    ],
}
COUNTING = {
    'id': 8,
    'task': 'REC',
    'video': 'other.mp4',
    'activity': 'jump',
    'test_info': [{'realtime': 3, 'count': 2}],
}
ENOUGH = {
    'id': 9,
    'task': 'CRR',
    'video': 'other.mp4',
    'question': 'Who came in?',
    'answer': 'Ann',
    'test_info': [{'realtime': 5, 'type': 1}],
}


def _write(tmp_path: Path, entries: object) -> Path:
    path = tmp_path / 'ovo.json'
    path.write_text(json.dumps(entries))
    return path


def test_every_video_gets_its_file_with_its_questions_in_order(tmp_path: Path) -> None:
    source = _write(tmp_path, [BACKWARD, FORWARD, COUNTING, ENOUGH])
    files = convert(source, tmp_path / 'out')
    assert [file.name for file in files] == [
        'Ego4D_clips_a.b.questions.yaml',
        'other.questions.yaml',
    ]
    early, middle, late = load_questions(files[0])
    assert (late.at, late.question) == (215.0, 'What did I drop?')
    assert (late.choices, late.answer) == (('a spoon', 'a cup'), 'a cup')
    assert [early.answer, middle.answer] == ['No', 'Yes']
    assert 'cut the bread' in early.question


def test_forward_tasks_carry_their_own_truths(tmp_path: Path) -> None:
    (file,) = convert(_write(tmp_path, [COUNTING, ENOUGH]), tmp_path / 'out')
    counting, enough = load_questions(file)
    assert (counting.choices, counting.answer) == ((), '2')
    assert 'jump' in counting.question
    assert (enough.answer, 'Who came in?' in enough.question) == ('Yes', True)


def test_repeated_options_make_a_free_question(tmp_path: Path) -> None:
    entry = BACKWARD | {'options': ['a cup', 'a cup']}
    (file,) = convert(_write(tmp_path, [entry]), tmp_path / 'out')
    assert load_questions(file)[0].choices == ()


@pytest.mark.parametrize('entries', [{}, [{'id': 1}], [BACKWARD | {'gt': 5}], ['text']])
def test_another_file_is_refused(tmp_path: Path, entries: object) -> None:
    with pytest.raises(QuestionsError):
        convert(_write(tmp_path, entries), tmp_path / 'out')
