# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""One arm on one recording: when questions are asked, and what is refused."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.evaluation.arms import Admission, Arm, Reply
from vlmaxxing_ros.evaluation.errors import QuestionsError, RecordingError
from vlmaxxing_ros.evaluation.questions_file import TimedQuestion
from vlmaxxing_ros.evaluation.recordings import StampedImage
from vlmaxxing_ros.evaluation.replay import ArmRun, replay

CONFIG = EngineConfig()


class Recall(Arm):
    """Answers with the stamp of the newest frame, in milliseconds."""

    def admit(self, frame: Frame) -> Admission:
        """Remember it."""
        self.newest = frame.stamp
        return Admission(kind='tail', blocks=1)

    def ask(self, name: str, question: Question) -> Reply:
        """Tell."""
        stamp = self.newest
        return Reply(answer=str(stamp // 10**6), finish_reason='stop', window=(stamp,))


def _run(family: Family, images: list[StampedImage], *at: float) -> ArmRun:
    questions = [TimedQuestion(id=str(n), at=t, question='When?') for n, t in enumerate(at)]
    return replay(
        lambda counted: Recall(counted, CONFIG), 'recall', 'r', images, questions, family, CONFIG
    )


def test_a_question_sees_every_frame_up_to_its_moment_and_no_later_one(
    family: Family, images: list[StampedImage]
) -> None:
    run = _run(family, images, 0.0, 0.19, 0.2, 0.21, 4.8, 5.0)
    assert [q.answer for q in run.questions] == ['0', '0', '200', '200', '4800', '4800']
    assert [q.kind for q in run.questions] == [
        'first',
        'follow_up',
        'live',
        'follow_up',
        'live',
        'follow_up',
    ]
    assert len(run.frames) == 25


def test_a_question_after_the_end_is_refused(family: Family, images: list[StampedImage]) -> None:
    with pytest.raises(QuestionsError, match=r'asked at 60.0 s, but r ends at 4.80 s'):
        _run(family, images, 60.0)


def test_an_empty_recording_is_refused(family: Family) -> None:
    with pytest.raises(RecordingError, match='no image'):
        _run(family, [], 0.0)


def test_a_run_survives_its_json(family: Family, images: list[StampedImage]) -> None:
    run = _run(family, images[:3], 0.1)
    assert ArmRun.from_json(run.to_json()) == run
