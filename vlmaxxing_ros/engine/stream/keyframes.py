# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""When a frame becomes a keyframe.

Knows stamps; knows nothing of caches.
"""

from __future__ import annotations

from vlmaxxing_ros.engine.config import EngineConfig


class Keyframes:
    """One stream's."""

    def __init__(self) -> None:
        self._newest: int | None = None  # ns
        self._forced = False

    def force(self) -> None:
        """The next frame is one."""
        self._forced = True

    def due(self, stamp: int, config: EngineConfig) -> bool:
        """Whether a frame with this stamp (nanoseconds) is to be one."""
        if config.keep_keyframes == 0:
            return False
        if self._forced or self._newest is None:
            return True
        return (stamp - self._newest) * 1e-9 >= config.keyframe_interval

    def taken(self, stamp: int) -> None:
        """The frame with this stamp is one."""
        self._newest, self._forced = stamp, False
