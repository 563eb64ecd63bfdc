# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The moving picture is made by the code, and what it shows is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from vlmaxxing_ros.demo.pictures import FPS, film, save
from vlmaxxing_ros.palette import PAID

COMMITTED = Path(__file__).resolve().parents[2] / 'docs' / 'figures' / 'looking.gif'


def test_frames_show_the_camera_what_was_paid_for_and_true_answers(tmp_path: Path) -> None:
    frames, asked = film(1.6)
    assert [answer for _, answer, _ in asked] == [truth for _, _, truth in asked]
    assert len(asked) == 1
    assert {frame.shape for frame in frames} == {frames[0].shape}
    paid = [np.all(frame == PAID, axis=2).any() for frame in frames]
    assert paid[0], 'the first frame is paid for whole, and the legend is orange besides'

    save(tmp_path / 'film.gif', frames)
    with Image.open(tmp_path / 'film.gif') as gif:
        height, width, _ = frames[0].shape
        assert (gif.n_frames, gif.size) == (len(frames), (width, height))
        assert abs(gif.info['duration'] - 1000 / FPS) < 10


def test_the_committed_picture_moves_and_is_small() -> None:
    assert COMMITTED.stat().st_size < 3e6
    with Image.open(COMMITTED) as gif:
        assert gif.n_frames > 30
