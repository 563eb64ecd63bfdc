# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Commands that are shown exist, with the options shown; what is not run here says so.

A console block that needs more than `make setup` gives stands behind a line
`<!-- not run here: why -->`.  Every other one's program is run by a test, which RUN_BY names; the
measurements (`make bench`, `python -m bench...`) are run by hand for the figures that they make.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
FRONT = ('README.md', 'CONTRIBUTING.md', 'examples/README.md')
PAGES = [*(ROOT / name for name in FRONT), *sorted((ROOT / 'docs').glob('**/*.md'))]
PAGES = [page for page in PAGES if 'api' not in page.parts]
BLOCK = re.compile(r'(?:^<!-- ([^\n]*) -->\n)?^```console\n(.*?)^```', re.M | re.S)
PROGRAMS = dict(re.findall(r"'(\w+) = ([\w.]+):\w+'", (ROOT / 'setup.py').read_text()))
# What the executables load once they are running.
PROGRAMS |= dict(
    re.findall(r"_run\('(\w+)', '([\w.]+)'", (ROOT / 'vlmaxxing_ros/commands.py').read_text())
)
RUN_BY = {
    'make demo': 'test/integration/test_demo.py: vlmaxxing_ros.demo.run',
    'vlmaxxing_doctor': 'test/ros/test_doctor.py: vlmaxxing_ros.ros.doctor',
    'vlmaxxing_top': 'test/integration/test_top.py: vlmaxxing_ros.ros.top',
    'vlmaxxing_evaluate': 'test/evaluation/test_main.py: main.main(',
    'bag_player': 'test/integration/ros_process.py: vlmaxxing_ros.ros.bag_player',
    'video_player': 'test/integration/test_video_player.py: vlmaxxing_ros.ros.video_player',
    'python examples/planner.py': 'test/integration/test_clients.py: planner.py',
    'python examples/behaviours.py': 'test/integration/test_clients.py: behaviours',
    'python examples/bag_answers.py': 'test/integration/test_clients.py: bag_answers.py',
}
# What runs the tests, or what they run in.
AROUND = ('make setup', 'make test', 'bash .ci/run')
TARGETS = set(re.findall(r'^([a-z]+):', (ROOT / 'Makefile').read_text(), re.M))


def shown(text: str) -> Iterator[str]:
    """Every command of the console blocks that are not marked."""
    for mark, block in BLOCK.findall(text):
        if not mark.startswith('not run here: '):
            yield from re.findall(r'^\$ (.*)', block.replace('\\\n', ' '), re.M)


def commands(text: str) -> Iterator[str]:
    """Those, and ours of blocks without a prompt and of the text's `code`."""
    yield from shown(text)
    for block in re.findall(r'^```(?:sh)?\n(.*?)^```', text, re.M | re.S):
        for line in map(str.strip, block.replace('\\\n', ' ').splitlines()):
            if line.split(' ', 1)[0] in PROGRAMS or line.startswith(('make ', 'python -m ')):
                yield line
    outside = re.sub(r'```.*?```', '', text, flags=re.S)
    for code in re.findall(r'`([^`\n]+)`', outside):
        first = code.split()[:1]
        if first and (first[0] in PROGRAMS or code.startswith(('make ', 'python -m '))):
            yield code


def problem(command: str) -> str:
    """What is wrong with a command; empty: nothing."""
    words = shlex.split(command, comments=True)
    program, rest = words[0], words[1:]
    if program == 'make':
        unknown = [word for word in rest if '=' not in word and word not in TARGETS]
        return f'no target {unknown}' if unknown else ''
    if program == 'bash':
        return '' if (ROOT / rest[0]).is_file() else 'no such script'
    if program == 'python' and rest[0].startswith('examples/'):
        module, rest = rest[0].removesuffix('.py').replace('/', '.'), rest[1:]
    elif program in PROGRAMS:
        module = PROGRAMS[program]
    elif words[:2] == ['python', '-m']:
        module, rest = rest[1], rest[2:]
        if not module.startswith(('bench', 'vlmaxxing_ros')):
            return ''
    else:
        return 'neither ours nor marked: put <!-- not run here: why --> before its block'
    return options_missing(module, rest)


def options_missing(module: str, words: list[str]) -> str:
    path = ROOT / Path(*module.split('.'))
    path = path / '__main__.py' if path.is_dir() else path.with_suffix('.py')
    if not path.is_file() and find_spec(module) is None:
        return f'no module {module}'
    ours = words[: words.index('--ros-args')] if '--ros-args' in words else words
    source = path.read_text()
    # Both players share their options.
    if 'vlmaxxing_ros.ros.playing import' in source:
        source += (ROOT / 'vlmaxxing_ros/ros/playing.py').read_text()
    if 'add_argument' not in source:
        return ''
    missing = [w for w in ours if w.startswith('--') and f"'{w.split('=')[0]}'" not in source]
    return f'no option {missing} in {path.name}' if missing else ''


@pytest.mark.parametrize('page', PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_shown_can_be_typed(page: Path) -> None:
    wrong = {c: why for c in commands(page.read_text()) if (why := problem(c))}
    assert wrong == {}


@pytest.mark.parametrize('page', PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_shown_is_run_by_a_test(page: Path) -> None:
    for command in shown(page.read_text()):
        if not command.startswith(AROUND):
            (where,) = [RUN_BY[known] for known in RUN_BY if f'{command} '.startswith(f'{known} ')]
            test, how = where.split(': ')
            assert how in (ROOT / test).read_text(), command


def test_a_command_that_does_not_exist_is_found_out() -> None:
    page = 'See `make tea`.\n```console\n$ vlmaxxing_doctor --cure\n$ ros2 topic list\n```\n'
    page += '<!-- not run here: needs ROS -->\n```console\n$ ros2 node list\n```\n'
    assert list(filter(problem, commands(page))) == [
        'vlmaxxing_doctor --cure',
        'ros2 topic list',
        'make tea',
    ]


def test_the_readme_s_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(), re.S)
    code = re.sub(r"load_family\('[^']*'\)", "load_family('nano')", code)
    rgb = np.zeros((112, 112, 3), np.uint8)
    exec(compile(code, 'README.md', 'exec'), {'rgb': rgb})
    assert 'answer=' in capsys.readouterr().out
