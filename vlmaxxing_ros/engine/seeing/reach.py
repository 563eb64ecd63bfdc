# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How far back a history should reach, and how far at most.

Questions about change compare now with a moment ago: evidence of another time answers another
question.  Knows settings; knows nothing of frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vlmaxxing_ros.engine.config import EngineConfig


@dataclass(frozen=True)
class Reach:
    """Nanoseconds back from the newest frame.

    Attributes:
        least: the history should show a frame of that time, or of a time before.
        most: what has not been so since then is no evidence any more.
    """

    least: float
    most: float

    @classmethod
    def of(cls, config: EngineConfig) -> Reach:
        """As long as the keyframes that are kept, one per interval; twice that at most.

        A compressed history reaches back as far as its budget lets it.
        """
        interval = config.keyframe_interval
        timed = config.keep_keyframes and 0.0 < interval < math.inf
        if not timed or config.compression == 'infinipot':
            return cls(math.inf, math.inf)  # keyframes or rows are counted, or there are none
        span = config.keep_keyframes * interval * 1e9
        return cls(span, 2 * span)
