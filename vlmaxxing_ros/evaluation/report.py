# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The report as data: what was run, every arm's figures, what drifted, which gates held.

Its shape is documented in docs/evaluation.md; `SCHEMA` changes when the shape does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.evaluation.arms import ORACLE, REFERENCE
from vlmaxxing_ros.evaluation.evaluate import Replayed, Results, Survey
from vlmaxxing_ros.evaluation.gate import Gate
from vlmaxxing_ros.evaluation.machine import machine
from vlmaxxing_ros.evaluation.pairing import Pair, is_right, pairs
from vlmaxxing_ros.evaluation.summary import gate_metrics, summarise

SCHEMA = 'vlmaxxing_evaluate/1'

_DIGITS = 6


def build_report(
    outcome: Results,
    streams: Sequence[Replayed],
    config: EngineConfig,
    *,
    command: str,
    surveys: Sequence[Survey],
    gates: Sequence[Gate] = (),
) -> dict[str, Any]:
    """Put everything together; plain values, rounded to six digits."""
    oracle = outcome.runs[ORACLE]
    reference = outcome.runs[REFERENCE]
    arms: dict[str, Any] = {
        name: summarise(runs, oracle, reference) for name, runs in outcome.runs.items()
    }
    metrics = {name: gate_metrics(summary) for name, summary in arms.items()}
    arms |= {name: {'unavailable': reason} for name, reason in outcome.unavailable.items()}
    report = {
        'schema': SCHEMA,
        'command': command,
        'reference': REFERENCE,
        'oracle': ORACLE,
        'model': config.model,
        'machine': machine(),
        'config': asdict(config),
        'recordings': [
            _recording(stream, outcome, surveyed)
            for stream, surveyed in zip(streams, surveys, strict=True)
        ],
        'arms': arms,
        'drifted': drifted(outcome),
        'gates': [_gate(gate, metrics) for gate in gates],
    }
    values: dict[str, Any] = plain(report)
    return values


def _recording(stream: Replayed, outcome: Results, surveyed: Survey) -> dict[str, Any]:
    run = next(run for run in outcome.runs[REFERENCE] if run.recording == stream.name)
    return {
        'name': stream.name,
        'frames': len(run.frames),
        'seconds': (run.frames[-1].stamp - run.frames[0].stamp) * 1e-9,
        'blocks': run.frames[0].total,
        'questions': len(run.questions),
        'dropped': surveyed.dropped,
        'remarks': surveyed.remarks,
    }


def drifted(outcome: Results) -> list[dict[str, Any]]:
    """Questions that an arm on the session's own frames answers unlike the oracle."""
    found = []
    for arm, runs in outcome.runs.items():
        for pair in pairs(runs, outcome.runs[ORACLE]):
            if pair.differ and pair.ours.window == pair.dense.window:
                found.append(_drifted(arm, pair))
    return found


def _drifted(arm: str, pair: Pair) -> dict[str, Any]:
    return {
        'arm': arm,
        'recording': pair.recording,
        'id': pair.ours.id,
        'at': pair.ours.at,
        'question': pair.ours.text,
        'answer': pair.ours.answer,
        'dense': pair.dense.answer,
        'truth': pair.ours.truth,
        'right': is_right(pair.ours),
        'dense_right': is_right(pair.dense),
        'window': pair.ours.window,
    }


def _gate(gate: Gate, metrics: dict[str, dict[str, float | None]]) -> dict[str, Any]:
    # An arm that could not be run has no metrics: its gates fail.
    value = metrics.get(gate.arm, {}).get(gate.metric)
    return {'gate': str(gate), 'value': value, 'kept': gate.keeps(value)}


def plain(value: Any) -> Any:
    """JSON's own types: tuples become lists, floats are rounded, what is not finite is None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return float(f'{value:.{_DIGITS}g}')
    return value
