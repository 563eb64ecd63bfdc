# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the answers are worth: accuracy, drift, staleness.  Formulas: docs/evaluation.md.

Knows answers and truths; knows nothing of time spent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from vlmaxxing_ros.evaluation.first_token import divergence
from vlmaxxing_ros.evaluation.intervals import clustered, paired_difference, wilson
from vlmaxxing_ros.evaluation.pairing import Pair, is_right
from vlmaxxing_ros.evaluation.replay import ArmRun, AskedQuestion
from vlmaxxing_ros.evaluation.text import is_degenerate, normalised


def accuracy(paired: Sequence[Pair]) -> dict[str, Any]:
    """Share of right answers, and its difference to the oracle's on the same questions."""
    known = [p for p in paired if p.ours.truth]
    if not known:
        return {'questions': 0}
    right = [(bool(is_right(p.ours)), bool(is_right(p.dense))) for p in known]
    both, lost = right.count((True, True)), right.count((False, True))
    gained, neither = right.count((True, False)), right.count((False, False))
    count, hits = len(known), both + gained
    sums, counts = _per_recording(known, [int(a) - int(b) for a, b in right])
    return {
        'questions': count,
        'right': hits,
        'accuracy': hits / count,
        'interval': wilson(hits, count),
        'difference': (gained - lost) / count,
        'difference_interval': paired_difference(both, gained, lost, neither),
        'difference_interval_by_recording': clustered(sums, counts),
        'gained': gained,
        'lost': lost,
        'by_task': _by_task(known),
    }


def _per_recording(paired: Sequence[Pair], values: list[int]) -> tuple[list[float], list[int]]:
    sums: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for pair, value in zip(paired, values, strict=True):
        sums[pair.recording] += value
        counts[pair.recording] += 1
    return list(sums.values()), list(counts.values())


def _by_task(known: Sequence[Pair]) -> dict[str, Any]:
    tasks: dict[str, list[Pair]] = defaultdict(list)
    for pair in known:
        tasks[pair.ours.task].append(pair)
    return {
        task: {
            'questions': len(members),
            'accuracy': sum(bool(is_right(p.ours)) for p in members) / len(members),
            'dense': sum(bool(is_right(p.dense)) for p in members) / len(members),
        }
        for task, members in sorted(tasks.items())
    }


def drift(paired: Sequence[Pair]) -> dict[str, Any]:
    """How often the answers are unlike the oracle's."""
    closed = [p for p in paired if p.ours.closed and p.ours.parsed]
    free = [p for p in paired if not p.ours.closed]
    known = [p for p in paired if p.ours.truth]
    return {
        'questions': len(paired),
        'answer': _share([p.differ for p in paired]),
        'choice': _share([p.ours.choice_index != p.dense.choice_index for p in closed]),
        'token': _share([p.ours.token_ids != p.dense.token_ids for p in free]),
        'correctness': _share([is_right(p.ours) != is_right(p.dense) for p in known]),
        'windows_unlike_dense': sum(p.ours.window != p.dense.window for p in paired),
        'not_exact': sum(not p.ours.exact for p in paired),
    }


def divergences(paired: Sequence[Pair]) -> dict[str, Any]:
    """How far the first answer token's distribution is from the oracle's, in nats."""
    values = [
        divergence(p.dense.first_token, p.ours.first_token)
        for p in paired
        if p.ours.first_token and p.dense.first_token
    ]
    if not values:
        return {'questions': 0}
    return {
        'questions': len(values),
        'mean': float(np.mean(values)),
        'p50': float(np.percentile(values, 50)),
        'p95': float(np.percentile(values, 95)),
        'max': max(values),
    }


def failures(questions: Sequence[AskedQuestion]) -> dict[str, Any]:
    """Answers that are of no use, whatever the truth."""
    return {
        'parse': _share([not q.parsed for q in questions if q.closed]),
        'degenerate': _share(
            [is_degenerate(q.answer, q.token_ids, q.finish_reason) for q in questions]
        ),
    }


def staleness(runs: Sequence[ArmRun]) -> dict[str, Any]:
    """Wrong answers that were right once, among questions whose truth has changed before."""
    stale = []
    for run in runs:
        for _, asked in _same_question(run):
            earlier: set[str] = set()
            for question in asked:
                truth, answer = normalised(question.truth), normalised(question.answer)
                if earlier - {truth}:
                    stale.append(answer != truth and answer in earlier)
                earlier.add(truth)
    return _share(stale)


def change_to_correct(runs: Sequence[ArmRun]) -> dict[str, Any]:
    """How long after a change of truth the first right answer was there, in seconds.

    Measured at the moments at which the question was asked again: it is no finer than these.
    """
    delays: list[float] = []
    changes = at_once = 0
    for run in runs:
        for _, asked in _same_question(run):
            for start in range(1, len(asked)):
                truth = normalised(asked[start].truth)
                if truth == normalised(asked[start - 1].truth):
                    continue
                changes += 1
                delay = _first_right(asked[start:], truth)
                if delay is not None:
                    delays.append(delay)
                    at_once += bool(is_right(asked[start]))
    return {
        'changes': changes,
        'at_once': at_once,
        'later': len(delays) - at_once,
        'never': changes - len(delays),
        'p50': float(np.percentile(delays, 50)) if delays else None,
        'p95': float(np.percentile(delays, 95)) if delays else None,
    }


def _first_right(asked: Sequence[AskedQuestion], truth: str) -> float | None:
    """Seconds from the first of `asked` to the end of the first right answer to this truth."""
    for question in asked:
        if normalised(question.truth) != truth:
            return None
        if is_right(question):
            return question.at - asked[0].at + question.latency
    return None


def _same_question(run: ArmRun) -> Iterator[tuple[str, list[AskedQuestion]]]:
    """Questions with a truth that are asked more than once, in order of time."""
    groups: dict[str, list[AskedQuestion]] = defaultdict(list)
    for question in run.questions:
        if question.truth:
            groups[normalised(question.text)].append(question)
    for text, asked in groups.items():
        if len(asked) > 1:
            yield text, asked


def _share(hits: Sequence[bool]) -> dict[str, Any]:
    """A share with its count and interval; `share` is None where there is nothing to count."""
    count, total = sum(hits), len(hits)
    return {
        'count': count,
        'of': total,
        'share': count / total if total else None,
        'interval': wilson(count, total) if total else None,
    }
