# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How many cases each test draws: `FUZZ_CASES` of them all together, as `make fuzz` sets it.

In the test run they are few and always the same.  What ever failed stands beside its test as
`@example`: that is the corpus, and it is tried every time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

pytest.importorskip('hypothesis', reason='comes with make setup')

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

T = TypeVar('T', bound=Callable[..., None])

_FEW = 400
_TOTAL = int(os.environ.get('FUZZ_CASES', _FEW))


def cases(share: float) -> Callable[[T], T]:
    """This share of all cases for one test."""
    fixed = _TOTAL <= _FEW
    options = {'database': None} if fixed else {}
    return settings(
        max_examples=max(5, round(share * _TOTAL)),
        deadline=None,
        derandomize=fixed,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        **options,
    )


def tried(call: Callable[[], Any], refusal: type[Exception]) -> tuple[Any, str]:
    """What comes of a call, or the words with which it is refused; any other error is a fault."""
    try:
        return call(), ''
    except refusal as error:
        if not str(error).strip():
            raise AssertionError('refused without a word') from error
        return None, str(error)


TEXT = st.text(st.characters(exclude_categories=('Cs',), exclude_characters='\0'), max_size=60)
"""What a ROS message can carry: no halves of characters, and no zero, at which C ends a text."""

SPAN = st.tuples(st.integers(0, 1 << 16), st.binary(max_size=8))
"""Where to write what; places beyond the end count from the beginning again."""


def damaged(data: bytes, cut: int | None, writes: list[tuple[int, bytes]]) -> bytes:
    """Bytes with some of them replaced, then cut off."""
    changed = bytearray(data)
    for place, new in writes:
        at = place % max(1, len(changed))
        changed[at : at + len(new)] = new
    return bytes(changed if cut is None else changed[: cut % (len(changed) + 1)])


DAMAGE = st.builds(
    lambda cut, writes: (cut, writes),
    st.none() | st.integers(0, 1 << 20),
    st.lists(SPAN, max_size=6),
)
