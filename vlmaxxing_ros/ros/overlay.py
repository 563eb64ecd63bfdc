# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""~/overlay: what was paid for, drawn over the image, with the budget in numbers."""

from __future__ import annotations

from sensor_msgs.msg import Image

from vlmaxxing_ros.engine.seeing.frame import Frame
from vlmaxxing_ros.engine.seeing.overlay import draw_overlay
from vlmaxxing_ros.engine.seeing.planner import Plan
from vlmaxxing_ros.ros.bridge import Bridge
from vlmaxxing_ros.ros.camera import Perceived


def to_overlay(perceived: Perceived, frame: Frame, plan: Plan, bridge: Bridge) -> Image:
    """The overlay of one planned image, with that image's header."""
    budget, counts = perceived.budget, perceived.counts
    paid = budget.plan_time + budget.vision_time + budget.prefill_time
    lines = [
        f'{perceived.camera}   {budget.kind.name.lower()}   {counts.rate:.1f} Hz   '
        f'dropped {counts.dropped} of {counts.received}',
        f'tokens {budget.tokens_cached} of {budget.tokens_budget}, now {budget.tokens_added}   '
        f'generation {budget.generation}',
        f'{paid * 1e3:.0f} ms   cold dense about {budget.cold_dense_time * 1e3:.0f} ms',
    ]
    arrival = perceived.arrival
    pixels = draw_overlay(frame, plan, lines)
    return bridge.to_image(pixels, stamp=arrival.stamp, frame_id=arrival.frame_id)
