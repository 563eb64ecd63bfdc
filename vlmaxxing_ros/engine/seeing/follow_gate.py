# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whether it pays to follow a camera: what would be bought with it, and what without.

Both are measured from one image to the next while the camera moves, as shares of the blocks.  A
camera that turns is followed for a fraction of the price; where things are at different distances,
and where it rolls or zooms, no piece of the image goes on showing the same, and all of the image
is worth more.  Knows shares and stamps; knows nothing of pixels.
"""

from __future__ import annotations

from collections import deque

WORTH = 0.7
"""Share of what is bought without it, above which following is not worth its margin."""

WINDOW = 1_000_000_000
"""Time over which shares are summed, and for which it must not have been worth it; ns."""

PAUSE = 5_000_000_000
"""Time for which a camera is not followed again once that was not worth it; ns."""


class FollowGate:
    """One stream's."""

    def __init__(self) -> None:
        self._noted: deque[tuple[int, float, float]] = deque()
        self._since = 0  # of what is followed now
        self._closed: int | None = None

    def note(self, stamp: int, *, without: float, following: float) -> None:
        """What an image (its stamp in ns) would cost either way, as shares of the blocks."""
        self._noted.append((stamp, without, following))

    def paused(self, stamp: int) -> bool:
        """Whether it will not open for so long that nothing needs to be noted yet."""
        return self._closed is not None and stamp - self._closed < PAUSE - WINDOW

    def opens(self, stamp: int, *, price: float) -> bool:
        """Whether to follow: what that would have saved is worth its price, in whole frames."""
        if self._closed is not None and stamp - self._closed < PAUSE:
            return False
        without, following = self._sums(stamp)
        if without - following < price or following >= WORTH * without:
            return False
        self._noted.clear()
        self._since = stamp
        return True

    def closes(self, stamp: int) -> bool:
        """Whether to follow no longer."""
        without, following = self._sums(stamp)
        if stamp - self._since < WINDOW or not self._noted or following <= WORTH * without:
            return False
        self._noted.clear()
        self._closed = stamp
        return True

    def _sums(self, stamp: int) -> tuple[float, float]:
        """Of what was noted lately, without it and with it."""
        while self._noted and stamp - self._noted[0][0] > WINDOW:
            self._noted.popleft()
        return sum(w for _, w, _ in self._noted), sum(f for _, _, f in self._noted)
