# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What is made of seconds and counts, on results made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vlmaxxing_ros.evaluation import costs
from vlmaxxing_ros.evaluation.pairing import pairs
from vlmaxxing_ros.evaluation.replay import ArmRun, AskedQuestion

Ask, Run = Callable[..., AskedQuestion], Callable[..., ArmRun]


def test_the_three_denominators_are_kept_apart(asked: Ask, arm_run: Run) -> None:
    ours = arm_run(
        [
            asked('a', kind='first', ttft=0.5),
            asked('b', kind='live', ttft=0.2, admission=0.3),
            asked('c', kind='follow_up', ttft=0.1),
        ]
    )
    dense = arm_run([asked(name, ttft=1.0) for name in 'abc'])
    figures = costs.denominators(pairs([ours], [dense]))
    assert {kind: f['questions'] for kind, f in figures.items()} == {
        'first': 1,
        'live': 1,
        'follow_up': 1,
    }
    assert figures['first']['ttft_speedup']['p50'] == pytest.approx(2)
    assert figures['live']['ttft_speedup']['p50'] == pytest.approx(5)
    assert figures['live']['with_admission_speedup']['p50'] == pytest.approx(2)
    assert figures['follow_up']['ttft_speedup']['p50'] == pytest.approx(10)


def test_effective_fresh_frames_follow_the_papers_formula(asked: Ask, arm_run: Run) -> None:
    run = arm_run([asked('a')], blocks=4)  # a quarter of every one of ten frames
    assert costs.perception([run])['effective_fresh_frames'] == {'value': 1 + 9 * 0.25, 'of': 10}


def test_an_arm_that_plans_nothing_shows_fresh_frames_only(asked: Ask, arm_run: Run) -> None:
    run = arm_run([asked('a', window=[1, 2, 3])], kind='', blocks=0)
    seen = costs.perception([run])
    assert seen['effective_fresh_frames'] == {'value': 3, 'of': 3}
    assert (seen['planned'], seen['planned_fps']) == (0, None)


def test_frames_per_second_are_those_that_the_machine_could_take(asked: Ask, arm_run: Run) -> None:
    seen = costs.perception([arm_run([asked('a')], seconds=0.02)])
    assert seen['planned_fps'] == pytest.approx(50)
    assert seen['recorded_fps'] == pytest.approx(9)


def test_the_stages_add_up_to_everything(asked: Ask, arm_run: Run) -> None:
    run = arm_run([asked('a', latency=1.0, vision=0.3, prefill=0.2)], seconds=0.04)
    stages = costs.stages([run])
    assert stages == pytest.approx(
        {'plan': 0.1, 'vision': 0.4, 'prefill': 0.3, 'other': 0.1, 'answer': 0.5}
    )
    assert sum(stages.values()) == pytest.approx(10 * 0.04 + 1.0)


def test_the_ceiling_is_amdahls_and_the_residual_is_what_is_missing(
    asked: Ask, arm_run: Run
) -> None:
    dense = arm_run([asked('a', latency=1.0, vision=0.5, prefill=0.4)], seconds=0.0)
    ours = arm_run([asked('a', latency=0.2)], seconds=0.09)
    figures = costs.ceilings([ours], [dense])
    assert figures['fixed_share'] == pytest.approx(0.1)
    # Nothing is paid after the question: only the fixed tenth remains.
    assert figures['questions']['predicted'] == pytest.approx(10, rel=1e-6)
    assert figures['questions']['observed'] == pytest.approx(5)
    assert figures['questions']['residual'] == pytest.approx(-0.5)
    # Ten frames at 0.09 s cost what dense paid: no gain.
    assert figures['session']['predicted'] == pytest.approx(1)


def test_a_stream_that_costs_more_than_dense_is_predicted_to(asked: Ask, arm_run: Run) -> None:
    dense = arm_run([asked('a', latency=1.0, vision=0.5, prefill=0.4)], seconds=0.0)
    ours = arm_run([asked('a', latency=0.1)], seconds=0.19)
    assert costs.ceilings([ours], [dense])['session']['predicted'] == pytest.approx(0.5)


def test_a_session_s_speed_up_includes_every_frame_before_the_question(
    asked: Ask, arm_run: Run
) -> None:
    # Frames come every 1/9 s; the first question is asked after five of them, at 0.5 s.
    ours = arm_run([asked('a', at=0.5, latency=0.1), asked('b', at=2.0, latency=0.1)], seconds=0.1)
    dense = arm_run([asked('a', latency=1.2), asked('b', latency=1.2)], seconds=0.0)
    figures = costs.session_speedup([ours], [dense])
    assert figures['1'] == {'stream': pytest.approx(2.0), 'recordings': 1, 'unchanged': None}
    assert figures['2']['stream'] == pytest.approx(2.4 / 1.2)
    assert figures['5'] == {'stream': None, 'recordings': 0, 'unchanged': None}


def test_on_one_unchanged_window_only_the_first_question_is_cold(asked: Ask, arm_run: Run) -> None:
    ours = arm_run([asked('a', kind='follow_up', latency=0.1)])
    dense = arm_run([asked('a', kind='follow_up', latency=1.0)])
    figures = costs.session_speedup([ours], [dense])
    assert figures['1']['unchanged'] == pytest.approx(1)
    assert figures['10']['unchanged'] == pytest.approx(10 / 1.9)


def test_an_arm_that_takes_nothing_in_pays_its_own_price_every_time(
    asked: Ask, arm_run: Run
) -> None:
    def run(latency: float) -> ArmRun:
        kinds = ('first', 'follow_up')
        return arm_run([asked(kind, kind=kind, latency=latency) for kind in kinds], kind='')

    figures = costs.session_speedup([run(0.4)], [run(1.0)])
    assert figures['1']['unchanged'] == figures['10']['unchanged'] == pytest.approx(2.5)


def test_two_arms_are_held_against_each_other_question_by_question(
    asked: Ask, arm_run: Run
) -> None:
    ours = arm_run([asked('a', ttft=0.6, admission=0.0), asked('b', ttft=9.0, admission=0.0)])
    auto = arm_run([asked('a', ttft=0.1, admission=0.1), asked('b', ttft=1.5, admission=1.5)])
    live = costs.against([ours], [auto])['live']
    assert live['ttft']['p50'] == pytest.approx(6)
    assert live['with_admission']['p50'] == pytest.approx(3)
