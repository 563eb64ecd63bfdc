# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The arms on one short recording: what each of them shows the model, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame, Grid
from vlmaxxing_ros.evaluation.arms import DEFAULT_ARMS, Arm, make_arm
from vlmaxxing_ros.evaluation.arms.base import Windows
from vlmaxxing_ros.evaluation.arms.cold import DenseLast4, LowFps
from vlmaxxing_ros.evaluation.errors import ArmUnavailable
from vlmaxxing_ros.evaluation.pairing import pairs
from vlmaxxing_ros.evaluation.quality import drift
from vlmaxxing_ros.evaluation.questions_file import TimedQuestion
from vlmaxxing_ros.evaluation.recordings import StampedImage
from vlmaxxing_ros.evaluation.replay import ArmRun, replay
from vlmaxxing_ros.random_models.families import random_family

CONFIG = EngineConfig(keyframe_interval=0.5, keep_keyframes=2, max_tokens=6)
SECOND = 10**9


def _make(name: str, windows: Windows, counted: Family) -> Arm:
    return make_arm(name, counted, CONFIG, windows)


@pytest.fixture(scope='module')
def runs(
    family: Family, images: list[StampedImage], questions: list[TimedQuestion]
) -> dict[str, ArmRun]:
    """Every arm's run."""
    done: dict[str, ArmRun] = {}
    windows: Windows = {}
    for name in DEFAULT_ARMS:
        done[name] = replay(
            partial(_make, name, windows),
            name,
            'table',
            images,
            questions,
            family,
            CONFIG,
        )
        if name == 'auto':
            windows = {q.id: tuple(q.window) for q in done[name].questions}
    return done


def test_every_arm_answers_every_question(
    runs: dict[str, ArmRun], questions: list[TimedQuestion]
) -> None:
    for name, run in runs.items():
        assert [q.id for q in run.questions] == [q.id for q in questions], name
        assert all(0 < q.ttft <= q.latency for q in run.questions), name


def test_an_exact_tail_and_an_exact_cache_answer_as_cold_dense_does(
    runs: dict[str, ArmRun],
    images: list[StampedImage],
    questions: list[TimedQuestion],
    family: Family,
) -> None:
    windows = {q.id: tuple(q.window) for q in runs['exact'].questions}
    dense = replay(
        partial(_make, 'dense', windows), 'dense', 'table', images, questions, family, CONFIG
    )
    figures = drift(pairs([runs['exact']], [dense]))
    assert figures['token']['of'] == 3
    assert figures['answer']['count'] == figures['token']['count'] == 0
    assert figures['windows_unlike_dense'] == figures['not_exact'] == 0


def test_the_oracle_is_what_mlx_vlm_itself_says(runs: dict[str, ArmRun]) -> None:
    free = [pair for pair in pairs([runs['stock_apc']], [runs['dense']]) if not pair.ours.closed]
    assert [p.ours.token_ids for p in free] == [p.dense.token_ids for p in free]


def test_frames_that_tell_the_time_tell_it_in_every_arm(
    images: list[StampedImage], questions: list[TimedQuestion]
) -> None:
    family = random_family('qwen3_vl')
    windows: Windows = {}
    done = []
    for name in ('exact', 'dense', 'stock_apc'):
        make = partial(_make, name, windows)
        done.append(replay(make, name, 'table', images, questions, family, CONFIG))
        windows = {q.id: tuple(q.window) for q in done[0].questions}
    exact, dense, stock = done
    for ours in (exact, stock):
        free = [pair for pair in pairs([ours], [dense]) if not pair.ours.closed]
        assert len(free) == 3
        assert [p.ours.token_ids for p in free] == [p.dense.token_ids for p in free]


def test_the_oracle_is_shown_what_the_engine_held(runs: dict[str, ArmRun]) -> None:
    windows = [q.window for q in runs['auto'].questions]
    assert [q.window for q in runs['dense'].questions] == windows


def test_whoever_pays_sooner_or_later_shows_the_newest_frame(runs: dict[str, ArmRun]) -> None:
    for name in ('eager', 'lazy', 'refresh', 'exact'):
        newest = [q.window[-1] for q in runs[name].questions]
        assert newest == [q.window[-1] for q in runs['auto'].questions], name


def test_a_lazy_engine_pays_when_asked_and_an_eager_one_before(runs: dict[str, ArmRun]) -> None:
    lazy, eager = runs['lazy'], runs['eager']
    assert sum(f.rows for f in lazy.frames) <= 2 * 14, 'prefixes, and nothing of a frame'
    assert sum(f.rows for f in eager.frames) > sum(f.rows for f in lazy.frames)
    assert sum(f.rows for f in runs['auto'].frames) > sum(f.rows for f in lazy.frames)
    assert all(q.simulated > 0.0 for q in lazy.questions)
    waited = [sum(q.simulated for q in run.questions) for run in (eager, lazy)]
    assert waited[0] < waited[1]


def test_simulated_time_makes_two_runs_do_the_same(
    runs: dict[str, ArmRun],
    images: list[StampedImage],
    questions: list[TimedQuestion],
    family: Family,
) -> None:
    again = replay(partial(_make, 'auto', {}), 'auto', 'table', images, questions, family, CONFIG)
    for first, second in zip(runs['auto'].questions, again.questions, strict=True):
        assert (first.token_ids, first.rows, first.simulated, first.window) == (
            second.token_ids,
            second.rows,
            second.simulated,
            second.window,
        )
    rows = [[f.rows for f in run.frames] for run in (runs['auto'], again)]
    assert rows[0] == rows[1]


