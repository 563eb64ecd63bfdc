# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Count the work that a model really does, whoever asks for it.

Rebuilds, settling and audits are counted like anything else.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import mlx.core as mx
import numpy as np

from vlmaxxing_ros.engine.families.base import Family, Features, Rows
from vlmaxxing_ros.engine.seeing.frame import Frame


@dataclass
class Work:
    """Work done so far.

    Attributes:
        image_rows: rows of frames that went through the language model.
        text_rows: rows of text that did: prefix, questions and decoded tokens.
        windows: attention windows that went through the vision tower.
        calls: times that the vision tower was run on one window or more.
    """

    image_rows: int = 0
    text_rows: int = 0
    windows: int = 0
    calls: int = 0

    def since(self, before: Work) -> Work:
        """What was done after `before`."""
        return Work(
            self.image_rows - before.image_rows,
            self.text_rows - before.text_rows,
            self.windows - before.windows,
            self.calls - before.calls,
        )

    def copy(self) -> Work:
        """The counts as they stand."""
        return replace(self)


def metered(family: Family) -> tuple[Family, Work]:
    """A family that shares the model and counts its work, and the counts."""
    counting, work = copy.copy(family), Work()

    def encode(frame: Frame, state: Any, active: np.ndarray) -> tuple[Features, Any]:
        work.windows += len(active)
        work.calls += bool(len(active))
        return family.encode(frame, state, active)

    def hidden(rows: Rows, features: Features | None, cache: list[Any]) -> mx.array:
        if features is None:
            work.text_rows += len(rows)
        else:
            work.image_rows += len(rows)
        return family.hidden(rows, features, cache)

    # On the instance: every other method stays the family's own.
    vars(counting).update(encode=encode, hidden=hidden)
    return counting, work
