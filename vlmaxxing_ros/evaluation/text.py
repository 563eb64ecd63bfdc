# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""When two answers are the same, which choice a text means, and which texts are degenerate."""

from __future__ import annotations

from collections.abc import Sequence

REPEATS = 4
"""Times that a run of tokens must follow itself for an answer to count as degenerate."""


def normalised(text: str) -> str:
    """Lower case, single spaces, no full stop or exclamation mark at the end."""
    return ' '.join(text.lower().split()).rstrip('.! ')


def match_choice(text: str, choices: Sequence[str]) -> int:
    """Index of the choice that a free text is, -1 for none."""
    wanted = normalised(text)
    for index, choice in enumerate(choices):
        if normalised(choice) == wanted:
            return index
    return -1


def is_degenerate(text: str, tokens: Sequence[int], finish_reason: str) -> bool:
    """Whether an answer is empty, cut off at the token limit, or goes round in circles.

    In circles: some run of one to four tokens follows itself `REPEATS` times or more.
    """
    if not text.strip() or finish_reason == 'length':
        return True
    for size in range(1, 5):
        repeats = 1
        for start in range(size, len(tokens) - size + 1, size):
            same = tokens[start : start + size] == tokens[start - size : start]
            repeats = repeats + 1 if same else 1
            if repeats >= REPEATS:
                return True
    return False
