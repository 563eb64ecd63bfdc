# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The Fast DDS profile is used unless the user has chosen one."""

from __future__ import annotations

import os

import pytest

pytest.importorskip('ament_index_python', reason='needs ament_index_python')

from vlmaxxing_ros.ros.dds import VARIABLES, profile, use_profile


@pytest.fixture(autouse=True)
def no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, '')


def test_the_profile_is_found_and_made_for_large_images() -> None:
    file = profile()
    assert file is not None
    assert '<segment_size>67108864</segment_size>' in file.read_text()


def test_the_profile_is_found_without_an_ament_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)
    assert profile() is not None


def test_both_variables_are_set() -> None:
    use_profile()
    assert [os.environ[variable] for variable in VARIABLES] == [str(profile())] * 2


@pytest.mark.parametrize('variable', VARIABLES)
def test_what_the_user_has_chosen_stays(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, '/mine.xml')
    use_profile()
    others = [name for name in VARIABLES if name != variable]
    assert os.environ[variable] == '/mine.xml'
    assert [os.environ[name] for name in others] == ['']
