# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Constrained decoding: only tokens that can still satisfy a JSON schema, by llguidance.

Knows the tokenizer and the schema; knows nothing of the model.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import llguidance
import llguidance.hf
import llguidance.numpy
import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.errors import InvalidRequest


def read_vocabulary(tokenizer: Any) -> llguidance.LLTokenizer:
    """A tokenizer's vocabulary as llguidance needs it: seconds of work for a large one."""
    return llguidance.hf.from_tokenizer(tokenizer)


class JsonConstraint:
    """One answer's constraint, advanced token by token.

    Args:
        vocabulary: of the model, from `read_vocabulary`.
        schema: JSON, as text.

    Raises:
        InvalidRequest: the schema is not valid JSON, or not a schema that can be enforced.
    """

    def __init__(self, vocabulary: llguidance.LLTokenizer, schema: str) -> None:
        try:
            grammar = llguidance.LLMatcher.grammar_from_json_schema(
                schema, overrides={'whitespace_flexible': False}
            )
        except ValueError as error:
            raise InvalidRequest(f'json_schema cannot be used: {error}') from error
        self._matcher = llguidance.LLMatcher(vocabulary, grammar)
        if self._matcher.is_error():
            raise InvalidRequest(f'json_schema cannot be used: {self._matcher.get_error()}')
        self._bits = llguidance.numpy.allocate_token_bitmask(1, vocabulary.vocab_size)

    def mask(self, logits: mx.array) -> mx.array:
        """Logits (float [vocabulary]) with every token that is not allowed at -inf."""
        llguidance.numpy.fill_next_token_bitmask(self._matcher, self._bits, 0)
        bits = np.unpackbits(self._bits[0].view(np.uint8), bitorder='little').astype(bool)
        allowed = np.zeros(logits.shape[-1], bool)
        count = min(len(bits), len(allowed))
        allowed[:count] = bits[:count]
        return mx.where(mx.array(allowed), logits, -mx.inf)

    @property
    def failed(self) -> bool:
        """Whether it has given up: what it lets through from then on means nothing."""
        return bool(self._matcher.is_error())

    def satisfied(self, text: str) -> bool:
        """Whether an answer that has ended is JSON, and all that the schema asks for."""
        if self.failed or not (self._matcher.is_accepting() or self._matcher.is_stopped()):
            return False
        with suppress(ValueError, RecursionError):
            json.loads(text)
            return True
        return False

    def accept(self, token: int) -> bool:
        """Advance by a token that was allowed; True when nothing may follow it."""
        self._matcher.consume_token(token)
        return bool(self._matcher.is_stopped())
