# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Video files as streams."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vlmaxxing_ros.demo.clip import VideoClip


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Two seconds at 10 fps: frame i is grey 10 * i."""
    path = tmp_path / 'grey.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10.0, (64, 48))
    for index in range(20):
        writer.write(np.full((48, 64, 3), 10 * index, np.uint8))
    writer.release()
    return path


def test_frames_come_with_their_stamps(video: Path) -> None:
    shots = list(VideoClip(video).stream(10.0))
    assert [round(s.stamp, 3) for s in shots] == [round(i / 10, 3) for i in range(20)]
    assert [abs(int(s.image.mean()) - 10 * i) <= 2 for i, s in enumerate(shots)] == [True] * 20


def test_a_lower_rate_leaves_frames_out(video: Path) -> None:
    stamps = [round(s.stamp, 3) for s in VideoClip(video).stream(4.0)]
    assert len(stamps) == 8
    assert stamps[0] == 0.0


def test_a_duration_ends_the_stream(video: Path) -> None:
    assert len(list(VideoClip(video, 0.5).stream(10.0))) == 5


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'text.mp4').write_text('hello')
    with pytest.raises(ValueError, match='not a video'):
        VideoClip(tmp_path / 'text.mp4')
    with pytest.raises(ValueError, match='there is no such file'):
        VideoClip(tmp_path / 'nope.mp4')
