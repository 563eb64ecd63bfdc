# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The streaming engine: frames and questions in, answers and budgets out.  Knows nothing of ROS."""

from vlmaxxing_ros.engine.accounting import FreshBudget
from vlmaxxing_ros.engine.answering import Answer, Question
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.errors import EngineError
from vlmaxxing_ros.engine.families import load_family
from vlmaxxing_ros.engine.session import StreamSession

__all__ = [
    'Answer',
    'EngineConfig',
    'EngineError',
    'FreshBudget',
    'Question',
    'StreamSession',
    'load_family',
]
