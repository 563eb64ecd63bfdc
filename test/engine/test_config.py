# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Settings check themselves, and say what is allowed."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from vlmaxxing_ros.engine.config import EngineConfig


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'token_budget': 1}, 'token_budget must be at least 64, not 1'),
        ({'keyframe_interval': -1.0}, 'keyframe_interval must be at least 0'),
        ({'keyframe_interval': float('nan')}, 'keyframe_interval must be at least 0'),
        ({'tail_mode': 'fast'}, 'tail_mode must be one of auto, exact, refresh'),
        ({'max_tokens': 1.5}, 'max_tokens must be of type int'),
        ({'max_tokens': True}, 'max_tokens must be of type int'),
        ({'model': 7}, 'model must be of type str'),
        ({'low': 9.0, 'high': 8.0}, 'low .9.0. must not exceed high'),
        ({'max_duty': 1.5}, 'max_duty must be at most 1.0'),
    ],
)
def test_a_bad_value_is_refused_by_name(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EngineConfig(**settings)


def test_whole_numbers_are_good_enough_for_seconds() -> None:
    assert EngineConfig(keyframe_interval=2).keyframe_interval == 2


def test_every_setting_is_described() -> None:
    for spec in fields(EngineConfig):
        assert len(spec.metadata['description']) > 10, spec.name
