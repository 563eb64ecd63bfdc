# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Recordings read back as they were rendered; questions are true at their time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader

from vlmaxxing_ros.demo.recordings import (
    START,
    demo_recordings,
    main,
    read_questions,
    timed_questions,
    write_questions,
    write_recording,
)
from vlmaxxing_ros.demo.tabletop import Tabletop
from vlmaxxing_ros.demo.tabletop_questions import CHANGE_FAMILIES, Scene


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_a_recording_reads_back(tmp_path: Path, storage: str, transport: str) -> None:
    world = Tabletop(seed=3, size=(112, 140), duration=1.0)
    write_recording(
        tmp_path / 'bag', world, fps=5, storage=storage, transport=transport, frame_id='wrist'
    )
    shots = list(world.stream(5))
    with AnyReader([tmp_path / 'bag']) as reader:
        (connection,) = reader.connections
        assert connection.topic == '/camera/image' + ('/compressed' * (transport != 'raw'))
        messages = [
            (stamp, reader.deserialize(data, connection.msgtype))
            for _, stamp, data in reader.messages()
        ]
    assert len(messages) == len(shots) == 5
    for (stamp, message), shot in zip(messages, shots, strict=True):
        header = message.header.stamp
        assert stamp == header.sec * 10**9 + header.nanosec == START + round(shot.stamp * 1e9)
        assert message.header.frame_id == 'wrist'
        if transport == 'raw':
            assert (message.encoding, message.step) == ('rgb8', 3 * 140)
            assert np.array_equal(message.data.reshape(112, 140, 3), shot.image)
        else:
            read = cv2.cvtColor(cv2.imdecode(message.data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            assert np.abs(read.astype(int) - shot.image).mean() < 6


def test_unknown_storage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='mcap or sqlite3'):
        write_recording(tmp_path / 'bag', Tabletop(seed=0), storage='zip')
    with pytest.raises(ValueError, match='raw or compressed'):
        write_recording(tmp_path / 'bag', Tabletop(seed=0), transport='theora')


def test_questions_are_true_at_their_time() -> None:
    world = Tabletop(seed=6, duration=30, pause=1.0)
    questions = timed_questions(world, fps=10, seed=6)
    assert len(questions) > 30
    for question in questions:
        stamp = round(question.at * 10 - 0.5) / 10
        subject = next((c for c in world.state(stamp).blocks if c in question.question), '')
        if question.task in CHANGE_FAMILIES or (
            question.task in ('where', 'exists') and not subject
        ):
            continue
        assert Scene([world.state(stamp)]).answer(question.task, subject) == question.answer


def test_questions_are_timed_around_changes_so_that_old_answers_are_wrong() -> None:
    changed = 0
    for seed in range(6):
        questions = timed_questions(Tabletop(seed=seed, duration=20, pause=1.0), seed=seed)
        assert [q.at for q in questions] == sorted(q.at for q in questions)
        by_id = {q.id: q for q in questions}
        assert len(by_id) == len(questions)
        for name, question in by_id.items():
            earlier = by_id.get(name.replace('-at-', '-before-'))
            if '-at-' in name and earlier is not None:
                assert earlier.question == question.question
                assert earlier.choices == question.choices
                assert not question.choices or question.answer in question.choices
                changed += earlier.answer != question.answer
    assert changed > 30


def test_the_questions_file_reads_back(tmp_path: Path) -> None:
    questions = timed_questions(Tabletop(seed=1, duration=15, pause=1.0))
    write_questions(tmp_path / 'q.yaml', questions)
    assert read_questions(tmp_path / 'q.yaml') == questions
    (tmp_path / 'bad.yaml').write_text('- {id: a, task: where}\n')
    with pytest.raises(ValueError, match=r'bad\.yaml'):
        read_questions(tmp_path / 'bad.yaml')


def test_the_demo_recordings_are_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = demo_recordings(tmp_path, duration=8, fps=5)
    assert set(made) == {'calm', 'eventful'}
    written = {name: (bag / 'metadata.yaml').stat().st_mtime_ns for name, (bag, _) in made.items()}
    monkeypatch.setattr(
        'sys.argv', ['recordings', '--out', str(tmp_path), '--duration', '8', '--fps', '5']
    )
    main()
    assert 'eventful' in capsys.readouterr().out
    for name, (bag, questions) in made.items():
        assert (bag / 'metadata.yaml').stat().st_mtime_ns == written[name]
        assert all(0 < q.at < 8 for q in read_questions(questions))
