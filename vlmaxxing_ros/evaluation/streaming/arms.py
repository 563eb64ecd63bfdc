# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The five arms of the streaming comparison, on matched windows.

Four of them choose frames of the last four seconds and prefill them cold; ours is the engine that
sees every frame of the camera.  Knows nothing of events or truths.
"""

from __future__ import annotations

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.evaluation.arms import Arm, make_arm
from vlmaxxing_ros.evaluation.arms.cold import FramesAt
from vlmaxxing_ros.evaluation.streaming.events import WINDOW

ORACLE, LOW_FPS, SCREENSHOT, RECENCY, NATIVE = ARMS = (
    'fresh_oracle_dense',
    'low_fps_dense',
    'screenshot_polling',
    'recency_last_k',
    'c_stream_native',
)
"""By the names that the authors' artifact has for them, the oracle first."""

TWO_FRAMES = 'two_frames_dense'
"""Not part of the artifact: the window's first frame and its last.  It makes half of low-fps
dense's tower calls by construction: whoever wants to be paid for reuse has to beat it."""

OFFSETS: dict[str, tuple[float, ...]] = {
    ORACLE: tuple(WINDOW * part / 7 for part in range(7, -1, -1)),
    LOW_FPS: tuple(WINDOW * part / 3 for part in range(3, -1, -1)),
    SCREENSHOT: (0.0,),
    RECENCY: (1.5, 1.0, 0.5, 0.0),
    TWO_FRAMES: (WINDOW, 0.0),
}
"""Seconds before the newest frame at which an arm takes its frames, oldest first."""


CONFIG = EngineConfig(keyframe_interval=1.0, keep_keyframes=3, max_duty=0.0, follow='off')
"""Ours: three keyframes, one second apart, and the newest frame, as the baselines' four.  A history
grows to twice its keyframes before the oldest go.  `follow` is as it was when the scored set was
asked, once."""


def make_streaming_arm(name: str, family: Family, config: EngineConfig) -> Arm:
    """Set up one of `ARMS`, or `TWO_FRAMES`."""
    if name == NATIVE:
        return make_arm('auto', family, config, {})
    return FramesAt(family, config, OFFSETS[name])
