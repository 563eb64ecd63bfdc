# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How many questions and answers may be on their way at once, at either end.

ROS keeps ten requests of a service and ten responses, and forgets older ones without a word.
"""

from __future__ import annotations

from rclpy.qos import QoSProfile, qos_profile_action_status_default

AT_ONCE = 2000
"""Questions that may arrive together: each of them is answered, if only with OVERLOADED."""

KEPT = 60
"""Seconds for which the result of an ended goal can be asked for."""

QUESTIONS = QoSProfile(depth=AT_ONCE)
"""Of a service: its requests at the server, their responses at the client."""

ACTION_SERVER = {
    'goal_service_qos_profile': QUESTIONS,
    'result_service_qos_profile': QUESTIONS,
    'cancel_service_qos_profile': QUESTIONS,
    'feedback_pub_qos_profile': QoSProfile(depth=AT_ONCE),
    'status_pub_qos_profile': qos_profile_action_status_default,
    'result_timeout': KEPT,
}

ACTION_CLIENT = {
    'goal_service_qos_profile': QUESTIONS,
    'result_service_qos_profile': QUESTIONS,
    'cancel_service_qos_profile': QUESTIONS,
    'feedback_sub_qos_profile': QoSProfile(depth=AT_ONCE),
}
