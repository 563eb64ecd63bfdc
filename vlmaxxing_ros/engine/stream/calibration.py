# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What whole frames have cost on this machine, from which other work is priced.

Knows seconds and rows; knows nothing of frames.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass
class Calibration:
    """What whole frames have cost, from which the price of cold dense is estimated.

    The medians of the newest whole frames: seconds per frame in the vision tower and seconds per
    row in the language model.  Attention's growth with the context is left out, so the estimate
    is low rather than high.
    """

    vision: deque[float] = field(default_factory=lambda: deque(maxlen=15))
    row: deque[float] = field(default_factory=lambda: deque(maxlen=15))

    def add(self, *, vision: float, prefill: float, rows: int) -> None:
        """Record one frame encoded and prefilled whole."""
        self.vision.append(vision)
        self.row.append(prefill / rows)

    def cold_dense(self, *, frames: int, rows: int) -> float:
        """Seconds to encode and prefill a window of frames from nothing; 0: not known yet."""
        if not self.vision:
            return 0.0
        return frames * _median(self.vision) + rows * _median(self.row)


def _median(values: deque[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
