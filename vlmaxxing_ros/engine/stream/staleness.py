# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a refreshed tail looks at again, and which rows have gone stale, besides the fresh blocks'.

A row goes stale in two ways: what the vision tower says about its block moves on (blocks of an
encoded window see their neighbours change), and rows before it, to which it attended, are
recomputed.  Both are measured by the change of the features, so a static scene costs nothing and
a large change costs more than a small one.  Measured in docs/tail.md.

Knows features' changes, windows and the order of rows; knows nothing of pixels, models or caches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LIMIT = 0.01
"""Staleness beyond which a row is recomputed; 1 is a change as large as the features are."""

WHOLE_FROM = 0.5
"""Share of the windows, and no less than two, from which the others are encoded as well."""

WHOLE_ROWS = 0.8
"""Share of the rows from which a frame whose windows are all encoded is prefilled whole: that costs
hardly more, and is exact."""

REACH = 3.0
"""Rows over which a change's effect on later rows falls by 1/e."""

_REACH_OF_A_ROW = np.exp(-np.arange(int(6 * REACH)) / REACH)


@dataclass(frozen=True, kw_only=True)
class RefreshRule:
    """Decides what is encoded and recomputed besides the fresh blocks.

    A tail's staleness, float [blocks], is 0 where it has just been prefilled whole; it is kept
    with the tail, on its ledger.

    Attributes:
        limit: staleness beyond which a row is recomputed.
        whole_from: share of active windows from which all are encoded.
    """

    limit: float = LIMIT
    whole_from: float = WHOLE_FROM

    def look(self, fresh: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Decide which blocks to encode: those of windows with a fresh one, or all.

        Args:
            fresh: bool [rows, cols].
            windows: int [rows, cols], each block's window, numbered from 0.
        """
        active = np.unique(windows[fresh])
        if len(active) > 1 and len(active) >= self.whole_from * (windows.max() + 1):
            return np.ones_like(fresh)
        return np.isin(windows, active)

    def recomputed(self, staleness: np.ndarray, which: np.ndarray, moved: np.ndarray) -> np.ndarray:
        """The staleness once rows have been recomputed: those behind them go stale.

        So do they themselves, as far as they attended to stale rows that were left alone.

        Args:
            staleness: float [blocks], before.
            which: bool [blocks], row-major, the rows that were recomputed.
            moved: float [blocks], squared change of each block's features since its row was
                computed, over the mean squared norm of the frame's features; 0 where the
                features are still those.
        """
        after = staleness + _effect(np.where(which, moved, 0.0))
        after[which] = 0.0
        left_alone = after + np.where(which, 0.0, moved)
        left_alone[left_alone <= self.limit] = 0.0
        after[which] = _effect(left_alone)[which]
        return after

    def with_stale(self, staleness: np.ndarray, fresh: np.ndarray, moved: np.ndarray) -> np.ndarray:
        """Decide which rows to recompute in one pass for none to be stale then: bool [blocks].

        Args:
            staleness, moved: as in `recomputed`.
            fresh: bool [blocks], rows that are recomputed in any case.
        """
        which = fresh
        while True:
            left_alone = staleness + _effect(np.where(which, moved, 0.0)) + moved
            more = which | (left_alone > self.limit)
            if (more == which).all():
                return which
            which = more


def _effect(moved: np.ndarray) -> np.ndarray:
    """What changed rows do to the rows behind them."""
    reached = np.convolve(moved, _REACH_OF_A_ROW)[: len(moved)]
    return np.concatenate([[0.0], reached[:-1]])
