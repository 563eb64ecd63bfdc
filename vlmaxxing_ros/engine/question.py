# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A question, and what comes of it: tokens, evidence, an answer.

Knows nothing of models or caches, and needs none of their libraries.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vlmaxxing_ros.engine.errors import InvalidRequest


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked, and how; see Query.srv for every field's meaning and unit."""

    text: str
    choices: tuple[str, ...] = ()
    json_schema: str = ''
    stop: tuple[str, ...] = ()
    max_tokens: int = 0
    temperature: float = 0.0
    top_p: float = 0.0
    seed: int = 0
    as_of: int = 0
    cameras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InvalidRequest('the question is empty: ask something')
        if self.choices:
            if len(self.choices) < 2 or len(set(self.choices)) < len(self.choices):
                raise InvalidRequest('choices must be two or more different texts')
            if not all(choice.strip() for choice in self.choices):
                raise InvalidRequest('a choice is empty: leave it out or write it')
            if self.json_schema:
                raise InvalidRequest('choices and json_schema exclude each other: give one')
        if not all(self.stop):
            raise InvalidRequest('a stop text is empty: leave it out or write it')
        if self.stop and (self.choices or self.json_schema):
            raise InvalidRequest('stop is for free text: leave it out with choices or json_schema')
        if self.json_schema:
            _check_schema(self.json_schema)
        if self.max_tokens < 0:
            raise InvalidRequest(f'max_tokens must not be negative: {self.max_tokens}')
        if not (math.isfinite(self.temperature) and self.temperature >= 0.0):
            raise InvalidRequest(f'temperature must be 0 or more: {self.temperature}')
        if not 0.0 <= self.top_p <= 1.0:
            raise InvalidRequest(f'top_p must be between 0 and 1: {self.top_p}')
        if len(set(self.cameras)) < len(self.cameras):
            raise InvalidRequest('cameras must be different: name each of them once')
        if len(self.cameras) > 1 and self.as_of:
            raise InvalidRequest('as_of is about one camera: leave it empty, or name one camera')


def _check_schema(text: str) -> None:
    """Refuse what is no JSON schema for any model: whatever else is wrong with it, its model says.

    Raises:
        InvalidRequest: not JSON, nested too deeply, or JSON that is no object.
    """
    try:
        schema = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f'json_schema is not JSON: {error}') from error
    if not isinstance(schema, dict):
        raise InvalidRequest(
            f'json_schema must be an object such as {{"type": "string"}}, not {text.strip()[:40]}'
        )


def _refuse(constant: str) -> None:
    raise ValueError(f'{constant} is none of its numbers')


@dataclass(frozen=True)
class Token:
    """One decoded token.

    Attributes:
        text: decoded so far; `token_text` is what this one added to it.
        token_count: how many there are.
        time_to_first_token: seconds from the question to the first of them.
    """

    text: str
    token_text: str
    token_count: int
    time_to_first_token: float


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a question is answered from; see Answer.msg for every field's meaning and unit.

    Attributes:
        newest_stamp: of the newest image that it fully accounts for.
        age: seconds since that stamp when it was fixed.
        rows_paid: rows that went through the model for it.
    """

    oldest_stamp: int
    newest_stamp: int
    frame_id: str
    oldest_block_age: float
    exact: bool
    blocks_owed: int = 0
    age: float = 0.0
    rows_paid: int = 0


def joint(parts: Sequence[Evidence]) -> Evidence:
    """What several cameras' evidence is worth together: no more than the least of it."""
    return replace(
        min(parts, key=lambda part: part.newest_stamp),
        oldest_stamp=min(part.oldest_stamp for part in parts),
        oldest_block_age=max(part.oldest_block_age for part in parts),
        exact=all(part.exact for part in parts),
        blocks_owed=sum(part.blocks_owed for part in parts),
        rows_paid=sum(part.rows_paid for part in parts),
    )


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer and what it rests on; see Answer.msg for every field's meaning and unit.

    Attributes:
        evidence: of all cameras together.
        cameras: of each, in the order in which the question names them.
    """

    answer: str
    finish_reason: str
    evidence: Evidence
    cameras: tuple[Evidence, ...] = ()
    choice_index: int = -1
    choice_probabilities: tuple[float, ...] = ()
    token_ids: tuple[int, ...] = ()
    prompt_tokens: int = 0
    reused_tokens: int = 0
    rows_paid: int = 0
    answer_tokens: int = 0
    time_to_first_token: float = 0.0
    latency: float = 0.0
