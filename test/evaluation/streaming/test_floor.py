# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The least that the present costs: part of a frame under a fixed camera, all of it on a belt."""

from __future__ import annotations

from pathlib import Path

from vlmaxxing_ros.engine.families import Family
from vlmaxxing_ros.evaluation.streaming.arms import CONFIG
from vlmaxxing_ros.evaluation.streaming.corpus import EventVideo, make_video
from vlmaxxing_ros.evaluation.streaming.floor import floor


def test_a_fixed_camera_owes_part_of_a_frame_and_a_belt_nearly_all(
    video: EventVideo, corpus: Path, family: Family
) -> None:
    belt = make_video(corpus, 'stage0', 'conveyor', 0, events=2)
    least = floor([video, belt], family, CONFIG)
    assert 0 < least['tabletop']['mean'] < least['tabletop']['whole']
    assert least['tabletop']['mean'] < least['conveyor']['mean'] <= least['conveyor']['whole']
