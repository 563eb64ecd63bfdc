# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The command from end to end: reports, resuming, gates, drafts."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.loading import NANO
from vlmaxxing_ros.evaluation import evaluate, main
from vlmaxxing_ros.evaluation.questions_file import load_questions
from vlmaxxing_ros.evaluation.report import SCHEMA

ARMS = 'deltas,screenshot'
Run = Callable[..., int]
DOCS = Path(__file__).parents[2] / 'docs'


@pytest.fixture
def run(
    family: Family,
    recording: Path,
    questions_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """`run('--arms', 'exact')`: the command on the short recording, around the tiny model."""
    monkeypatch.setattr(main, 'load_family', lambda *_: family)

    def call(*extra: str) -> int:
        given = [recording, '--questions', questions_file, '--out', tmp_path / 'out']
        setting = ['--set', 'max_tokens=4', 'keyframe_interval=0.5']
        return main.main([*map(str, given), *setting, *extra])

    return call


def test_the_three_reports_say_the_same(run: Run, tmp_path: Path) -> None:
    assert run('--arms', ARMS, '--gate', 'auto:max_choice_drift=1') == 0
    out = tmp_path / 'out'
    report = json.loads((out / 'report.json').read_text())
    assert report['schema'] == SCHEMA
    assert list(report['arms']) == ['auto', 'dense', 'deltas', 'screenshot']
    assert report['recordings'][0] | {'name': ''} == {
        'name': '',
        'frames': 25,
        'seconds': 4.8,
        'blocks': 16,
        'questions': 6,
        'dropped': {},
        'remarks': [],
    }
    markdown, page = (out / 'report.md').read_text(), (out / 'report.html').read_text()
    for text in (markdown, page):
        for title in ('Accuracy', 'Drift', 'First question', 'Live question', 'Warm follow-up'):
            assert title in text
        assert 'kept: auto: choice_drift at most 1' in text


def test_the_page_is_whole_and_asks_the_network_for_nothing(run: Run, tmp_path: Path) -> None:
    run('--arms', ARMS)
    page = (tmp_path / 'out' / 'report.html').read_text()
    links = re.findall(r'(?:src|href)="([^"]{0,40})', page)
    assert links
    assert all(link.startswith(('data:', '#')) for link in links)
    assert 'data:image/webp' in page
    assert '<script' not in page
    assert _Balance().left_open(page) == []


class _Balance(HTMLParser):
    """Tells which tags were never closed."""

    _VOID = ('meta', 'img', 'br', 'path', 'use')

    def left_open(self, page: str) -> list[str]:
        """Feed the page and look what is left."""
        self.stack: list[str] = []
        self.feed(page)
        return self.stack

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Open."""
        if tag not in self._VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close."""
        if tag not in self._VOID:
            assert self.stack.pop() == tag


def test_finished_arms_are_not_run_again(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run('--arms', 'screenshot')
    before = (tmp_path / 'out' / 'report.json').read_text()
    started: list[str] = []
    replay = evaluate.replay

    def counted(make: object, name: str, *rest: object, **more: object) -> object:
        started.append(name)
        return replay(make, name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(evaluate, 'replay', counted)
    run('--arms', 'screenshot')
    assert started == ['screenshot']  # the warm-up
    assert (tmp_path / 'out' / 'report.json').read_text() == before
    run('--arms', 'screenshot,low_fps')
    assert started[2:] == ['low_fps']


def test_a_broken_gate_and_a_wrong_call_have_exit_statuses_of_their_own(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run('--arms', '', '--gate', 'min_accuracy=1') == 1
    assert 'BROKEN: auto: accuracy at least 1' in capsys.readouterr().err
    for wrong in (('--gate', 'max_luck=1'), ('--arms', 'magic'), ('--set', 'speed=9')):
        assert run(*wrong) == 2
        assert 'vlmaxxing_evaluate: ' in capsys.readouterr().err
    assert main.main([]) == 2


@pytest.mark.parametrize(
    ('file', 'content', 'reason'),
    [
        ('preprocessor_config.json', None, 'holds no preprocessor_config.json'),
        ('chat_template.jinja', '{% for message in %}', 'chat template cannot be rendered'),
        ('model.safetensors.index.json', '{"weight_map": {"a": "b.safetensors"}}', 'lacks b.safe'),
    ],
)
def test_a_folder_that_is_no_model_is_one_clear_line(
    recording: Path,
    questions_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    content: str | None,
    reason: str,
) -> None:
    folder = Path(shutil.copytree(NANO, tmp_path / 'model'))
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    given = [recording, '--questions', questions_file, '--out', tmp_path / 'out', '--arms', '']
    assert main.main([*map(str, given), '--model', str(folder)]) == 2
    (line,) = [
        line for line in capsys.readouterr().err.splitlines() if 'vlmaxxing_evaluate: ' in line
    ]
    assert reason in line


def test_a_draft_is_a_questions_file(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / 'draft.yaml'
    given = [str(recording), '--questions', str(path), '--draft', 'What do you see?']
    assert main.main(given) == 0
    questions = load_questions(path)
    assert len(questions) > 1
    assert {q.question for q in questions} == {'What do you see?'}
    assert main.main(given) == 2  # it would overwrite the first


def test_the_report_s_shape_is_documented(run: Run, tmp_path: Path) -> None:
    run('--arms', ARMS, '--gate', 'max_answer_drift=1')
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    documented = (DOCS / 'evaluation.md').read_text()
    assert f'`{SCHEMA}`' in documented
    for name in _names(report):
        assert f'`{name}`' in documented, name


def _names(value: object, skip: tuple[str, ...] = ('config', 'by_task')) -> set[str]:
    """Every key of the report; those that are data, not shape, left out."""
    found: set[str] = set()
    if isinstance(value, list):
        return set().union(*map(_names, value)) if value else found
    if isinstance(value, dict):
        for key, item in value.items():
            found.add(key)
            if key not in skip:
                found |= _names(item)
    arms = {'auto', 'dense', 'deltas', 'screenshot'}
    return found - (arms - {'dense'}) - {'1', '2', '5', '10', '50'}
