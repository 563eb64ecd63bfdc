# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Rows that go through a model, counted where it computes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlx.core as mx

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.families.base import Features, Rows


@contextmanager
def counting_rows(family: Family) -> Iterator[list[int]]:
    """How many rows each call of the model inside the `with` block has."""
    counted: list[int] = []
    original = family.hidden

    def counting(rows: Rows, features: Features | None, cache: list[Any]) -> mx.array:
        counted.append(len(rows))
        return original(rows, features, cache)

    family.hidden = counting
    try:
        yield counted
    finally:
        del family.hidden
