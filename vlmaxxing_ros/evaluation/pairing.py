# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The same question under two arms: what is paired with what, and when an answer is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vlmaxxing_ros.evaluation.replay import ArmRun, AskedQuestion
from vlmaxxing_ros.evaluation.text import normalised

Key = tuple[str, str]
"""Recording and question id."""


@dataclass(frozen=True)
class Pair:
    """One question, answered by an arm and by the oracle."""

    recording: str
    ours: AskedQuestion
    dense: AskedQuestion

    @property
    def differ(self) -> bool:
        """Whether the two answers are different texts."""
        return normalised(self.ours.answer) != normalised(self.dense.answer)


def pairs(runs: Sequence[ArmRun], oracle: Sequence[ArmRun]) -> list[Pair]:
    """Every question that both have answered, in the order of the runs."""
    dense = dict(_by_key(oracle))
    return [Pair(key[0], question, dense[key]) for key, question in _by_key(runs) if key in dense]


def _by_key(runs: Sequence[ArmRun]) -> Iterator[tuple[Key, AskedQuestion]]:
    for run in runs:
        for question in run.questions:
            yield (run.recording, question.id), question


def is_right(question: AskedQuestion) -> bool | None:
    """Whether the answer is the truth; None: no truth was given."""
    if not question.truth:
        return None
    return normalised(question.answer) == normalised(question.truth)
