# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Style as a test, so that `colcon test` sees it too: flake8's, isort's and pep257's rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytest.importorskip('ruff', reason='ruff comes from requirements/dev.in')


@pytest.mark.parametrize('arguments', [('check',), ('format', '--check')])
def test_ruff_has_nothing_to_say(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, '-m', 'ruff', *arguments, '--no-cache', '--quiet']
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
