# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A camera is believed to move only where what has texture agrees."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from engine.seeing import pans
from engine.seeing.pans import CameraPath, Pose

from vlmaxxing_ros.engine.seeing.witnesses import hear

GONE = (5.0, -3.0)


@lru_cache(maxsize=1)
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two images of a camera that has turned."""
    pan = CameraPath('turned', lambda index: Pose(GONE[0] * index, GONE[1] * index))
    return pans.delivered(pan, 0), pans.delivered(pan, 1)


def test_all_that_has_texture_moves_with_a_camera() -> None:
    assert hear(*pair(), GONE).camera_moves


def test_it_moves_in_another_light_too() -> None:
    before, now = pair()
    assert hear(before, np.clip(now.astype(int) + 20, 0, 255).astype(np.uint8), GONE).camera_moves


def test_where_a_part_with_texture_stands_still_it_does_not() -> None:
    before, now = pair()
    now = np.concatenate([before[:60], now[60:]])
    heard = hear(before, now, GONE)
    assert heard.contradicted
    assert not heard.camera_moves


def test_where_a_side_has_no_texture_it_cannot_be_told() -> None:
    before, now = (image.copy() for image in pair())
    before[:40] = now[:40] = 128
    heard = hear(before, now, GONE)
    assert not heard.contradicted
    assert not heard.camera_moves


def test_another_motion_than_it_is_thought_to_be_is_no_witness() -> None:
    assert not hear(*pair(), (-9.0, 6.0)).camera_moves


def test_images_that_show_nothing_of_each_other_say_nothing() -> None:
    heard = hear(*pair(), (1000.0, 0.0))
    assert not heard.camera_moves
    assert not heard.contradicted
