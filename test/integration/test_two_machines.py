# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Runs `two_machines.py` on a network of its own, where a second machine can be made."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.far_machine import island, why_not

TESTS = Path(__file__).with_name('two_machines.py')


def test_camera_and_node_on_two_machines(spawn: Callable[..., Any]) -> None:
    if why := why_not():
        pytest.skip(why)
    within = spawn(
        *island([sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', str(TESTS)])
    )
    assert within.wait(180.0) == 0, within.output
    assert '1 passed' in within.output
