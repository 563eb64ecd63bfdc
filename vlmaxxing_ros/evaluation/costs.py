# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the answers cost: latency per denominator, work, memory, sessions, ceilings.

Formulas: docs/evaluation.md.  Knows seconds and counts; knows nothing of truths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vlmaxxing_ros.engine.stream.budget import ceiling
from vlmaxxing_ros.evaluation.pairing import Pair, pairs
from vlmaxxing_ros.evaluation.replay import FIRST, FOLLOW_UP, LIVE, ArmRun, AskedQuestion

DENOMINATORS = (FIRST, LIVE, FOLLOW_UP)
SESSIONS = (1, 2, 5, 10, 50)


def denominators(paired: Sequence[Pair]) -> dict[str, Any]:
    """Latency and work for first, live and follow-up questions, each against the oracle."""
    return {
        kind: _latencies([pair for pair in paired if pair.ours.kind == kind])
        for kind in DENOMINATORS
    }


def _latencies(paired: Sequence[Pair]) -> dict[str, Any]:
    if not paired:
        return {'questions': 0}
    ours = [pair.ours for pair in paired]
    return {
        'questions': len(paired),
        'ttft': spread([q.ttft for q in ours]),
        'latency': spread([q.latency for q in ours]),
        'with_admission': spread([q.ttft + q.admission for q in ours]),
        'ttft_speedup': _quartiles([p.dense.ttft / p.ours.ttft for p in paired]),
        'with_admission_speedup': _quartiles(
            [p.dense.ttft / (p.ours.ttft + p.ours.admission) for p in paired]
        ),
        'latency_speedup': _quartiles([p.dense.latency / p.ours.latency for p in paired]),
        'rows': float(np.median([q.rows for q in ours])),
        'windows': float(np.median([q.windows for q in ours])),
        'frames_shown': float(np.mean([len(q.window) for q in ours])),
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, linearly interpolated."""
    return {f'p{p}': float(np.percentile(values, p)) for p in (50, 95)}


def _quartiles(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {f'p{p}': float(np.percentile(values, p)) for p in (25, 50, 75)}


def perception(runs: Sequence[ArmRun]) -> dict[str, Any]:
    """What became of the frames, and how many per second the arm can take in."""
    frames = [frame for run in runs for frame in run.frames]
    planned = [f for f in frames if f.kind not in ('', 'dropped')]
    admitted = [f for f in planned if f.blocks]
    seconds = sum(f.seconds for f in planned)
    span = sum((run.frames[-1].stamp - run.frames[0].stamp) * 1e-9 for run in runs)
    questions = [q for run in runs for q in run.questions]
    return {
        'frames': len(frames),
        'recorded_fps': (len(frames) - len(runs)) / span if span > 0 else None,
        'planned': len(planned),
        'admitted': len(admitted),
        'planned_fps': len(planned) / seconds if seconds else None,
        'admitted_fps': len(admitted) / seconds if seconds else None,
        'fresh_ratio': float(np.mean([f.blocks / f.total for f in planned])) if planned else None,
        'effective_fresh_frames': _effective(runs),
        'frame_rows': sum(f.rows for f in frames),
        'frame_windows': sum(f.windows for f in frames),
        'question_rows': sum(q.rows for q in questions),
        'question_windows': sum(q.windows for q in questions),
        'processor_seconds': sum(run.processor_time for run in runs),
    }


def _effective(runs: Sequence[ArmRun]) -> dict[str, float] | None:
    """Median over the recordings of `f_eff = 1 + (N - 1)(1 - r_reuse)`, and of N.

    For an arm that plans nothing the N frames of a question's window are all fresh.
    """
    values, counts = [], []
    for run in runs:
        ratios = [f.blocks / f.total for f in run.frames if f.kind not in ('', 'dropped')]
        if ratios:
            counts.append(float(len(ratios)))
            values.append(1 + (len(ratios) - 1) * float(np.mean(ratios)))
        elif run.questions:
            counts.append(float(np.mean([len(q.window) for q in run.questions])))
            values.append(counts[-1])
    if not values:
        return None
    return {'value': float(np.median(values)), 'of': float(np.median(counts))}


def memory(runs: Sequence[ArmRun]) -> dict[str, int]:
    """Bytes, the most over all recordings."""
    return {
        'peak': max(run.peak_memory for run in runs),
        'cache': max(run.cache_bytes for run in runs),
    }


def stages(runs: Sequence[ArmRun]) -> dict[str, float]:
    """Seconds per stage over everything that was done.

    `other`: time in `admit` that is none of the stages (rebuilding, settling, bookkeeping).
    `answer`: question prefill, decoding and scoring; for mlx-vlm's own path everything.
    """
    frames = [frame for run in runs for frame in run.frames]
    questions = [q for run in runs for q in run.questions]
    named = sum(f.plan + f.vision + f.prefill for f in frames)
    return {
        'plan': sum(f.plan for f in frames),
        'vision': sum(f.vision for f in frames) + sum(q.vision for q in questions),
        'prefill': sum(f.prefill for f in frames) + sum(q.prefill for q in questions),
        'other': max(0.0, sum(f.seconds for f in frames) - named),
        'answer': sum(_answering(q) for q in questions),
    }


def _answering(question: AskedQuestion) -> float:
    return question.latency - question.vision - question.prefill


def ceilings(runs: Sequence[ArmRun], oracle: Sequence[ArmRun]) -> dict[str, Any]:
    """Speed-up predicted from the oracle's stage shares, observed, and the residual.

    `questions`: time after a question is asked; `session`: admission of every frame as well.
    """
    ours = [q for run in runs for q in run.questions]
    dense = [q for run in oracle for q in run.questions]
    fixed = sum(_answering(q) for q in dense)
    reusable = sum(q.vision + q.prefill for q in dense)
    asked = sum(q.vision + q.prefill for q in ours)
    admitting = sum(frame.seconds for run in runs for frame in run.frames)
    answering = sum(q.latency for q in ours)
    return {
        'fixed_share': fixed / (fixed + reusable),
        'questions': _residual(fixed, reusable, asked, answering),
        'session': _residual(fixed, reusable, asked + admitting, answering + admitting),
    }


def _residual(fixed: float, dense: float, paid: float, total: float) -> dict[str, float]:
    # The engine's rule never predicts a slowdown; a session that pays more than dense has one.
    predicted = ceiling(fixed=fixed, dense=dense, paid=paid)
    if paid > dense:
        predicted = (fixed + dense) / (fixed + paid)
    observed = (fixed + dense) / total
    return {
        'predicted': predicted,
        'observed': observed,
        'residual': observed / predicted - 1.0,
    }


def session_speedup(runs: Sequence[ArmRun], oracle: Sequence[ArmRun]) -> dict[str, Any]:
    """Cold dense's time over ours for the first n questions, everything before them included.

    `stream`: measured along each recording: every frame admitted until the n-th question, and n
    answers, against n cold answers; the median over the recordings that have n questions.
    `unchanged`: modelled: n questions on one window that does not change, in units of a cold
    answer. The first is one where frames are taken in as they come, and what the arm's first
    question took where they are not; the others are what its follow-ups took.
    """
    dense = {run.recording: run for run in oracle}
    paired = pairs(runs, oracle)
    first, warm = (_price(paired, kind) for kind in (FIRST, FOLLOW_UP))
    if any(frame.kind for run in runs for frame in run.frames):
        first = 1.0
    by_count: dict[str, Any] = {}
    for count in SESSIONS:
        ratios = [
            ratio
            for run in runs
            if (ratio := _stream_ratio(run, dense[run.recording], count)) is not None
        ]
        known = None if first is None or warm is None else count / (first + (count - 1) * warm)
        by_count[str(count)] = {
            'stream': float(np.median(ratios)) if ratios else None,
            'recordings': len(ratios),
            'unchanged': known,
        }
    return by_count


def _price(paired: Sequence[Pair], kind: str) -> float | None:
    """Median latency in units of the cold answer to the same question."""
    ratios = [p.ours.latency / p.dense.latency for p in paired if p.ours.kind == kind]
    return float(np.median(ratios)) if ratios else None


def _stream_ratio(run: ArmRun, dense: ArmRun, count: int) -> float | None:
    if len(run.questions) < count:
        return None
    last = run.questions[count - 1]
    start = run.frames[0].stamp
    admitted = [f for f in run.frames if (f.stamp - start) * 1e-9 <= last.at + 1e-9]
    ours = sum(f.seconds for f in admitted) + sum(q.latency for q in run.questions[:count])
    cold = sum(q.latency for q in dense.questions[:count])
    return cold / ours


def against(runs: Sequence[ArmRun], reference: Sequence[ArmRun]) -> dict[str, Any]:
    """This arm's times over the reference arm's, question by question."""
    paired = pairs(runs, reference)
    by_kind = {}
    for kind in DENOMINATORS:
        both = [(p.ours, p.dense) for p in paired if p.ours.kind == kind]
        by_kind[kind] = {
            'questions': len(both),
            'ttft': _quartiles([ours.ttft / its.ttft for ours, its in both]),
            'with_admission': _quartiles(
                [(ours.ttft + ours.admission) / (its.ttft + its.admission) for ours, its in both]
            ),
        }
    return by_kind
