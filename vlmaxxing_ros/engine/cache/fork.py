# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A branch of a cache, on which one question is answered and which is then dropped.

Knows text, frames of other cameras and logits; knows nothing of how the cache came about.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from vlmaxxing_ros.engine.cache.branches import Branch, evaluating
from vlmaxxing_ros.engine.cache.ledger import Segment
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.steps import Steps


class Fork:
    """See the module's docstring."""

    def __init__(self, family: Family, branch: Branch, segments: list[Segment]) -> None:
        self._family = family
        self._branch = branch
        self.segments = segments
        self.end = segments[-1].rows.end
        self.rows = sum(len(s.rows) for s in segments)

    @property
    def layers(self) -> list[Any]:
        """The caches of the model's layers."""
        return self._branch.layers

    @property
    def frames(self) -> list[Frame]:
        """The evidence: every frame with rows on this branch, oldest first."""
        return [s.frame for s in self.segments if s.frame is not None]

    def appending(self, segment: Segment) -> Steps[None]:
        """Prefill a segment behind everything else, a layer at a time."""
        self._branch.recall()
        self._family.hidden(segment.rows, segment.features, self.layers)
        self.segments = [*self.segments, segment]
        self.end = segment.rows.end
        self.rows += len(segment.rows)
        yield from evaluating(self.layers, len(segment.rows))

    def extend(self, ids: list[int]) -> mx.array:
        """Prefill text and return its next-token logits, float32 [vocabulary]; lazy."""
        return self.score(ids)[-1]

    def score(self, ids: list[int], last: int = 1) -> mx.array:
        """Prefill text and return the logits after each of its `last` tokens; lazy.

        Returns:
            float32 [last, vocabulary].
        """
        self._branch.recall()
        rows = self._family.text_rows(ids, self.end)
        hidden = self._family.hidden(rows, None, self.layers)
        self.end = rows.end
        self.rows += len(rows)
        return self._family.logits(hidden[0, -last:]).astype(mx.float32)

    def fork(self) -> Fork:
        """A branch of this branch."""
        fork = Fork(self._family, self._branch.lend(), self.segments)
        fork.end, fork.rows = self.end, self.rows
        return fork
