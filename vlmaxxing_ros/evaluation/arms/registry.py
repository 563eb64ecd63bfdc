# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Arms by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.evaluation.arms.base import Arm, Windows
from vlmaxxing_ros.evaluation.arms.cold import Dense, DenseLast4, LowFps, Screenshot
from vlmaxxing_ros.evaluation.arms.deltas import Deltas
from vlmaxxing_ros.evaluation.arms.live import LiveArm
from vlmaxxing_ros.evaluation.arms.repair import Repair
from vlmaxxing_ros.evaluation.arms.session import CompressedArm, SessionArm
from vlmaxxing_ros.evaluation.errors import ArmUnavailable

REFERENCE, ORACLE = 'auto', 'dense'
"""These two are always run: the one says which frames the session held, the other is the truth
about what the model makes of them."""

DEFAULT_ARMS = (
    'auto',
    'dense',
    'eager',
    'lazy',
    'refresh',
    'exact',
    'deltas',
    'dense_last4',
    'low_fps',
    'screenshot',
    'repair:1',
    'repair',
    'stock_prompt_cache',
    'stock_apc',
    'infinipot',
)
"""In the order of the report."""


SPEED = 200.0
"""Rows per second of the simulated model, where nobody says: a frame of 96 blocks takes a second,
as it does a model of 7 billion parameters on a laptop."""

LIVE: dict[str, dict[str, Any]] = {
    'auto': {},
    'eager': {'max_duty': 1.0, 'calm': 0.0, 'max_owed': 0.0},
    'lazy': {'max_duty': 0.0},
}
"""The engine as it lives, and what is set otherwise."""


def check_name(name: str) -> None:
    """Refuse a name that is no arm.

    Raises:
        ArmUnavailable: no such arm.
    """
    kind, _, count = name.partition(':')
    if name in DEFAULT_ARMS or (kind == 'repair' and count.isdecimal() and int(count) > 0):
        return
    raise ArmUnavailable(
        f'no arm {name!r}; there are: {", ".join(DEFAULT_ARMS)}, and repair:K for any K'
    )


def make_arm(
    name: str, family: Family, config: EngineConfig, windows: Windows, speed: float = SPEED
) -> Arm:
    """Set up an arm.

    Args:
        name: as in `DEFAULT_ARMS`, or `repair:K`.
        windows: which frames the session held at each question; not used by the engine's arms.
        speed: of the simulated model, rows per second.

    Raises:
        ArmUnavailable: no such arm, or the model or engine cannot run it.
    """
    check_name(name)
    kind, _, count = name.partition(':')
    if kind in LIVE:
        return LiveArm(family, replace(config, **LIVE[kind]), speed)
    if kind in ('refresh', 'exact'):
        refreshes = family.capabilities.tail_refresh
        if kind == 'refresh' and not refreshes:
            raise ArmUnavailable(f'{family.name} cannot refresh rows in place')
        return SessionArm(family, replace(config, tail_mode=kind if refreshes else 'exact'))
    if kind == 'infinipot':
        if not family.capabilities.compression:
            raise ArmUnavailable(f'rows cannot be removed from the cache of {family.name}')
        return CompressedArm(family, config, windows)
    if kind == 'dense':
        return Dense(family, config, windows)
    if kind == 'repair':
        return Repair(family, config, windows, int(count) if count else None)
    if kind in ('stock_prompt_cache', 'stock_apc'):
        # mlx-vlm's generation is large: imported where it is used.
        from vlmaxxing_ros.evaluation.arms.stock import Stock

        return Stock(family, config, windows, apc=kind == 'stock_apc')
    own: dict[str, type[Arm]] = {
        'deltas': Deltas,
        'dense_last4': DenseLast4,
        'low_fps': LowFps,
        'screenshot': Screenshot,
    }
    return own[kind](family, config)
