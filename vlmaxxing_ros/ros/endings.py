# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What is said to people of how a question ended.

Knows tickets and answers; knows nothing of queues, clocks or cameras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vlmaxxing_ros.ros.ticket import Ticket

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.question import Answer

OVERLOADED = '{} questions are waiting (max_waiting_questions): ask less often, or again later'
"""Of a question for which there is no place; with how many wait."""

ASIDE = '{} answers are set aside whose askers may be gone: ask again'
"""Of the oldest of them where another one is begun; with how many may be."""


def unsatisfied(ticket: Ticket, answer: Answer | None) -> str:
    """Why an answer is not what its schema asks for; empty if it is, or there is no schema."""
    if answer is None or not ticket.request.asked.get('json_schema'):
        return ''
    if answer.finish_reason == 'length':
        return (
            f'cut after {answer.answer_tokens} tokens, before it satisfied json_schema: allow more '
            'max_tokens'
        )
    if answer.finish_reason == 'invalid':
        return 'json_schema could not be enforced to the end of the answer: make it simpler'
    return ''


def owing(answer: Answer | None) -> str:
    """What an answer does not account for, for people."""
    if answer is None or not answer.evidence.blocks_owed:
        return ''
    text = f'{answer.evidence.blocks_owed} blocks have changed since and are not accounted for: '
    if answer.rows_paid:
        return text + 'they did while what was owed was paid'
    return text + 'allow more time, or ask with max_evidence_age 0'


def too_slow(ticket: Ticket) -> str:
    """Of a question whose deadline has passed."""
    return f'not finished within {ticket.deadline:g} s: allow more time or fewer tokens'
