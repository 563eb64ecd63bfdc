# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The published gates, on rows made to pass and then spoilt one by one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vlmaxxing_ros.evaluation.streaming.arms import ARMS, LOW_FPS, NATIVE
from vlmaxxing_ros.evaluation.streaming.artifact import Row
from vlmaxxing_ros.evaluation.streaming.gates import closure_faults, stage0_faults

Make = Callable[[int], list[Row]]


@pytest.fixture
def passing(rows: list[Row]) -> Make:
    """Rows of that many events in two videos, which pass."""

    def make(events: int) -> list[Row]:
        made = []
        for number in range(events):
            for row in rows[: len(ARMS)]:
                said = row['baseline_choice']
                made.append(
                    row
                    | {
                        'session_choice': said,
                        'raw_response': said,
                        'baseline_raw_response': said,
                        'pair_key': f'event{number}',
                        'event_id': f'event{number}',
                        'video_id': f'video{number % 2}',
                        'stale_cache_case_id': f'event{number}',
                        'vit_calls': 8 if row['arm'] == NATIVE else row['vit_calls'],
                        'choice_diff': False,
                        'text_identical': True,
                        'session_correct': True,
                        'baseline_correct': True,
                        'correctness_diff': False,
                    }
                )
        return made

    return make


def test_stage_0_is_passed_by_six_to_eight_events(passing: Make) -> None:
    assert stage0_faults(passing(6)) == []
    assert stage0_faults(passing(8)) == []
    assert stage0_faults(passing(5)) == ['5 pair keys, not 6 to 8']
    assert stage0_faults(passing(9)) == ['9 pair keys, not 6 to 8']


def test_the_closure_is_passed_by_sixty(passing: Make) -> None:
    assert closure_faults(passing(60)) == []
    assert closure_faults(passing(59)) == ['59 events, not 60']


@pytest.mark.parametrize(
    ('change', 'fault'),
    [
        ({'vit_calls': 9}, '9 tower windows against 16, 1.78x fewer'),
        ({'vit_calls': 0}, '0 tower windows'),
        ({'native_skip_count': None}, 'not counted'),
        ({'native_frames_processed': 1}, 'not at native rate'),
        ({'session_choice': 'else', 'choice_diff': True}, 'where fresh_oracle_dense says'),
        ({'session_correct': False, 'correctness_diff': True}, 'where fresh_oracle_dense says'),
        ({'session_correct': False}, 'correctness_diff disagrees'),
        ({'source_media_sha256': ''}, 'source_media_sha256 is empty'),
    ],
)
def test_one_spoilt_row_of_ours_is_one_fault(passing: Make, change: Row, fault: str) -> None:
    rows = passing(6)
    spoilt = next(row for row in rows if row['arm'] == NATIVE)
    spoilt.update(change)
    faults = stage0_faults(rows)
    assert faults
    assert all(fault in found for found in faults)


def test_an_arm_that_is_missing_is_a_fault(passing: Make) -> None:
    rows = [row for row in passing(6) if (row['arm'], row['pair_key']) != (LOW_FPS, 'event0')]
    assert len(stage0_faults(rows)) == 1


def test_two_videos_and_a_stale_cache_case_are_asked_for(passing: Make) -> None:
    rows = [row | {'video_id': 'one', 'stale_cache_case_id': None} for row in passing(6)]
    assert stage0_faults(rows) == [
        'fewer than two videos',
        'no stale-cache case whose answer changes',
    ]


def test_accuracy_may_be_lost_by_a_twentieth_at_most(passing: Make) -> None:
    rows = passing(60)
    wrong = [row for row in rows if row['arm'] == NATIVE][:4]
    for row in wrong:
        row.update(session_correct=False, correctness_diff=True)
    assert closure_faults(rows)[-1].startswith('accuracy -0.067')
