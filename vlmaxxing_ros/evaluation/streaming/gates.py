# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The published gates, on artifact rows: whether the claim may be made.

From the authors' note of 2026-05-01 on the staged preflight (jfbastien/VLMaxxing): stage 0, a
first look at 6 to 8 events, and the full closure.  Their validator says the last word; this says
the same, event by event.  Knows rows; nothing of how they came about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from vlmaxxing_ros.evaluation.streaming.arms import ARMS, LOW_FPS, NATIVE, ORACLE
from vlmaxxing_ros.evaluation.streaming.fields import field_faults

Rows = list[dict[str, Any]]

FEWER_CALLS = 2.0
"""Tower calls of low-fps dense over ours, at least, in every pair."""

STAGE0_PAIRS = (6, 8)
CLOSURE_EVENTS = 60
CLOSURE_ACCURACY = 0.05


def stage0_faults(rows: Rows) -> list[str]:
    """Why stage 0 is not passed, as sentences; nothing if it is."""
    groups = by_pair(rows)
    faults = _row_faults(rows)
    fewest, most = STAGE0_PAIRS
    if not fewest <= len(groups) <= most:
        faults.append(f'{len(groups)} pair keys, not {fewest} to {most}')
    faults += _corpus_faults(rows)
    for key, arms in groups.items():
        faults += _pair_faults(key, arms)
    return faults


def closure_faults(rows: Rows) -> list[str]:
    """Why the full closure is not passed, as sentences; nothing if it is."""
    groups = by_pair(rows)
    faults = _row_faults(rows)
    if len(groups) < CLOSURE_EVENTS:
        faults.append(f'{len(groups)} events, not {CLOSURE_EVENTS}')
    faults += _corpus_faults(rows)
    for key, arms in groups.items():
        faults += _pair_faults(key, arms)
    gap = accuracy(rows, NATIVE) - accuracy(rows, ORACLE)
    if abs(gap) > CLOSURE_ACCURACY:
        faults.append(f'accuracy {gap:+.3f} against {ORACLE}, not within {CLOSURE_ACCURACY}')
    return faults


def by_pair(rows: Rows) -> dict[str, dict[str, dict[str, Any]]]:
    """Pair key to the rows of its arms."""
    groups: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        groups[row['pair_key']][row['arm']] = row
    return dict(groups)


def accuracy(rows: Iterable[dict[str, Any]], arm: str) -> float:
    """Share of an arm's rows that are right; 0 without any."""
    right = [row['session_correct'] for row in rows if row['arm'] == arm]
    return sum(right) / len(right) if right else 0.0


def calls_ratio(arms: dict[str, dict[str, Any]]) -> float:
    """Tower calls of low-fps dense over ours in one pair; 0 where ours made none."""
    ours = arms[NATIVE]['vit_calls']
    return arms[LOW_FPS]['vit_calls'] / ours if ours else 0.0


def _row_faults(rows: Rows) -> list[str]:
    return [
        f'{row.get("pair_key")}, {row.get("arm")}: {fault}'
        for row in rows
        for fault in [*field_faults(row), *_disagreements(row)]
    ]


def _disagreements(row: dict[str, Any]) -> list[str]:
    derived = {
        'choice_diff': row['session_choice'] != row['baseline_choice'],
        'correctness_diff': row['session_correct'] != row['baseline_correct'],
        'text_identical': row['raw_response'] == row['baseline_raw_response'],
        'parse_failure': row['session_parse_failure'] or row['baseline_parse_failure'],
    }
    faults = [f'{name} disagrees' for name, value in derived.items() if row[name] != value]
    wanted = (
        'event_id',
        'event_time_s',
        'observation_window_s',
        'evidence_budget',
        'selected_frame_indices',
        'source_media_path',
        'source_media_sha256',
        'raw_response',
    )
    return faults + [f'{name} is empty' for name in wanted if row[name] in (None, '', [])]


def _corpus_faults(rows: Rows) -> list[str]:
    faults = []
    if len({row['video_id'] for row in rows}) < 2:
        faults.append('fewer than two videos')
    if not any(row['stale_cache_case_id'] and row['changed_answer_expected'] for row in rows):
        faults.append('no stale-cache case whose answer changes')
    return faults


def _pair_faults(key: str, arms: dict[str, dict[str, Any]]) -> list[str]:
    if set(arms) != set(ARMS):
        return [f'{key}: arms {", ".join(sorted(arms))}']
    ours = arms[NATIVE]
    faults = []
    counted = ('native_update_count', 'native_rebuild_count', 'native_skip_count')
    if (ours['native_frames_processed'] or 0) <= ours['prompt_frame_count']:
        faults.append('not at native rate: no more frames processed than shown')
    if any(ours[name] is None for name in counted):
        faults.append('updates, rebuilds and skips are not counted')
    if calls_ratio(arms) < FEWER_CALLS:
        faults.append(
            f'{ours["vit_calls"]} tower windows against {arms[LOW_FPS]["vit_calls"]}, '
            f'{calls_ratio(arms):.2f}x fewer'
        )
    if ours['choice_diff'] or ours['correctness_diff']:
        faults.append(f'{ours["raw_response"]!r} where {ORACLE} says {ours["baseline_choice"]!r}')
    return [f'{key}: {fault}' for fault in faults]
