# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Which settings a model's family can follow.  Knows capabilities; knows nothing of streams."""

from __future__ import annotations

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import Unsupported
from vlmaxxing_ros.engine.families.base import Family


def check_support(family: Family, config: EngineConfig) -> None:
    """Refuse settings that the model's family cannot follow.

    Raises:
        Unsupported: see `refusal`.
    """
    if text := refusal(family, config):
        raise Unsupported(text)


def refusal(family: Family, config: EngineConfig) -> str:
    """Which setting the family cannot follow, and what it can be set to; empty: it can."""
    if config.tail_mode == 'refresh' and not family.capabilities.tail_refresh:
        return f'{family.name} cannot refresh rows in place: set tail_mode to auto or exact'
    if config.compression != 'none' and not family.capabilities.compression:
        return f'{family.name} cannot be compressed: set compression to none'
    return ''
