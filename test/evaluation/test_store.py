# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A stored result is found again only where it would come out again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vlmaxxing_ros.evaluation import store
from vlmaxxing_ros.evaluation.machine import machine
from vlmaxxing_ros.evaluation.replay import ArmRun
from vlmaxxing_ros.evaluation.store import Store, sources


def test_a_result_is_found_again(arm_run: Callable[..., ArmRun], tmp_path: Path) -> None:
    run = arm_run([])
    saved = Store(tmp_path)
    assert saved.load(saved.path('auto', 'table', 'inputs')) is None
    saved.save(saved.path('auto', 'table', 'inputs'), run)
    again = Store(tmp_path)
    assert again.load(again.path('auto', 'table', 'inputs')) == run
    assert again.load(again.path('auto', 'table', 'other inputs')) is None


@pytest.mark.parametrize('part', ['mlx', 'mlx_vlm', 'device'])
def test_a_result_of_another_version_or_device_is_not_found(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Store(tmp_path).path('auto', 'table', 'inputs')
    monkeypatch.setattr(store, 'machine', lambda: machine() | {part: 'another'})
    assert Store(tmp_path).path('auto', 'table', 'inputs') != before


def test_a_result_hangs_on_every_module_of_ours_that_an_evaluation_loads() -> None:
    listing = (
        'import sys, vlmaxxing_ros.evaluation.main, vlmaxxing_ros.evaluation.arms.stock\n'
        'for name, module in list(sys.modules.items()):\n'
        '    if name.startswith("vlmaxxing_ros."): print(module.__file__)\n'
    )
    done = subprocess.run([sys.executable, '-c', listing], capture_output=True, text=True)
    loaded = {Path(line) for line in done.stdout.splitlines()}
    assert any(path.name == 'images.py' for path in loaded), done.stderr
    empty = {path for path in loaded if path.parent.name == 'ros' and path.name == '__init__.py'}
    assert loaded - empty <= set(sources())
