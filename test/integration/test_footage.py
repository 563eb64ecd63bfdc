# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Real footage as a bag, played into a running node: its last frame is seen, and asked about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from integration.ros_process import PLAYER, ROOT, Peer, wait_until

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.demo.clip import VideoClip
from vlmaxxing_ros.demo.recordings import START, write_recording
from vlmaxxing_ros.ros.messages import to_ns

FOOTAGE = ROOT.parent / 'shared' / 'footage'
CLIPS = ['static_tabletop_hands_blocks.mp4', 'lowlight_noise_arena_70fps.avi']
FPS, SECONDS = 4.0, 3.0


@pytest.fixture(scope='module', autouse=True)
def node(start_node: Callable[..., None], model: str) -> None:
    if not FOOTAGE.is_dir():
        pytest.skip(f'no footage at {FOOTAGE}')
    start_node(model=model)


@pytest.mark.parametrize('name', CLIPS)
def test_a_clip_is_seen_and_asked_about(
    peer: Peer, spawn: Callable[..., object], tmp_path: Path, name: str
) -> None:
    clip = VideoClip(FOOTAGE / name, SECONDS)
    bag = write_recording(tmp_path / 'bag', clip, fps=FPS)
    last = START + round([shot.stamp for shot in clip.stream(FPS)][-1] * 1e9)
    budgets: list[FreshBudget] = peer.collect(FreshBudget, '/vlmaxxing/fresh_budget', 100)
    wait_until(lambda: peer.count_publishers('/vlmaxxing/fresh_budget'), what='budgets')
    spawn(*PLAYER, bag, '--qos', 'sensor', '--wait-for-subscribers', '1')
    # The newest image is never the one that is dropped.
    wait_until(lambda: budgets and to_ns(budgets[-1].header.stamp) == last, what='the last frame')
    answer = peer.query('Is anything moving?', choices=['yes', 'no'])
    assert answer.status == Answer.OK, answer.status_text
    assert to_ns(answer.header.stamp) == last
    assert sum(answer.choice_probabilities) == pytest.approx(1.0)
