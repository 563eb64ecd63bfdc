# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The streaming engine: frames and questions in, answers and budgets out.  Knows nothing of ROS.

Importing this imports nothing else, and its names only what they need: `config`, `errors`,
`question` and `seeing` work without MLX.  Folders import from those before them only: seeing,
families, cache, answering, stream.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlmaxxing_ros.engine.config import EngineConfig
    from vlmaxxing_ros.engine.errors import EngineError
    from vlmaxxing_ros.engine.families import load_family
    from vlmaxxing_ros.engine.question import Answer, Question
    from vlmaxxing_ros.engine.stream.budget import FreshBudget
    from vlmaxxing_ros.engine.stream.session import StreamSession

__all__ = [
    'Answer',
    'EngineConfig',
    'EngineError',
    'FreshBudget',
    'Question',
    'StreamSession',
    'load_family',
]

_HOMES = {
    'Answer': 'question',
    'EngineConfig': 'config',
    'EngineError': 'errors',
    'FreshBudget': 'stream.budget',
    'Question': 'question',
    'StreamSession': 'stream.session',
    'load_family': 'families',
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_HOMES[name]}'), name)
