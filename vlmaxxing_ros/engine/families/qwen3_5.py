# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Qwen3.5, dense and mixture of experts: Qwen2-VL's rows over layers with recurrent state.

Most layers keep a state that has absorbed every row before it.  Rows can be appended and the
state forked, both exactly; no row can be taken back or recomputed, so a tail is always prefilled
whole on a fork of the history, and the past is asked about where a state was kept (`recurrent.py`).
Its processor is Qwen3-VL's, and so a frame stands behind its time.
"""

from __future__ import annotations

from typing import Any

from vlmaxxing_ros.engine.families.base import Capabilities
from vlmaxxing_ros.engine.families.qwen2_vl import Qwen2VL
from vlmaxxing_ros.engine.families.qwen3_vl import told_time
from vlmaxxing_ros.engine.families.recurrent import rewind_states, states
from vlmaxxing_ros.engine.seeing.frame import Frame


class Qwen35(Qwen2VL):
    """Gated delta rule in most layers, full attention in the others."""

    capabilities = Capabilities(
        delta_frames=True,
        tail_refresh=False,
        incremental_vision=True,
        as_of=True,
        rewind=False,
        compression=False,
        quantized_cache=True,
        notes=True,
        carry=False,
    )

    def caption(self, frame: Frame) -> str:
        """Seconds since the stream began."""
        return told_time(frame)

    def kept(self, layers: list[Any]) -> list[Any]:
        """The recurrent states."""
        return states(layers)

    def rewind(self, layers: list[Any], surplus: int, kept: list[Any] | None = None) -> bool:
        """Drop rows of keys and values, and go back to the states that were kept."""
        return rewind_states(layers, surplus, kept)
