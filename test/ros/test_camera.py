# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A camera's slot: newest image only, counted drops, and when the next image should come."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import load_family
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.ros.camera import Arrival, Camera


@pytest.fixture(scope='module')
def make_camera() -> Callable[[], Camera]:
    family = load_family('nano')

    def make() -> Camera:
        session = StreamSession(family, EngineConfig())
        return Camera('front', lambda message: np.asarray(message), session)

    return make


def offer(camera: Camera, stamp: int) -> None:
    camera.offer(Arrival(None, stamp, 'lens'))


def test_the_newest_image_waits_and_the_others_are_counted(
    make_camera: Callable[[], Camera],
) -> None:
    camera = make_camera()
    for stamp in (1, 2, 3):
        offer(camera, stamp)
    arrival = camera.take()
    assert arrival is not None
    assert arrival.stamp == 3
    assert not camera.has_image
    counts = camera.counts()
    assert (counts.received, counts.dropped) == (3, 2)
