# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whatever a question and its schema hold: a question, or an INVALID_REQUEST that says why.

And whatever a message holds that the node sends: one that can be sent.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from builtin_interfaces.msg import Time
from fuzz.cases import TEXT, cases, tried
from hypothesis import example, given
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message

from vlmaxxing_msgs.srv import Query
from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.engine.families import Family, load_family
from vlmaxxing_ros.engine.families.schema_check import checking
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.ros.messages import to_answer, to_request
from vlmaxxing_ros.ros.ticket import Outcome, Status

NUMBERS = st.floats(width=32) | st.sampled_from([0.0, 1e-6, 1e10])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
WORDS = st.sampled_from(
    ['type', 'properties', 'items', 'required', 'enum', 'const', 'anyOf', 'allOf', 'pattern',
     'minLength', 'maxItems', '$ref', 'format', 'minimum', 'multipleOf', 'additionalProperties']
)  # fmt: skip
TYPES = st.sampled_from(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])
SCHEMA = st.recursive(
    JSON | TYPES,
    lambda inner: st.dictionaries(WORDS, inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=10,
)
SCHEMAS = SCHEMA.map(json.dumps) | TEXT


@st.composite
def requests(draw: st.DrawFn) -> Query.Request:
    """Requests of every kind."""
    return Query.Request(
        camera=draw(st.sampled_from(['', 'camera', 'other']) | TEXT),
        question=draw(TEXT),
        choices=draw(st.lists(TEXT, max_size=4)),
        json_schema=draw(SCHEMAS | st.just('')),
        max_tokens=draw(st.integers(-(2**31), 2**31 - 1)),
        temperature=draw(NUMBERS),
        top_p=draw(NUMBERS),
        seed=draw(st.integers(0, 2**32 - 1)),
        deadline=draw(st.floats() | NUMBERS),
        max_evidence_age=draw(st.floats() | NUMBERS),
        as_of=Time(
            sec=draw(st.integers(-(2**31), 2**31 - 1)), nanosec=draw(st.integers(0, 2**32 - 1))
        ),
    )


@cases(0.12)
@given(requests())
def test_a_request_is_a_question_or_says_why_not(message: Query.Request) -> None:
    request = to_request(message)
    question, why = tried(lambda: request.check(['camera'], 2000), InvalidRequest)
    assert why or question.text == message.question
    status = Status.INVALID_REQUEST
    answer = to_answer(Outcome(request=request, camera='camera', status=status))
    assert deserialize_message(serialize_message(answer), type(answer)) == answer


@pytest.fixture(scope='module')
def nano() -> Family:
    return load_family('nano')


def constraint(family: Family, schema: str) -> Any:
    """What a schema is turned into on the way to an answer."""
    Question(text='what?', json_schema=schema)
    for _ in checking(schema):
        pass
    return family.text.json_constraint(schema)


@cases(0.01)
@given(schema=SCHEMAS)
@example(schema='{"const": NaN}')
@example(schema='[' * 9000)
@example(schema='{"allOf": [{"pattern": "(a|b)*a"}]}')
def test_a_schema_can_be_enforced_or_is_refused(nano: Family, schema: str) -> None:
    tried(lambda: constraint(nano, schema), InvalidRequest)
