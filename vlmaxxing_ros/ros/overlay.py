# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""~/overlay: what was paid for, drawn over the image, with the budget in numbers."""

from __future__ import annotations

from sensor_msgs.msg import Image

from vlmaxxing_ros.engine.seeing.overlay import draw_overlay
from vlmaxxing_ros.engine.seeing.plan import Plan
from vlmaxxing_ros.ros.bridge import Bridge
from vlmaxxing_ros.ros.camera import Perceived


def to_overlay(perceived: Perceived, plan: Plan, bridge: Bridge) -> Image:
    """The overlay of one planned image, with that image's header."""
    budget, counts = perceived.budget, perceived.counts
    lines = [
        f'{perceived.camera}   {budget.kind.name.lower()}   {counts.rate:.1f} Hz   '
        f'dropped {counts.dropped} of {counts.received}',
        f'owed {budget.blocks_owed} of {budget.blocks_total}   '
        f'tokens {budget.tokens_cached} of {budget.tokens_budget}, now {budget.tokens_added}',
        f'busy in the background {perceived.duty:.0%}   generation {budget.generation}',
    ]
    arrival = perceived.arrival
    pixels = draw_overlay(plan, lines, fresh='owed: seen, paid in its time')
    return bridge.to_image(pixels, stamp=arrival.stamp, frame_id=arrival.frame_id)
