# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A context of whole frames, prefilled in as few pieces as possible.

A baseline deserves its best speed: all new frames go through the model in one chunk, where the
rolling cache takes them one by one.  Knows nothing of questions.
"""

from __future__ import annotations

import mlx.core as mx

from vlmaxxing_ros.engine.cache.branches import Branch, cache_arrays
from vlmaxxing_ros.engine.cache.fork import Fork
from vlmaxxing_ros.engine.cache.ledger import Kind, Segment
from vlmaxxing_ros.engine.families.base import Family, Features, Rows
from vlmaxxing_ros.engine.seeing.frame import Frame


class Context:
    """The text prefix and whole frames."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._branch = Branch(family.make_cache())
        self._segments = [Segment(Kind.TEXT, family.text_rows(family.text.prefix_ids, 0))]
        self._prefilled = 0

    @property
    def frames(self) -> list[Frame]:
        """The frames, oldest first."""
        return [s.frame for s in self._segments if s.frame is not None]

    def append(self, frames: list[Frame], features: list[Features]) -> None:
        """Prefill frames behind everything else."""
        for frame, shown in zip(frames, features, strict=True):
            rows = self._family.captioned_rows(frame, self._segments[-1].rows.end)
            self._segments.append(Segment(Kind.KEYFRAME, rows, frame, shown))
        new = [s.rows for s in self._segments[self._prefilled :]]
        layers = self._branch.layers
        self._branch.recall()
        self._family.hidden(Rows.join(new), _stacked(features), layers)
        mx.eval(list(cache_arrays(layers)))
        self._prefilled = len(self._segments)

    def keep(self, count: int) -> None:
        """Drop all frames but the oldest `count`."""
        dropped = self._segments[1 + count :]
        for layer in self._branch.layers:
            layer.trim(sum(len(s.rows) for s in dropped))
        self._segments = self._segments[: 1 + count]
        self._prefilled = min(self._prefilled, len(self._segments))

    def fork(self) -> Fork:
        """A branch to ask on."""
        return Fork(self._family, self._branch.lend(), list(self._segments))


def _stacked(features: list[Features]) -> Features:
    deep = zip(*(shown.deep for shown in features), strict=True)
    return Features(
        mx.concatenate([shown.embeds for shown in features]),
        tuple(mx.concatenate(list(layer)) for layer in deep),
    )
