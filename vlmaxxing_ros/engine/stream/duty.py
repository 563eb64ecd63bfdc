# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How busy the model may be while nobody asks: a share of the time.

Credit grows with time and is spent by background work; what is not used is kept for a moment
only.  Knows seconds; knows nothing of jobs.
"""

from __future__ import annotations

_KEPT = 1.0  # s of credit at most


class Duty:
    """The background's.

    Args:
        now: seconds of whatever clock.

    Attributes:
        busy: seconds that were spent since it began.
    """

    def __init__(self, now: float) -> None:
        self.busy = 0.0
        self._began = self._counted = now
        self._credit = 0.0

    def allows(self, share: float, now: float) -> bool:
        """Whether background work may go on now, at `share` of the time (0 to 1)."""
        self._credit = min(_KEPT * share, self._credit + share * (now - self._counted))
        self._counted = now
        return share >= 1.0 or (share > 0.0 and self._credit >= 0.0)

    def wait(self, share: float) -> float:
        """Seconds until it may."""
        return max(0.0, -self._credit / share) if share > 0.0 else float('inf')

    def spend(self, seconds: float) -> None:
        """Background work took this long."""
        self.busy += seconds
        self._credit -= seconds

    def share(self, now: float) -> float:
        """Share of the time since the beginning that was spent."""
        return self.busy / max(now - self._began, 1e-9)
