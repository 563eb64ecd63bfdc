# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The doctor names what is wrong and what to do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vlmaxxing_ros.engine.families.loading import NANO
from vlmaxxing_ros.ros.doctor import conversion, judge, listen, middleware, video

IMAGE = 'sensor_msgs/msg/Image'


def test_what_converts_images_is_named() -> None:
    assert conversion().text.startswith(
        ('images are converted by cv_bridge', 'images are converted by OpenCV')
    )
    assert 'PyAV' in video().text


def every(period_ms: int, count: int) -> list[int]:
    return [i * period_ms * 1_000_000 for i in range(count)]


def test_a_steady_stream_is_good() -> None:
    finding = judge('/c/image', IMAGE, every(33, 150), [900_000] * 150, 5.0)
    assert finding.verdict == 'good'
    assert '30.0 frames/s' in finding.text


def jittering(period_ms: int, count: int, by_ms: int) -> list[int]:
    late = np.random.default_rng(0).integers(0, by_ms * 1_000_000, count)
    return [stamp + int(by) for stamp, by in zip(every(period_ms, count), late, strict=True)]


def test_stamps_that_jitter_are_no_lost_frames() -> None:
    finding = judge('/c/image', IMAGE, jittering(33, 150, 12), [900_000] * 150, 5.0)
    assert finding.verdict == 'good', finding.text


@pytest.mark.parametrize('lost', [0.3, 0.5, 0.75])
@pytest.mark.parametrize('stamps', [every(33, 300), jittering(33, 300, 12)])
def test_gaps_in_the_stamps_are_lost_frames(stamps: list[int], lost: float) -> None:
    arrived = np.random.default_rng(1).random(len(stamps)) >= lost
    stamps = [stamp for stamp, there in zip(stamps, arrived, strict=True) if there]
    finding = judge('/c/image', IMAGE, stamps, [900_000] * len(stamps), 10.0)
    assert finding.verdict == 'bad'
    assert 'fastdds_shm.xml' in finding.text
    said = re.search(r'about (\d+)% of the frames are missing', finding.text)
    assert said is not None
    assert int(said[1]) / 100 == pytest.approx(1.0 - arrived.mean(), abs=0.05)


def test_a_publisher_without_frames_is_the_fast_dds_symptom() -> None:
    finding = judge('/c/image', IMAGE, [], [], 5.0)
    assert finding.verdict == 'bad'
    assert 'FASTRTPS_DEFAULT_PROFILES_FILE' in finding.text


def test_stamps_that_stand_still_are_noted() -> None:
    assert judge('/c/image', IMAGE, [0] * 10, [1] * 10, 1.0).verdict == 'note'


def test_a_profile_that_does_not_exist_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):
        monkeypatch.setenv(name, '/no/such/profile.xml')
    assert any(f.verdict == 'bad' and '/no/such' in f.text for f in middleware())


def test_a_topic_without_a_publisher_is_bad() -> None:
    finding = listen('/nobody/image', 0.5)
    assert finding.verdict == 'bad'
    assert 'nobody publishes on /nobody/image' in finding.text


def test_a_stream_past_1100_rows_is_judged_with_the_model_that_is_used() -> None:
    command = [sys.executable, '-m', 'vlmaxxing_ros.ros.doctor', '--model', 'nano']
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    frames = re.search(r'✓ (\d+) frames streamed one by one: next-token logits', done.stdout)
    assert frames is not None, done.stdout
    assert int(frames[1]) > 40, 'more than 1,100 rows'


@pytest.mark.parametrize(
    ('broken', 'reason'), [(None, 'does not exist'), ('{% for %}', 'template cannot be rendered')]
)
def test_a_model_that_is_none_is_bad_and_the_exit_status_says_so(
    tmp_path: Path, broken: str | None, reason: str
) -> None:
    folder = tmp_path / 'model'
    if broken is not None:
        shutil.copytree(NANO, folder)
        (folder / 'chat_template.jinja').write_text(broken)
    command = [sys.executable, '-m', 'vlmaxxing_ros.ros.doctor', '--model', str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith('✗ model')]
    assert str(folder) in line
    assert reason in line
