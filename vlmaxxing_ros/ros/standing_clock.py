# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Notices that a simulated clock does not run: nothing that waits for its time ever happens."""

from __future__ import annotations

import time
from collections.abc import Callable


class StandingClock:
    """Watches a clock.

    Args:
        now: its time in ns.
        patience: seconds for which it may stand.
    """

    def __init__(self, now: Callable[[], int], patience: float) -> None:
        self._now = now
        self._patience = patience
        self._seen = now()
        self._since = time.monotonic()

    def hint(self) -> str:
        """What is to be said about it; empty while it runs."""
        now = self._now()
        if now != self._seen:
            self._seen, self._since = now, time.monotonic()
        stood = time.monotonic() - self._since
        if stood < self._patience:
            return ''
        why = 'nobody publishes /clock' if not now else 'is the simulation or the player paused?'
        return f'the clock stands at {now * 1e-9:.3f} s for {stood:.0f} s (use_sim_time): {why}'
