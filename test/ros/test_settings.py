# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A camera's topic, as image_transport would find it."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.ros.settings import TRANSPORTS, CameraConfig


@pytest.mark.parametrize('transport', TRANSPORTS)
def test_without_a_base_topic_the_cameras_own_is_read(transport: str) -> None:
    assert CameraConfig(transport=transport).topic('front') == 'front/image'


@pytest.mark.parametrize(
    ('transport', 'topic'),
    [
        ('raw', '/robot/image_raw'),
        ('compressed', '/robot/image_raw/compressed'),
        ('compressedDepth', '/robot/image_raw/compressedDepth'),
        ('ffmpeg', '/robot/image_raw/ffmpeg'),
    ],
)
def test_the_transport_follows_the_base_topic(transport: str, topic: str) -> None:
    config = CameraConfig(transport=transport, base_topic='/robot/image_raw')
    assert config.topic('front') == topic


def test_a_base_topic_that_names_its_transport_is_refused() -> None:
    with pytest.raises(ValueError, match='without its /compressed'):
        CameraConfig(transport='compressed', base_topic='/robot/image_raw/compressed')
