# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The documentation builds without a warning, and its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip('sphinx', reason='sphinx comes from requirements/docs.in')

ROOT = Path(__file__).resolve().parents[2]
FRONT = ('README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'QUALITY_DECLARATION.md', 'llms.txt')


@pytest.fixture(scope='module')
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('site')
    command = [sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going', ROOT / 'docs', out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_every_page_is_reached_from_the_first(site: Path) -> None:
    index = (site / 'index.html').read_text()
    for page in (ROOT / 'docs').glob('**/*.md'):
        name = page.relative_to(ROOT / 'docs').with_suffix('.html')
        if name.name != 'index.html':
            assert f'href="{name}"' in index, name


def test_the_reference_has_signatures_and_docstrings(site: Path) -> None:
    text = (site / 'api' / 'vlmaxxing_ros.engine.seeing.html').read_text()
    assert 'id="vlmaxxing_ros.engine.seeing.frame.Frame.from_image"' in text
    assert 'An RGB frame on the model’s block grid.' in text


def test_the_interfaces_are_those_of_the_sources(site: Path) -> None:
    text = (site / 'api' / 'interfaces.html').read_text()
    for kind in ('msg', 'srv', 'action'):
        for path in (ROOT / 'vlmaxxing_msgs' / kind).glob(f'*.{kind}'):
            assert f'{kind}/{path.stem}' in text


def links(text: str) -> Iterator[str]:
    without_code = re.sub(r'```.*?```', '', text, flags=re.S)
    yield from re.findall(r'\]\(([^)#\s]+)', without_code)


@pytest.mark.parametrize('name', FRONT)
def test_a_front_page_s_links_lead_to_files(name: str) -> None:
    for link in links((ROOT / name).read_text()):
        if '://' not in link:
            assert (ROOT / link).exists(), link


def test_the_readme_is_short_and_begins_with_the_picture() -> None:
    lines = (ROOT / 'README.md').read_text().splitlines()
    assert len(lines) <= 150
    assert 'looking.gif' in lines[2]
