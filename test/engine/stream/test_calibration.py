# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The price of cold dense is estimated from whole frames."""

from __future__ import annotations

import pytest

from vlmaxxing_ros.engine.stream.calibration import Calibration


def test_cold_dense_is_estimated_from_whole_frames() -> None:
    calibration = Calibration()
    assert calibration.cold_dense(frames=4, rows=100) == 0.0
    for vision in (0.1, 0.2, 0.9):
        calibration.add(vision=vision, prefill=0.5, rows=50)
    assert calibration.cold_dense(frames=4, rows=100) == pytest.approx(4 * 0.2 + 100 * 0.01)
