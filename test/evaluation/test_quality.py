# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Accuracy, drift and staleness, on results made by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vlmaxxing_ros.evaluation.first_token import pack
from vlmaxxing_ros.evaluation.pairing import pairs
from vlmaxxing_ros.evaluation.quality import (
    accuracy,
    change_to_correct,
    divergences,
    drift,
    failures,
    staleness,
)
from vlmaxxing_ros.evaluation.replay import ArmRun, AskedQuestion

Ask, Run = Callable[..., AskedQuestion], Callable[..., ArmRun]


def test_accuracy_is_paired_question_by_question(asked: Ask, arm_run: Run) -> None:
    ours = arm_run(
        [
            asked('a', answer='Left.'),
            asked('b', answer='right'),
            asked('c', answer='left'),
            asked('d', answer='what', truth=''),
        ]
    )
    dense = arm_run([asked('a'), asked('b'), asked('c', answer='right'), asked('d', truth='')])
    figures = accuracy(pairs([ours], [dense]))
    assert (figures['questions'], figures['right']) == (3, 2)
    assert (figures['gained'], figures['lost'], figures['difference']) == (1, 1, 0.0)
    assert figures['by_task']['where']['dense'] == pytest.approx(2 / 3)
    low, high = figures['difference_interval']
    assert low < 0 < high


def test_questions_without_a_truth_have_drift_but_no_accuracy(asked: Ask, arm_run: Run) -> None:
    ours = arm_run([asked('a', truth='', answer='up')])
    paired = pairs([ours], [arm_run([asked('a', truth='')])])
    assert accuracy(paired) == {'questions': 0}
    assert drift(paired)['answer']['share'] == 1.0
    assert drift(paired)['correctness']['share'] is None


def test_drift_counts_choices_tokens_and_correctness_apart(asked: Ask, arm_run: Run) -> None:
    ours = arm_run(
        [
            asked('token', token_ids=[1, 3]),
            asked('same'),
            asked('choice', closed=True, choice_index=1, answer='right', window=[1]),
            asked('unparsed', closed=True, parsed=False, answer='?'),
        ]
    )
    dense = arm_run(
        [
            asked('token'),
            asked('same'),
            asked('choice', closed=True, choice_index=0),
            asked('unparsed', closed=True, choice_index=0),
        ]
    )
    figures = drift(pairs([ours], [dense]))
    assert (figures['token']['count'], figures['token']['of']) == (1, 2)
    assert (figures['choice']['count'], figures['choice']['of']) == (1, 1)
    assert (figures['correctness']['count'], figures['answer']['count']) == (2, 2)
    assert figures['windows_unlike_dense'] == 1
    assert failures(ours.questions)['parse']['share'] == 0.5


def test_divergence_is_measured_where_both_show_their_logits(asked: Ask, arm_run: Run) -> None:
    even, odd = (pack(np.log(np.array(p))) for p in ([0.5, 0.5], [0.25, 0.75]))
    ours = [asked('a', first_token=odd), asked('b', first_token=even), asked('stock')]
    dense = [asked('a', first_token=even), asked('b', first_token=even), asked('stock')]
    figures = divergences(pairs([arm_run(ours)], [arm_run(dense)]))
    expected = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    assert figures['questions'] == 2
    assert figures['max'] == pytest.approx(expected, rel=1e-5)
    assert figures['mean'] == pytest.approx(expected / 2, rel=1e-5)
    assert divergences(pairs([arm_run([asked('x')])], [arm_run([asked('x')])])) == {'questions': 0}


def test_a_stale_answer_is_wrong_now_and_was_right_before(asked: Ask, arm_run: Run) -> None:
    run = arm_run(
        [
            asked('a', at=1.0, truth='left', answer='left'),
            asked('b', at=2.0, truth='right', answer='left'),
            asked('c', at=3.0, truth='right', answer='top'),
            asked('d', at=4.0, truth='left', answer='left'),
            asked('other', at=4.0, text='Who?', truth='ann', answer='left'),
        ]
    )
    assert (staleness([run])['count'], staleness([run])['of']) == (1, 3)


def test_the_time_from_a_change_to_the_right_answer(asked: Ask, arm_run: Run) -> None:
    run = arm_run(
        [
            asked('a', at=1.0, truth='left', answer='left'),
            asked('b', at=2.0, truth='right', answer='left'),
            asked('c', at=3.5, truth='right', answer='right', latency=0.25),
            asked('d', at=5.0, truth='top', answer='left'),
            asked('e', at=6.0, truth='left', answer='left', latency=0.25),
        ]
    )
    figures = change_to_correct([run])
    assert [figures[key] for key in ('changes', 'at_once', 'later', 'never')] == [3, 1, 1, 1]
    assert figures['p50'] == pytest.approx((1.75 + 0.25) / 2)
