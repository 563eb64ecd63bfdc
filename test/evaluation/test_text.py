# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Which texts are the same, and which are of no use."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.evaluation.text import is_degenerate, match_choice, normalised


def test_case_spaces_and_a_full_stop_do_not_matter() -> None:
    assert normalised('  Top   LEFT. ') == normalised('top left')


def test_a_text_is_matched_to_the_choice_that_it_is_and_to_no_part_of_one() -> None:
    choices = ('left', 'top left')
    assert match_choice('Top left.', choices) == 1
    assert match_choice('it is left', choices) == -1


@pytest.mark.parametrize(
    ('text', 'tokens', 'reason'),
    [
        ('', [], 'stop'),
        ('so it goes on', [1, 2, 3, 4], 'length'),
        ('a a a a', [5, 5, 5, 5], 'stop'),
        ('red blue red blue', [9, 1, 2, 1, 2, 1, 2, 1, 2, 1], 'stop'),
    ],
)
def test_empty_endless_and_circling_answers_are_degenerate(
    text: str, tokens: list[int], reason: str
) -> None:
    assert is_degenerate(text, tokens, reason)


def test_an_answer_may_repeat_itself_a_little() -> None:
    assert not is_degenerate('red left blue left', [1, 2, 3, 2], 'stop')
    assert not is_degenerate('no no no', [7, 7, 7], 'stop')
