# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Subscribing to what sensors publish.

Knows QoS; knows nothing of what the messages are for.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription


def subscribe(node: Node, kind: type, topic: str, callback: Callable[[Any], None]) -> Subscription:
    """Subscribe with sensor-data QoS, which `qos_overrides` parameters can change."""
    return node.create_subscription(
        kind,
        topic,
        callback,
        # rclpy writes the overrides into the profile that it is given.
        copy.copy(qos_profile_sensor_data),
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
    )
