# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Every family loads from an ordinary model folder, through mlx-vlm's own loader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from engine.families.exactness import next_logits, noise, stream

from vlmaxxing_ros.engine.families import load_family
from vlmaxxing_ros.engine.families.self_test import self_test
from vlmaxxing_ros.random_models.families import random_family
from vlmaxxing_ros.random_models.folder import save


@pytest.mark.filterwarnings('ignore:At least one mel filter')  # Gemma 4's audio, unused
@pytest.mark.parametrize(
    'model_type',
    ['qwen3_vl', 'qwen3_vl_moe', 'qwen3_5', 'gemma4', 'gemma4_unified', 'lfm2_vl', 'pixtral'],
)
def test_a_saved_model_answers_as_it_did(model_type: str, tmp_path: Path) -> None:
    family = random_family(model_type)
    save(family, model_type, tmp_path)
    loaded = load_family(str(tmp_path))
    assert type(loaded) is type(family)
    assert loaded.capabilities == family.capabilities
    frames = noise(family, 2)
    before, after = (next_logits(f, stream(f, frames).fork()) for f in (family, loaded))
    # Loaded weights may lie otherwise in memory, which BLAS may round otherwise.
    assert np.abs(before - after).max() < 1e-5
    assert self_test(loaded).ok
