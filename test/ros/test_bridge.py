# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""cv_bridge is used where it gives our pixels, and nowhere else."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('sensor_msgs', reason='needs the ROS 2 messages')

from sensor_msgs.msg import Image

from vlmaxxing_ros.ros.bridge import Bridge, Choice, compare
from vlmaxxing_ros.ros.images import LAYOUTS, to_rgb
from vlmaxxing_ros.ros.messages import to_image

PACKED = [name for name, layout in LAYOUTS.items() if layout.planes == 1.0]


def message(encoding: str, padding: int) -> Image:
    """An image of noise whose rows are followed by `padding` bytes."""
    row = 10 * LAYOUTS[encoding].item + padding
    data = np.random.default_rng(1).integers(0, 256, 6 * row, dtype=np.uint8)
    return Image(height=6, width=10, encoding=encoding, step=row, data=data.tobytes())


@pytest.fixture(scope='module')
def bridge() -> Bridge:
    pytest.importorskip('cv_bridge', reason='needs cv_bridge')
    return Choice().made()


def test_what_every_camera_sends_goes_through_cv_bridge(bridge: Bridge) -> None:
    assert bridge.encodings >= {'mono8', 'rgb8', 'bgr8', 'rgba8', 'bgra8'}
    assert bridge.outgoing
    assert str(bridge).startswith('cv_bridge (')


@pytest.mark.parametrize('padding', [0, 8])
@pytest.mark.parametrize('encoding', PACKED)
def test_both_give_the_same_pixels(bridge: Bridge, encoding: str, padding: int) -> None:
    image = message(encoding, padding)
    np.testing.assert_array_equal(to_rgb(image, convert=bridge.to_rgb), to_rgb(image))


def test_both_make_the_same_message(bridge: Bridge) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (6, 10, 3), dtype=np.uint8)
    ours = to_image(pixels, stamp=3_000_000_004, frame_id='lens')
    assert bridge.to_image(pixels, stamp=3_000_000_004, frame_id='lens') == ours


def test_an_encoding_that_it_does_not_know_is_not_its() -> None:
    assert Bridge().to_rgb('rgb8', np.zeros((2, 2, 3), np.uint8)) is None
    pytest.importorskip('cv_bridge', reason='needs cv_bridge')
    assert 'nv12' not in compare()['encodings']


@pytest.mark.parametrize(
    ('module', 'said'),
    [
        ('raise ImportError("numpy.core.multiarray failed to import")', 'multiarray failed'),
        ('import os, signal; os.kill(os.getpid(), signal.SIGSEGV)', 'by signal 11'),
    ],
)
def test_a_cv_bridge_that_does_not_load_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, said: str
) -> None:
    (tmp_path / 'cv_bridge.py').write_text(f'{module}\n')
    monkeypatch.setenv('PYTHONPATH', f'{tmp_path}:{":".join(filter(None, sys.path))}')
    choice = Choice()
    bridge = choice.made()
    assert said in str(bridge)
    assert str(choice) == str(bridge)
    assert str(bridge).startswith('OpenCV (')
    image = message('rgb8', 0)
    np.testing.assert_array_equal(to_rgb(image, convert=bridge.to_rgb), to_rgb(image))
