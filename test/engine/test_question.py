# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Questions that cannot be asked are refused before any model sees them."""

from __future__ import annotations

from typing import Any

import pytest

from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.engine.question import Question


@pytest.mark.parametrize('schema', ['[1,2]', '3', 'null', 'true', '"object"', ' [ ] '])
def test_json_that_is_no_object_is_no_schema(schema: str) -> None:
    with pytest.raises(InvalidRequest, match='json_schema must be an object'):
        Question(text='What?', json_schema=schema)


@pytest.mark.parametrize('schema', ['{"type": ', 'NaN', '{"a": Infinity}', '[' * 9000, '1' * 9000])
def test_what_is_not_json_is_no_schema(schema: str) -> None:
    with pytest.raises(InvalidRequest, match='json_schema is not JSON'):
        Question(text='What?', json_schema=schema)


@pytest.mark.parametrize(
    ('fields', 'said'),
    [
        ({'stop': ('.', '')}, 'a stop text is empty'),
        ({'stop': ('.',), 'choices': ('yes', 'no')}, 'stop is for free text'),
        ({'stop': ('.',), 'json_schema': '{}'}, 'stop is for free text'),
    ],
)
def test_stop_texts_that_stop_nothing_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        Question(text='What?', **fields)


def test_an_object_is_left_to_the_model() -> None:
    assert Question(text='What?', json_schema='{"type": "nothing known"}').json_schema
