# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Between messages and the engine's values: equal names are equal fields.

Knows no node and no topic.
"""

from __future__ import annotations

import array
from dataclasses import fields
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TwistStamped
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.ros.camera import Perceived
from vlmaxxing_ros.ros.camera_motion import Lens, Twist
from vlmaxxing_ros.ros.ticket import Outcome, Request, Status

_SECOND = 1_000_000_000  # ns


def to_ns(stamp: Time) -> int:
    """A message's time in nanoseconds."""
    return stamp.sec * _SECOND + stamp.nanosec


def to_time(stamp: int) -> Time:
    """Nanoseconds as a message's time."""
    seconds, nanoseconds = divmod(stamp, _SECOND)
    return Time(sec=seconds, nanosec=nanoseconds)


def to_twist(message: TwistStamped) -> Twist:
    """What is used of a camera's twist."""
    header, angular = message.header, message.twist.angular
    return Twist(to_ns(header.stamp), header.frame_id, angular.x, angular.y)


def to_lens(message: CameraInfo) -> Lens:
    """The lens as seen in an image: K is the whole sensor's, a region of interest is less of it."""
    region = message.roi
    return Lens(
        fx=float(message.k[0]),
        fy=float(message.k[4]),
        width=region.width or message.width,
        height=region.height or message.height,
    )


def to_request(message: Any) -> Request:
    """The request of Query.srv or the goal of Ask.action."""
    return Request(
        camera=message.camera,
        question=message.question,
        choices=tuple(message.choices),
        json_schema=message.json_schema,
        max_tokens=message.max_tokens,
        temperature=message.temperature,
        top_p=message.top_p,
        seed=message.seed,
        deadline=message.deadline,
        max_evidence_age=message.max_evidence_age,
        as_of=to_ns(message.as_of),
    )


def to_answer(outcome: Outcome) -> Answer:
    """Answer.msg of a question that has ended, however it did."""
    message = Answer(
        camera=outcome.camera,
        question=outcome.request.question,
        answer=outcome.text,
        status=int(outcome.status),
        status_text=outcome.status_text,
        model=outcome.model,
        choice_index=-1,
        evidence_age=outcome.evidence_age,
        time_to_first_token=outcome.time_to_first_token,
        latency=outcome.latency,
    )
    said = outcome.answer
    if said is None:
        if outcome.text and outcome.status == Status.TIMEOUT:
            message.finish_reason = Answer.FINISH_TIMEOUT
        return message
    evidence = said.evidence
    message.header = Header(stamp=to_time(evidence.newest_stamp), frame_id=evidence.frame_id)
    message.newest_evidence_stamp = message.header.stamp
    message.oldest_evidence_stamp = to_time(evidence.oldest_stamp)
    message.oldest_block_age = float(evidence.oldest_block_age)
    message.exact = bool(evidence.exact)
    message.answer = said.answer
    message.finish_reason = said.finish_reason
    message.choice_index = said.choice_index
    message.choice_probabilities = array.array('d', said.choice_probabilities)
    message.prompt_tokens = said.prompt_tokens
    message.reused_tokens = said.reused_tokens
    message.answer_tokens = said.answer_tokens
    return message


def to_budget(perceived: Perceived) -> FreshBudget:
    """FreshBudget.msg of one image."""
    arrival, budget, counts = perceived.arrival, perceived.budget, perceived.counts
    message = FreshBudget()
    for spec in fields(budget):
        if spec.name == 'plan':
            continue
        kind = type(getattr(message, spec.name))  # int, float, bool or str: no numpy scalars
        setattr(message, spec.name, kind(getattr(budget, spec.name)))
    message.header = Header(stamp=to_time(arrival.stamp), frame_id=arrival.frame_id)
    message.camera = perceived.camera
    message.convert_time = perceived.convert_time
    # The node's counts go on when the engine restarts a session by itself.
    message.frame_index = counts.planned - (message.kind != FreshBudget.DROPPED)
    message.frames_received = counts.received
    message.frames_planned = counts.planned
    message.frames_admitted = counts.admitted
    message.frames_dropped = counts.dropped
    message.perception_rate = counts.rate
    return message


def to_image(pixels: np.ndarray, *, stamp: int, frame_id: str) -> Image:
    """An rgb8 image of uint8 [height, width, 3]."""
    height, width, _ = pixels.shape
    return Image(
        header=Header(stamp=to_time(stamp), frame_id=frame_id),
        height=height,
        width=width,
        encoding='rgb8',
        step=width * 3,
        # rclpy takes an array as it is, and copies an ndarray element by element.
        data=array.array('B', pixels.tobytes()),
    )
