# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A line of text that is to stand among the frames of a history.

Knows token ids and a stamp; knows nothing of what they say.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Note:
    """A note.

    Attributes:
        ids: its tokens, as they stand between two frames.
        stamp: of the newest frame when it came, nanoseconds.
    """

    ids: tuple[int, ...]
    stamp: int
