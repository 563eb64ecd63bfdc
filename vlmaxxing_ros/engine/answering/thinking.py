# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Thoughts before an answer: decoded, bounded, and left out of it.

A thought is one token per step, so that its thread can look after the cameras in between.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import mlx.core as mx

from vlmaxxing_ros.engine.cache.fork import Fork
from vlmaxxing_ros.engine.families.text import ChatText


def think(
    fork: Fork,
    text: ChatText,
    logits: mx.array,
    sample: Callable[[mx.array], int],
    budget: int,
) -> Generator[None, None, mx.array]:
    """Let the model think, if it is to; yields between two tokens.

    Args:
        fork: the question's branch, which the thought is appended to.
        text: the model's.
        logits: float [vocabulary], after the question.
        sample: draws a token from logits.
        budget: tokens it may think, after which its thought is closed; 0: none, -1: any number.

    Returns:
        The logits from which the answer is decoded.
    """
    if not (budget and text.can_think):
        return logits
    if not text.thought_is_open:
        if (token := sample(logits)) != text.thought_begin:
            return logits
        logits = fork.extend([token])
    spent = 0
    while spent != budget:
        token = sample(logits)
        if token in text.end_ids:
            return logits  # it ends without an answer
        if token == text.thought_end:
            return fork.extend([token, *text.control_ids(text.prompts.thought.gap)])
        logits = fork.extend([token])
        spent += 1
        yield None
    thought = text.prompts.thought
    return fork.extend(text.control_ids(thought.closing + thought.gap))
