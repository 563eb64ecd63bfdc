# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Figures and verdict: what is said is what was counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.evaluation.replay import ArmRun
from vlmaxxing_ros.evaluation.streaming.arms import ARMS, CONFIG, LOW_FPS, NATIVE, ORACLE
from vlmaxxing_ros.evaluation.streaming.corpus import EventVideo
from vlmaxxing_ros.evaluation.streaming.floor import floor
from vlmaxxing_ros.evaluation.streaming.report import (
    ALL,
    summarise,
    tables,
    to_markdown,
    verdict,
)


def _answering(
    runs: dict[str, ArmRun], video: EventVideo, **answers: str
) -> dict[str, list[ArmRun]]:
    """The runs as if every arm were right, or answered `truth` or `before`."""
    made = {}
    for arm, run in runs.items():
        cases = {case.question.id: case for case in video.cases}
        questions = []
        for question in run.questions:
            case = cases.get(question.id)
            said = question.answer
            if case is not None:
                said = case.before if answers.get(arm) == 'before' else case.question.answer
            questions.append(replace(question, answer=said))
        made[arm] = [ArmRun(run.arm, run.recording, run.frames, questions)]
    return made


@pytest.fixture(scope='module')
def report(video: EventVideo, runs: dict[str, ArmRun], family: Family) -> dict[str, Any]:
    figures = summarise([video], _answering(runs, video), speed=50.0)
    return figures | {'floor': floor([video], family, CONFIG)}


def test_an_eager_engine_earns_nothing_on_a_table(report: dict[str, Any]) -> None:
    family = verdict(report)[0]
    assert family.startswith('tabletop: ')
    assert 'accuracy +0.000' in family
    assert '0 answers unlike the oracle' in family


def test_a_stale_answer_is_counted_as_one(video: EventVideo, runs: dict[str, ArmRun]) -> None:
    stale = summarise([video], _answering(runs, video, **{NATIVE: 'before'}), speed=50.0)
    ours = stale['families']['tabletop'][NATIVE]
    assert (ours['right'], ours['stale'], ours['flips']) == (0, 2, 2)
    assert ours['event_to_right']['never'] == 2
    assert verdict(stale)[0].startswith('tabletop: not earned. accuracy -1.000')


def test_a_slower_model_s_seconds_are_rows_over_speed(
    video: EventVideo, runs: dict[str, ArmRun], report: dict[str, Any]
) -> None:
    rows = [q.rows for q in runs[LOW_FPS].questions[1:]]
    slow = report['families'][ALL][LOW_FPS]['slower_model']
    assert slow['latency']['p50'] == pytest.approx(sum(rows) / 2 / 50.0)
    assert slow['misses']['1'] == 1.0


def test_set_up_is_reported_apart(report: dict[str, Any], runs: dict[str, ArmRun]) -> None:
    assert set(report['set_up']) == set(ARMS)
    first = runs[ORACLE].questions[0]
    assert report['set_up'][ORACLE]['windows'] == first.windows


def test_the_page_says_which_gates_were_passed_and_why_not(report: dict[str, Any]) -> None:
    gates = {'stage 0': [], 'closure': ['59 events, not 60']}
    page = to_markdown(report | {'verdict': verdict(report), 'gates': gates})
    assert '- stage 0: passed' in page
    assert '- closure: 1 faults, the first:\n  - 59 events, not 60' in page
    for table in tables(report):
        assert f'## {table.title}' in page


def test_every_arm_is_in_every_table(report: dict[str, Any]) -> None:
    for table in tables(report):
        if table.title == 'The least for the present':
            continue  # of no arm
        named = {cell for row in table.rows for cell in row[:2]}
        assert set(ARMS) <= named
        assert {len(row) for row in table.rows} == {len(table.head)}
