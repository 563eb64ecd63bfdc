# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Turn OVO-Bench's annotation file into questions files, one per video.

The format is that of https://github.com/JoeLeelyf/OVO-Bench: a list of entries with `id`,
`task`, `video` and, for the backward and real-time tasks, `realtime` (s), `question`, `options`
and `gt` (index of the right option); for the forward tasks `test_info`, a list with `realtime`
and `count` (REC), `type` and `step` (SSR) or `type` (CRR).  Knows nothing of the videos.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from vlmaxxing_ros.evaluation.errors import QuestionsError
from vlmaxxing_ros.evaluation.questions_file import TimedQuestion, save_questions

_YES_NO = ('Yes', 'No')


def convert(path: Path, out: Path) -> list[Path]:
    """Write `<video name>.questions.yaml` into `out` for every video of an annotation file.

    Raises:
        QuestionsError: the file is not OVO-Bench's; the text names the entry.
    """
    try:
        entries = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise QuestionsError(f'{path} cannot be read: {error}') from error
    if not isinstance(entries, list):
        raise QuestionsError(f"{path} is not a list: give OVO-Bench's ovo_bench_new.json")
    by_video: dict[str, list[TimedQuestion]] = {}
    for number, entry in enumerate(entries):
        try:
            by_video.setdefault(_name(entry['video']), []).extend(questions_of(entry))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise QuestionsError(f'{path}, entry {number}: {error!r}') from error
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for video, questions in sorted(by_video.items()):
        file = out / f'{video}.questions.yaml'
        save_questions(file, sorted(questions, key=lambda question: question.at))
        written.append(file)
    return written


def questions_of(entry: dict[str, Any]) -> list[TimedQuestion]:
    """The questions of one annotation: one, or for a forward task one per moment."""
    name, task = f'{entry["task"]}-{entry["id"]}', str(entry['task'])
    if 'test_info' not in entry:
        options = tuple(str(option) for option in entry['options'])
        # A few annotations repeat an option: without choices it is a free question.
        choices = options if len(set(options)) == len(options) > 1 else ()
        return [
            TimedQuestion(
                id=name,
                task=task,
                at=float(entry['realtime']),
                question=str(entry['question']).strip(),
                choices=choices,
                answer=options[int(entry['gt'])],
            )
        ]
    asked = []
    for index, moment in enumerate(entry['test_info']):
        text, choices, answer = _forward(task, entry, moment)
        asked.append(
            TimedQuestion(
                id=f'{name}-{index}',
                task=task,
                at=float(moment['realtime']),
                question=text,
                choices=choices,
                answer=answer,
            )
        )
    return asked


def _forward(
    task: str, entry: dict[str, Any], moment: dict[str, Any]
) -> tuple[str, tuple[str, ...], str]:
    """Question, choices and truth of one moment of a forward task."""
    if task == 'REC':
        text = f'How many times did they {entry["activity"]} so far? Answer with a number.'
        return text, (), str(moment['count'])
    truth = _YES_NO[0] if moment['type'] else _YES_NO[1]
    if task == 'SSR':
        return f'Is this step being performed now: {moment["step"]}?', _YES_NO, truth
    if task == 'CRR':
        text = f'Has enough been seen by now to answer this: {entry["question"]}'
        return text, _YES_NO, truth
    raise ValueError(f'unknown task {task}')


def _name(video: str) -> str:
    """A file name for a video's path: its own name where that is enough."""
    return re.sub(r'[^\w.-]+', '_', Path(video).with_suffix('').as_posix().strip('/'))
