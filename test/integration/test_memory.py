# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""An image for which the memory is not enough is dropped by name; the node looks on."""

from __future__ import annotations

import array
import json
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from integration.ros_process import Peer, TestCamera
from scarcity import many_heads, many_heads_config
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.random_models.folder import save
from vlmaxxing_ros.ros.messages import to_time


@pytest.fixture(scope='module', autouse=True)
def node(start_node: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp('model')
    save(many_heads(), 'qwen2_5_vl', folder)
    (folder / 'config.json').write_text(json.dumps(many_heads_config()))
    start_node(model=folder, max_blocks=16384, camera__transport='compressed')


def image(camera: TestCamera, side: int) -> CompressedImage:
    data = cv2.imencode('.png', np.full((side, side, 3), 90, np.uint8))[1].tobytes()
    header = Header(stamp=to_time(camera.now()), frame_id='lens')
    return CompressedImage(header=header, format='png', data=array.array('B', data))


def test_an_image_that_would_take_too_much_memory_is_dropped_by_name(peer: Peer) -> None:
    camera = TestCamera(peer, CompressedImage)
    budget = camera.send(image(camera, 128 * 28))
    assert budget.kind == FreshBudget.DROPPED
    assert 'image of 3584x3584 pixels' in budget.status_text
    assert 'lower max_blocks to ' in budget.status_text
    assert camera.send(image(camera, 112)).kind != FreshBudget.DROPPED
    assert peer.query('what is there?', max_tokens=2).status == Answer.OK
