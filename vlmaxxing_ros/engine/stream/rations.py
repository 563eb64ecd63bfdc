# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How much a stream may hold: whether that is enough, and less of it once memory has run out.

Knows the token budget; knows nothing of what it is spent on.
"""

from __future__ import annotations

from dataclasses import replace

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.stream.noting import MAX_TOKENS


def warning(config: EngineConfig, rows: int) -> str:
    """Whether the budget cannot hold what the settings ask to keep, of frames of so many rows."""
    frames = 6 if config.compression == 'infinipot' else 2 * max(1, config.keep_keyframes)
    least = frames * rows + 2 * config.keep_notes * MAX_TOKENS
    if config.token_budget >= least:
        return ''
    return (
        f'token_budget {config.token_budget} is too small for frames of {rows} rows: '
        f'set it to at least {least}, or lower keep_keyframes or max_blocks'
    )


class Rations:
    """One session's.

    Attributes:
        note: for people: what is held to what; empty while nothing ran out.
    """

    def __init__(self) -> None:
        self._most: int | None = None
        self.note = ''

    def halve(self, config: EngineConfig, least: int) -> bool:
        """Halve the budget in use, to no less than `least` rows; False: it is no more than that."""
        budget = max(64, least, config.token_budget // 2)
        if budget >= config.token_budget:
            return False
        self._most = budget
        self.note = (
            f'memory ran out: token_budget is held at {budget}; lower it, keep_keyframes or '
            'max_blocks for good'
        )
        return True

    def of(self, config: EngineConfig) -> EngineConfig:
        """Settings within the rations."""
        if self._most is None or config.token_budget <= self._most:
            return config
        return replace(config, token_budget=self._most)
