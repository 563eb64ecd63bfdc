# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The interface files of vlmaxxing_msgs: documented, consistent, generated as written."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

MSGS = Path(__file__).resolve().parents[1] / 'vlmaxxing_msgs'
FILES = sorted(path for kind in ('msg', 'srv', 'action') for path in (MSGS / kind).iterdir())


def _sections(path: Path) -> list[list[str]]:
    """The parts between `---`, as lines without blank ones and comments of a whole line."""
    parts = re.split(r'^---$', path.read_text(), flags=re.M)
    return [[line for line in part.splitlines() if re.match(r'\w', line)] for part in parts]


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_every_field_and_constant_is_in_ros_style_and_has_a_comment(path: Path) -> None:
    for line in chain.from_iterable(_sections(path)):
        declaration, _, comment = line.partition('#')
        name = declaration.split()[1]
        constant = r'[A-Z][A-Z0-9_]*=\w+'
        assert re.fullmatch(f'{constant}|[a-z][a-z0-9]*(_[a-z0-9]+)*', name), line
        assert comment.strip(), line


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_every_number_says_its_unit(path: Path) -> None:
    units = r'\bs\b|\bHz\b|\[0\.\.1\]|ratio|dimensionless|frames|nats'
    for line in chain.from_iterable(_sections(path)):
        if line.startswith('float'):
            assert re.search(units, line.partition('#')[2]), line


def test_ask_takes_what_query_takes_and_both_return_one_answer() -> None:
    request, response = _sections(MSGS / 'srv' / 'Query.srv')
    goal, result, _ = _sections(MSGS / 'action' / 'Ask.action')
    assert goal == request
    assert result == response
    assert [line.split()[:2] for line in result] == [['vlmaxxing_msgs/Answer', 'answer']]


def test_cmake_generates_every_interface_file() -> None:
    named = re.findall(r'"((?:msg|srv|action)/\w+\.\w+)"', (MSGS / 'CMakeLists.txt').read_text())
    assert sorted(named) == sorted(path.relative_to(MSGS).as_posix() for path in FILES)


def test_the_statuses_count_up_from_ok() -> None:
    text = (MSGS / 'msg' / 'Answer.msg').read_text()
    statuses = dict(re.findall(r'^uint8 ([A-Z_]+)=(\d+)', text, re.M))
    assert list(statuses)[:2] == ['OK', 'NO_EVIDENCE']
    assert list(statuses)[-1] == 'INVALID_ANSWER'
    assert [int(value) for value in statuses.values()] == list(range(10))


def test_an_answer_survives_serialisation_with_its_floats_whole() -> None:
    from rclpy.serialization import deserialize_message, serialize_message

    from vlmaxxing_msgs.msg import Answer

    answer = Answer(question='où?', choice_index=-1, choice_probabilities=[0.1, 0.9], latency=0.1)
    answer.finish_reason = Answer.FINISH_CHOICE
    assert deserialize_message(serialize_message(answer), Answer) == answer
    assert answer.finish_reason == 'choice'