def test_questions_at_one_moment_are_follow_ups(runs: dict[str, ArmRun]) -> None:
    kinds = [q.kind for q in runs['auto'].questions]
    assert kinds == ['first', 'follow_up', 'live', 'follow_up', 'live', 'follow_up']


def test_nothing_later_than_the_question_is_seen(runs: dict[str, ArmRun]) -> None:
    for name, run in runs.items():
        for question in run.questions:
            assert question.window[-1] <= question.at * SECOND, name
            if not name.startswith('repair') and name != 'deltas':
                assert question.window[-1] > (question.at - 0.2) * SECOND, name


def test_cold_arms_pay_for_all_their_frames_and_sessions_for_none(
    runs: dict[str, ArmRun],
) -> None:
    rows = 16 + 2  # one frame of 112x112 pixels
    for question in runs['dense'].questions:
        assert question.rows > rows * len(question.window)
        assert question.windows == len(question.window)  # one window holds a frame of this size
    work = {
        name: sum(f.rows for f in run.frames) + sum(q.rows for q in run.questions)
        for name, run in runs.items()
    }
    assert work['lazy'] <= work['auto'] < work['exact'] < work['dense'] * 5


def test_what_the_baselines_show(runs: dict[str, ArmRun]) -> None:
    last = {name: run.questions[-1].window for name, run in runs.items()}
    assert last['screenshot'] == [int(4.8 * SECOND)]
    assert last['dense_last4'] == [int(s * SECOND) for s in (1.8, 2.8, 3.8, 4.8)]
    assert last['low_fps'] == [int(s * SECOND) for s in (0.0, 1.6, 3.2, 4.8)]


def test_repair_keeps_the_first_window_s_history(runs: dict[str, ArmRun]) -> None:
    fixed, auto = runs['repair:1'].questions, runs['auto'].questions
    assert fixed[0].window == auto[0].window
    kept = min(len(fixed[0].window), len(auto[2].window) - 1)
    assert fixed[2].window[:kept] == fixed[0].window[:kept]
    assert fixed[2].window[-1] == auto[2].window[-1]
    assert fixed[3].rows < fixed[2].rows  # a follow-up repairs nothing


def test_compression_keeps_something_of_frames_that_auto_has_forgotten(
    runs: dict[str, ArmRun],
) -> None:
    ours, exact = runs['infinipot'].questions[-1], runs['exact'].questions[-1]
    assert ours.window[0] <= exact.window[0]


def test_compression_has_room_to_choose_even_where_the_windows_were_short(
    family: Family, images: list[StampedImage], questions: list[TimedQuestion]
) -> None:
    one_frame: Windows = {questions[0].id: (0,)}
    config = replace(CONFIG, keyframe_interval=0.0)  # enough keyframes to reach the cap
    run = replay(
        lambda counted: make_arm('infinipot', counted, config, one_frame),
        'infinipot',
        't',
        images,
        questions[-1:],
        family,
        config,
    )
    assert not run.questions[0].exact


def test_deltas_append_only_what_changed(runs: dict[str, ArmRun]) -> None:
    frames = runs['deltas'].frames
    assert frames[0].blocks == frames[0].total
    assert min(f.blocks for f in frames) < frames[0].total / 2


def test_a_stream_of_any_length_leaves_few_frames_behind(family: Family) -> None:
    low, last = LowFps(family, CONFIG), DenseLast4(family, CONFIG)
    for number in range(400):
        frame = _frame(number)
        low.admit(frame)
        last.admit(frame)
    reply = low.ask('q', Question(text='What?'))
    assert len(vars(low)['_frames']) <= 64
    assert reply.window[0] == 0
    assert reply.window[-1] == 399 * SECOND // 10
    thirds = [stamp / reply.window[-1] for stamp in reply.window]
    assert thirds == pytest.approx([0, 1 / 3, 2 / 3, 1], abs=0.02)
    assert len(vars(last)['_frames']) <= 32


def _frame(number: int) -> Frame:
    pixels = np.full((56, 56, 3), number % 256, np.uint8)
    return Frame(pixels, Grid(2, 2, 28), number * SECOND // 10)


@pytest.mark.parametrize('name', ['dens', 'repair:0', 'repair:x', 'auto:1'])
def test_a_name_that_is_no_arm_is_refused(family: Family, name: str) -> None:
    with pytest.raises(ArmUnavailable, match='no arm'):
        make_arm(name, family, CONFIG, {})


def test_a_model_that_cannot_reuse_rows_is_run_exactly_or_says_why_not(
    images: list[StampedImage], questions: list[TimedQuestion]
) -> None:
    plain, runs = random_family('lfm2_vl'), {}
    windows: Windows = {}
    for name in ('auto', 'dense'):
        runs[name] = replay(
            partial(_make, name, windows), name, 't', images[:8], questions[:2], plain, CONFIG
        )
        windows = {q.id: tuple(q.window) for q in runs['auto'].questions}
    assert all(q.exact for q in runs['auto'].questions)
    assert drift(pairs([runs['auto']], [runs['dense']]))['answer']['count'] == 0
    for name in ('refresh', 'deltas', 'repair:1', 'infinipot'):
        with pytest.raises(ArmUnavailable, match='lfm2_vl'):
            make_arm(name, plain, CONFIG, {})
