# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One arm's figures in one dictionary, and the names under which a gate finds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vlmaxxing_ros.evaluation import costs, quality
from vlmaxxing_ros.evaluation.pairing import pairs
from vlmaxxing_ros.evaluation.replay import ArmRun
from vlmaxxing_ros.evaluation.robot import robot


def summarise(
    runs: Sequence[ArmRun], oracle: Sequence[ArmRun], reference: Sequence[ArmRun]
) -> dict[str, Any]:
    """Everything that the report says about an arm; see docs/evaluation.md."""
    paired = pairs(runs, oracle)
    questions = [question for run in runs for question in run.questions]
    return {
        'accuracy': quality.accuracy(paired),
        'drift': quality.drift(paired),
        'divergence': quality.divergences(paired),
        'failures': quality.failures(questions),
        'stale': quality.staleness(runs),
        'change_to_correct': quality.change_to_correct(runs),
        'robot': robot(questions),
        'denominators': costs.denominators(paired),
        'against_reference': costs.against(runs, reference),
        'perception': costs.perception(runs),
        'memory': costs.memory(runs),
        'stages': costs.stages(runs),
        'ceiling': costs.ceilings(runs, oracle),
        'session_speedup': costs.session_speedup(runs, oracle),
    }


DRIFTS = ('answer', 'choice', 'token', 'correctness')

METRICS = (
    'accuracy',
    'accuracy_difference',
    'parse_failures',
    'degenerate',
    'stale_rate',
    'peak_memory',
    'planned_fps',
    'divergence',
    *(f'{name}_drift' for name in DRIFTS),
    *(
        f'{kind}_{name}_{figure}'
        for kind in costs.DENOMINATORS
        for name in ('ttft', 'latency')
        for figure in ('p50', 'p95', 'speedup')
    ),
)
"""What a gate can be set on."""


def gate_metrics(summary: dict[str, Any]) -> dict[str, float | None]:
    """The value of every one of `METRICS`; None: nothing was measured."""
    values: dict[str, float | None] = {
        'accuracy': summary['accuracy'].get('accuracy'),
        'accuracy_difference': summary['accuracy'].get('difference'),
        'parse_failures': summary['failures']['parse']['share'],
        'degenerate': summary['failures']['degenerate']['share'],
        'stale_rate': summary['stale']['share'],
        'peak_memory': summary['memory']['peak'],
        'planned_fps': summary['perception']['planned_fps'],
        'divergence': summary['divergence'].get('mean'),
    }
    for name in DRIFTS:
        values[f'{name}_drift'] = summary['drift'][name]['share']
    for kind, figures in summary['denominators'].items():
        for name in ('ttft', 'latency'):
            seconds = figures.get(name, {})
            values[f'{kind}_{name}_p50'] = seconds.get('p50')
            values[f'{kind}_{name}_p95'] = seconds.get('p95')
            values[f'{kind}_{name}_speedup'] = figures.get(f'{name}_speedup', {}).get('p50')
    return values
