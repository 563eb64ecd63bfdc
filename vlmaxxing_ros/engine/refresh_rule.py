# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a refreshed tail looks at again, and which rows it recomputes, besides the fresh blocks'.

A row goes stale in two ways: what the vision tower says about its block moves on (blocks of an
encoded window see their neighbours change), and rows before it, to which it attended, are
recomputed.  Both are measured by the change of the features, so a static scene costs nothing and
a large change costs more than a small one.  Measured in docs/tail.md.

Knows features' changes, windows and the order of rows; knows nothing of pixels, models or caches.
"""

from __future__ import annotations

import numpy as np

LIMIT = 0.01
"""Staleness beyond which a row is recomputed; 1 is a change as large as the features are."""

WHOLE_FROM = 0.5
"""Share of the windows, and no less than two, from which the others are encoded as well."""

REACH = 3.0
"""Rows over which a change's effect on later rows falls by 1/e."""

_REACH_OF_A_ROW = np.exp(-np.arange(int(6 * REACH)) / REACH)


class RefreshRule:
    """Knows how stale each row of one tail is: not at all when it has just been prefilled whole.

    Args:
        blocks: number of blocks of the frame.
        limit: staleness beyond which a row is recomputed.
        whole_from: share of active windows from which all are encoded.
    """

    def __init__(
        self, blocks: int, *, limit: float = LIMIT, whole_from: float = WHOLE_FROM
    ) -> None:
        self._limit = limit
        self._whole_from = whole_from
        self._from_others = np.zeros(blocks)

    def look(self, fresh: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Decide which blocks to encode: those of windows with a fresh one, or all.

        Args:
            fresh: bool [rows, cols].
            windows: int [rows, cols], each block's window, numbered from 0.
        """
        active = np.unique(windows[fresh])
        if len(active) > 1 and len(active) >= self._whole_from * (windows.max() + 1):
            return np.ones_like(fresh)
        return np.isin(windows, active)

    def choose(self, fresh: np.ndarray, moved: np.ndarray) -> np.ndarray:
        """Decide which blocks' rows to recompute, and count them as recomputed.

        Args:
            fresh: bool [blocks], row-major; recomputed in any case.
            moved: float [blocks], squared change of each block's features since its row was
                computed, over the mean squared norm of the frame's features; 0 where the
                features are still those.

        Returns:
            bool [blocks]: `fresh` and the rows beyond the limit; nothing if nothing is fresh.
        """
        if not fresh.any():
            return np.zeros_like(fresh)
        expected = self._from_others + moved + _effect(np.where(fresh, moved, 0.0))
        chosen = fresh | (expected > self._limit)
        self._from_others += _effect(np.where(chosen, moved, 0.0))
        self._from_others[chosen] = 0.0
        return chosen

    def reset(self) -> None:
        """Every row has been prefilled anew."""
        self._from_others[:] = 0.0


def _effect(moved: np.ndarray) -> np.ndarray:
    """What recomputed rows do to the rows behind them, none of which is recomputed."""
    reached = np.convolve(moved, _REACH_OF_A_ROW)[: len(moved)]
    return np.concatenate([[0.0], reached[:-1]])
