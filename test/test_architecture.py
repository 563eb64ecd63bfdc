# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""docs/architecture.md is a map of the folders that there are, and imports run one way."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'vlmaxxing_ros'
ENGINE = PACKAGE / 'engine'
PAGE = ROOT / 'docs' / 'architecture.md'
BESIDE = ('bench', 'config', 'docs', 'examples', 'launch', 'test', 'vlmaxxing_msgs')
ORDER = ('seeing', 'families', 'cache', 'answering', 'stream')
LONGEST = 350  # lines


def map_of(text: str) -> list[str]:
    """The folders that a page's tables name in their first column."""
    return re.findall(r'^\| `([\w/]+)/` \|', text, re.M)


def folders() -> set[str]:
    """Every folder of the package, and those beside it that are on the map."""
    found = {PACKAGE, *(path for path in PACKAGE.rglob('*') if path.is_dir())}
    ours = {path for path in found if '__pycache__' not in path.parts and any(path.iterdir())}
    return {str(path.relative_to(ROOT)) for path in ours} | set(BESIDE)


def imports(path: Path) -> Iterator[str]:
    """Names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            yield node.module or ''
            # A module may be imported from its package.
            yield from (f'{node.module}.{name.name}' for name in node.names)


def problems(page: str, there: set[str]) -> list[str]:
    """What is wrong with a map; empty: nothing."""
    named = map_of(page)
    twice = {name for name in named if named.count(name) > 1}
    return sorted(
        [f'{name} is not on the page' for name in there - set(named)]
        + [f'{name} is not there' for name in set(named) - there]
        + [f'{name} is there twice' for name in twice]
    )


def test_the_map_names_every_folder_and_no_other() -> None:
    assert problems(PAGE.read_text(encoding='utf-8'), folders()) == []


def test_a_wrong_map_is_noticed() -> None:
    page = '| `a/` | one |\n| `a/b/` | two |\n| `c/` | three |\n| `c/` | again |\n'
    assert problems(page, {'a', 'a/b', 'd'}) == [
        'c is not there',
        'c is there twice',
        'd is not on the page',
    ]


def test_the_files_that_the_page_names_are_there() -> None:
    names = set(re.findall(r'`([\w/]+\.py)`', PAGE.read_text(encoding='utf-8')))
    assert len(names) > 20
    missing = [
        name for name in names if not any((b / name).is_file() for b in (PACKAGE, ENGINE, ROOT))
    ]
    assert missing == []


@pytest.mark.parametrize('folder', ['engine', 'ros'])
def test_no_file_is_too_long(folder: str) -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding='utf-8').splitlines())
        for path in (PACKAGE / folder).rglob('*.py')
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize('folder', ORDER)
def test_left_never_imports_from_right(folder: str) -> None:
    right = ORDER[ORDER.index(folder) + 1 :]
    wrong = [
        f'{path.relative_to(ROOT)}: {name}'
        for path in sorted((ENGINE / folder).rglob('*.py'))
        for name in imports(path)
        if name == 'vlmaxxing_ros.engine'  # it would import the rest, late
        or name.startswith(tuple(f'vlmaxxing_ros.engine.{other}' for other in right))
    ]
    assert wrong == []


def test_what_all_folders_share_imports_from_none_of_them() -> None:
    for path in ENGINE.glob('*.py'):
        if path.name == '__init__.py':  # it names them for type checkers, and imports them late
            continue
        for name in imports(path):
            assert not name.startswith(tuple(f'vlmaxxing_ros.engine.{f}' for f in ORDER)), path


def test_engine_knows_nothing_of_ros_nor_seeing_of_models() -> None:
    for path in ENGINE.rglob('*.py'):
        for name in imports(path):
            assert name.partition('.')[0] not in ('rclpy', 'vlmaxxing_msgs'), path
            assert not name.startswith('vlmaxxing_ros.ros'), path
    for path in (ENGINE / 'seeing').rglob('*.py'):
        for name in imports(path):
            assert name.partition('.')[0] not in ('mlx', 'mlx_vlm'), path


def test_seeing_and_questions_load_neither_mlx_nor_rclpy() -> None:
    seeing = [f'seeing.{path.stem}' for path in sorted((ENGINE / 'seeing').glob('[a-z]*.py'))]
    names = [f'vlmaxxing_ros.engine.{name}' for name in ('errors', 'question', 'config', *seeing)]
    script = (
        'import importlib, sys\n'
        f'for name in {names!r}: importlib.import_module(name)\n'
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(loaded & {'mlx', 'mlx_vlm', 'rclpy', 'vlmaxxing_msgs'}))\n"
    )
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ''


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for root in ('vlmaxxing_ros', 'bench', 'test'):
        for path in (ROOT / root).rglob('*.py'):
            for name in re.findall(r'^class (\w+)', path.read_text(encoding='utf-8'), re.M):
                places.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert len(places) > 200
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
