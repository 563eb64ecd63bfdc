# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What README and docs/comparison.md say of mlx-vlm, shown on the installed one.

If a test fails after an update, the pages must change.  That its prompt cache compares token ids
only is shown in test/engine/stream/test_stock.py.
"""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx_vlm.vision_cache import VisionFeatureCache
from PIL import Image


def picture(path: Path, level: int) -> None:
    Image.fromarray(np.full((28, 28, 3), level, np.uint8)).save(path)


def test_a_frame_that_is_overwritten_is_answered_with_the_old_one_s_features(
    tmp_path: Path,
) -> None:
    # mlx-vlm #1933: the cache of vision features is keyed by an image's path or URL.
    frame = tmp_path / 'frame.png'
    cache = VisionFeatureCache()
    picture(frame, 0)
    features = mx.array([1.0])
    cache.put(str(frame), features)
    picture(frame, 255)
    assert cache.get(str(frame)) is features
