# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Artifact rows: every field that we document, and none else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlmaxxing_ros.evaluation.replay import ArmRun
from vlmaxxing_ros.evaluation.streaming.arms import ARMS, LOW_FPS, NATIVE, ORACLE
from vlmaxxing_ros.evaluation.streaming.artifact import Row, to_jsonl
from vlmaxxing_ros.evaluation.streaming.fields import FIELDS, field_faults

DOCS = Path(__file__).parents[3] / 'docs' / 'evaluation.md'


def _documented() -> dict[str, str]:
    """Field to kind, from the table in the documentation."""
    section = DOCS.read_text().partition('### Fields of a row')[2].partition('\n## ')[0]
    found = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if len(cells) == 3 and cells[1].strip('`?') in ('text', *_kinds()):
            found |= {name.strip('` '): cells[1].strip('`') for name in cells[0].split(',')}
    return found


def _kinds() -> set[str]:
    return {kind.removesuffix('?') for kind in FIELDS.values()}


def test_the_fields_are_those_that_are_documented() -> None:
    assert _documented() == FIELDS


def test_every_row_has_every_field_of_its_kind(rows: list[Row]) -> None:
    for row in rows:
        assert field_faults(row) == []


def test_a_row_survives_as_a_line(rows: list[Row]) -> None:
    lines = to_jsonl(rows).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(json.dumps(rows))


def test_there_is_one_row_per_event_and_arm(rows: list[Row]) -> None:
    assert [row['arm'] for row in rows] == 2 * list(ARMS)
    assert len({row['pair_key'] for row in rows}) == 2


def test_the_baseline_is_the_oracle_on_the_same_prompt(rows: list[Row]) -> None:
    for row in rows:
        oracle = next(r for r in rows if r['arm'] == ORACLE and r['pair_key'] == row['pair_key'])
        assert row['baseline_frame_hashes'] == oracle['frame_hashes']
        assert row['baseline_choice'] == oracle['session_choice']
        assert row['baseline_input_ids_hash'] == oracle['input_ids_hash']
        assert row['prompt_hash'] == row['baseline_prompt_hash']
    assert rows[0]['input_ids_hash'] != rows[1]['input_ids_hash']  # other frames, fewer rows


def test_the_prompt_s_tokens_are_the_rows_that_a_cold_arm_computes(
    rows: list[Row], runs: dict[str, ArmRun]
) -> None:
    row = next(r for r in rows if r['arm'] == LOW_FPS)
    asked = next(q for q in runs[LOW_FPS].questions if q.id == row['pair_key'])
    choices = asked.rows - row['prompt_tokens']
    assert 0 < choices < 20  # every choice is scored behind the prompt
    assert row['prefix_hit'] == 0


def test_ours_counts_what_became_of_the_frames(rows: list[Row]) -> None:
    for row in rows:
        counts = [row[f'native_{kind}_count'] for kind in ('update', 'rebuild', 'skip')]
        if row['arm'] == NATIVE:
            assert sum(counts) == row['native_frames_processed'] > row['prompt_frame_count']
            assert 0.0 <= row['prefix_coverage'] < 1.0, 'what is owed is paid when somebody asks'
        else:
            assert counts == [None, None, None]


@pytest.mark.parametrize(
    ('name', 'value'),
    [('vit_calls', -1), ('arm', ''), ('choice_diff', 1), ('top_p', 1.5), ('frame_ids', [1])],
)
def test_a_wrong_value_is_found(rows: list[Row], name: str, value: object) -> None:
    assert any(fault.startswith(name) for fault in field_faults(rows[0] | {name: value}))


def test_a_missing_field_and_an_unknown_one_are_found(rows: list[Row]) -> None:
    short = {key: value for key, value in rows[0].items() if key != 'seed'}
    assert field_faults(short) == ['seed is missing']
    assert field_faults(rows[0] | {'luck': 1}) == ['luck is no field']
