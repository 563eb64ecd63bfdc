# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a robot asks of answers: in time, and about now.  Formulas: docs/evaluation.md.

Knows seconds and counts; knows nothing of what is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vlmaxxing_ros.evaluation.replay import AskedQuestion

DEADLINES = (0.1, 0.25, 0.5, 1.0)
"""Seconds from a question to the end of its answer."""


def robot(questions: Sequence[AskedQuestion]) -> dict[str, Any]:
    """Deadline misses, the slowest answers, and how much of the present they left out."""
    owed = [q.owed for q in questions if q.owed is not None]
    return {
        'questions': len(questions),
        'misses': misses([q.latency for q in questions]),
        'ttft_p99': percentile([q.ttft for q in questions], 99),
        'latency_p99': percentile([q.latency for q in questions], 99),
        'owed': {
            'questions': len(owed),
            'mean': float(np.mean(owed)) if owed else None,
            'max': max(owed, default=None),
        },
    }


def misses(seconds: Sequence[float]) -> dict[str, float | None]:
    """Share of the answers that took longer than each of `DEADLINES`."""
    return {
        f'{deadline:g}': sum(s > deadline for s in seconds) / len(seconds) if seconds else None
        for deadline in DEADLINES
    }


def percentile(values: Sequence[float], which: float) -> float | None:
    """Interpolated linearly; None of nothing."""
    return float(np.percentile(values, which)) if len(values) else None
