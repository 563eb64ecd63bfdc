# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What the evaluation's tests share: a tiny random model, a short recording, hand-made results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vlmaxxing_ros.demo.recordings import write_recording
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.evaluation.questions_file import TimedQuestion, save_questions
from vlmaxxing_ros.evaluation.recordings import StampedImage
from vlmaxxing_ros.evaluation.replay import AdmittedFrame, ArmRun, AskedQuestion
from vlmaxxing_ros.random_models.families import random_family

SECOND = 10**9


@pytest.fixture(scope='session')
def family() -> Family:
    """A tiny Qwen2.5-VL with random weights: its answers mean nothing, but are what they are."""
    return random_family('qwen2_5_vl')


@pytest.fixture(scope='session')
def world() -> Tabletop:
    """Five seconds of a table on which something happens."""
    return Tabletop(seed=2, size=(112, 112), duration=5.0, pause=0.4)


@pytest.fixture(scope='session')
def recording(world: Tabletop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It as a rosbag2 folder: 25 raw images, mcap."""
    return write_recording(tmp_path_factory.mktemp('bags') / 'table', world, fps=5.0)


@pytest.fixture(scope='session')
def images(world: Tabletop) -> list[StampedImage]:
    """The same images, decoded."""
    return [StampedImage(s.image, round(s.stamp * 1e9), 'camera') for s in world.stream(5.0)]


@pytest.fixture(scope='session')
def questions() -> list[TimedQuestion]:
    """Two questions at each of three moments: one free, one closed."""
    asked = []
    for number, at in enumerate((1.1, 2.7, 4.9)):
        asked += [
            TimedQuestion(id=f'free{number}', at=at, question='Describe what you see.', answer='x'),
            TimedQuestion(
                id=f'closed{number}', at=at, question='Open?', choices=('yes', 'no'), answer='yes'
            ),
        ]
    return asked


@pytest.fixture
def questions_file(questions: list[TimedQuestion], tmp_path: Path) -> Path:
    """They as a file."""
    path = tmp_path / 'q.yaml'
    save_questions(path, questions)
    return path


MakeQuestion = Callable[..., AskedQuestion]


@pytest.fixture(scope='session')
def asked() -> MakeQuestion:
    """A hand-made result: `asked('q1', answer='left', truth='left', at=1.0, ...)`."""

    def make(name: str, **values: object) -> AskedQuestion:
        defaults: dict[str, object] = {
            'id': name,
            'task': 'where',
            'at': 1.0,
            'text': 'Where?',
            'closed': False,
            'truth': 'left',
            'kind': 'live',
            'answer': 'left',
            'choice_index': -1,
            'token_ids': [1, 2],
            'finish_reason': 'stop',
            'parsed': True,
            'exact': True,
            'window': [0],
            'ttft': 0.1,
            'latency': 0.2,
            'vision': 0.0,
            'prefill': 0.0,
            'admission': 0.05,
            'rows': 10,
            'windows': 0,
        }
        return AskedQuestion(**(defaults | values))  # type: ignore[arg-type]

    return make


@pytest.fixture(scope='session')
def arm_run() -> Callable[..., ArmRun]:
    """A hand-made run: `arm_run([question, ...], seconds=0.02)`, ten frames in one second."""

    def make(
        questions: list[AskedQuestion],
        *,
        arm: str = 'auto',
        recording: str = 'r',
        kind: str = 'tail',
        blocks: int = 4,
        seconds: float = 0.02,
    ) -> ArmRun:
        frames = [
            AdmittedFrame(
                stamp=int(i * SECOND / 9),
                kind=kind,
                total=16,
                blocks=blocks,
                rows=blocks + 1,
                windows=blocks,
                seconds=seconds,
                plan=seconds / 4,
                vision=seconds / 4,
                prefill=seconds / 4,
                fresh='',
            )
            for i in range(10)
        ]
        return ArmRun(arm, recording, frames, questions)

    return make


def grey(height: int, width: int, level: int) -> np.ndarray:
    """A flat image."""
    return np.full((height, width, 3), level, np.uint8)
