# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Gates: limits that a user's CI can rely on."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.evaluation.errors import GateError
from vlmaxxing_ros.evaluation.gate import Gate, parse_gates

ARMS, METRICS = ('auto', 'repair:1'), ('accuracy', 'choice_drift')


def test_gates_are_read_with_and_without_an_arm() -> None:
    gates = parse_gates(
        'max_choice_drift=0.01, repair:1:min_accuracy=0.5,', arms=ARMS, metrics=METRICS
    )
    assert gates == [
        Gate('auto', 'choice_drift', 0.01, True),
        Gate('repair:1', 'accuracy', 0.5, False),
    ]


def test_a_limit_itself_is_kept_and_what_was_not_measured_is_not() -> None:
    at_most, at_least = Gate('auto', 'x', 0.5, True), Gate('auto', 'x', 0.5, False)
    assert at_most.keeps(0.5)
    assert at_least.keeps(0.5)
    assert not at_most.keeps(0.51)
    assert not at_least.keeps(0.49)
    assert not at_most.keeps(None)
    assert not at_least.keeps(float('nan'))


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('choice_drift=1', 'write'),
        ('max_choice_drift', 'write'),
        ('max_speed=1', "no metric 'speed'"),
        ('exact:max_accuracy=1', "no arm 'exact'"),
        ('max_accuracy=high', 'no number'),
    ],
)
def test_a_gate_that_means_nothing_is_refused(text: str, said: str) -> None:
    with pytest.raises(GateError, match=said):
        parse_gates(text, arms=ARMS, metrics=METRICS)
