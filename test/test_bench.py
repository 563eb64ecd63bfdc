# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Measurements are run by hand: here only that they find what they import."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[1] / 'bench'


@pytest.mark.parametrize('name', sorted(path.stem for path in BENCH.glob('[a-z]*.py')))
def test_every_measurement_finds_what_it_imports(name: str) -> None:
    importlib.import_module(f'bench.{name}')
