# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A table of a report: heading and rows of text, the same for Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """A table of texts; `note` says how to read it."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def share(value: float | None, digits: int = 1) -> str:
    """A share in per cent."""
    return '–' if value is None else f'{100 * value:.{digits}f} %'


def points(value: float | None) -> str:
    """A difference of shares in percentage points."""
    return '–' if value is None else f'{100 * value:+.1f}'


def span(interval: list[float] | None, scale: float = 100.0) -> str:
    """An interval."""
    return '–' if interval is None else f'{scale * interval[0]:.1f} to {scale * interval[1]:.1f}'


def ms(value: float | None) -> str:
    """Seconds in milliseconds."""
    return '–' if value is None else f'{1e3 * value:.1f}'


def ratio(value: float | None) -> str:
    """A ratio."""
    return '–' if value is None else f'{value:.2f}x'


def count(value: dict[str, Any]) -> str:
    """A share and what it was counted from."""
    if not value['of']:
        return '–'
    return f'{share(value["share"])} ({value["count"]} of {value["of"]})'
