# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The questions file: a YAML list in OVO-Bench's shape, checked entry by entry.

    - {id: q1, task: where, at: 3.5, camera: camera, question: Where is it?, answer: left,
       choices: [left, right]}

Knows nothing of recordings or models.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from vlmaxxing_ros.evaluation.errors import QuestionsError


@dataclass(frozen=True, kw_only=True)
class TimedQuestion:
    """One question at one moment.

    Attributes:
        id: unique in its file.
        task: what it tests; free text, the report groups by it.
        at: seconds after the recording's first frame; all frames up to and including this moment
            have been seen when it is asked.
        camera: which camera is asked.
        question: the text.
        choices: for a closed-set answer; empty: a free answer.
        answer: the truth; empty: not known, so that drift is measured but accuracy is not.
    """

    id: str
    at: float
    question: str
    task: str = ''
    camera: str = 'camera'
    choices: tuple[str, ...] = ()
    answer: str = ''


_FIELDS = {spec.name for spec in fields(TimedQuestion)}
_REQUIRED = ('id', 'at', 'question')


def load_questions(path: Path) -> list[TimedQuestion]:
    """Read a questions file, sorted by `at`.

    Raises:
        QuestionsError: the file cannot be read, or an entry is wrong; the text names the entry.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise QuestionsError(f'{path} cannot be read: {error}') from error
    if not isinstance(content, list) or not content:
        raise QuestionsError(f'{path} must hold a list of questions: start each with "- id: ..."')
    questions = [_parse(entry, f'{path}, entry {n}') for n, entry in enumerate(content, 1)]
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise QuestionsError(f'{path}: id {question.id!r} occurs twice: ids must differ')
        seen.add(question.id)
    return sorted(questions, key=lambda question: question.at)


def save_questions(path: Path, questions: Iterable[TimedQuestion]) -> None:
    """Write a questions file."""
    entries = [asdict(question) | {'choices': list(question.choices)} for question in questions]
    path.write_text(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True), encoding='utf-8')


def _parse(entry: Any, where: str) -> TimedQuestion:
    if not isinstance(entry, dict):
        raise QuestionsError(f'{where}: {entry!r} is not a mapping of {", ".join(sorted(_FIELDS))}')
    where = f'{where} ({entry.get("id", "no id")})'
    if unknown := sorted(str(name) for name in entry.keys() - _FIELDS):
        raise QuestionsError(
            f'{where}: unknown {", ".join(unknown)}; allowed: {", ".join(sorted(_FIELDS))}'
        )
    if missing := [name for name in _REQUIRED if name not in entry]:
        raise QuestionsError(f'{where}: {", ".join(missing)} missing')
    texts = {
        name: _text(entry[name], name, where)
        for name in ('id', 'task', 'camera', 'question', 'answer')
        if name in entry
    }
    for name in ('id', 'camera', 'question'):
        if name in texts and not texts[name].strip():
            raise QuestionsError(f'{where}: {name} is empty: fill it in')
    at = entry['at']
    if isinstance(at, bool) or not isinstance(at, (int, float)):
        raise QuestionsError(f'{where}: at is {at!r}, not seconds')
    if not (math.isfinite(at) and at >= 0):
        raise QuestionsError(f'{where}: at is {at}, not seconds since the first frame')
    listed = entry.get('choices') or []
    if not isinstance(listed, list):
        raise QuestionsError(f'{where}: choices is {listed!r}, not a list')
    choices = tuple(_text(choice, 'a choice', where) for choice in listed)
    if choices and (len(choices) < 2 or len(set(choices)) < len(choices)):
        raise QuestionsError(f'{where}: choices must be two or more different texts')
    answer = texts.get('answer', '')
    if choices and answer and answer not in choices:
        raise QuestionsError(f'{where}: the answer {answer!r} is not one of the choices')
    return TimedQuestion(at=float(at), choices=choices, **texts)


def _text(value: Any, name: str, where: str) -> str:
    if not isinstance(value, str):
        raise QuestionsError(
            f'{where}: {name} is {value!r}, not text: YAML reads yes, no and numbers as values, '
            'so put it in quotes'
        )
    return value
