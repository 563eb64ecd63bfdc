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
from sensor_msgs.msg import CameraInfo, Image, RegionOfInterest
from std_msgs.msg import Header

from vlmaxxing_msgs.msg import Answer, CameraEvidence, FreshBudget
from vlmaxxing_ros.engine.question import Evidence, Question
from vlmaxxing_ros.ros.camera import Perceived
from vlmaxxing_ros.ros.camera_motion import Lens, Twist
from vlmaxxing_ros.ros.protection import Rectangle
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


def to_rectangle(message: RegionOfInterest) -> Rectangle:
    """What is used of a region of interest."""
    return Rectangle(message.x_offset, message.y_offset, message.width, message.height)


def to_request(message: Any) -> Request:
    """The request of Query.srv or the goal of Ask.action."""
    return Request(
        asked={spec.name: _plain(message, spec.name) for spec in fields(Question)},
        camera=message.camera,
        deadline=message.deadline,
        max_evidence_age=message.max_evidence_age,
    )


def _plain(message: Any, name: str) -> Any:
    """A field of a request as the engine's question has it."""
    value = getattr(message, 'question' if name == 'text' else name)
    if isinstance(value, Time):
        return to_ns(value)
    return tuple(value) if isinstance(value, list) else value


def to_answer(outcome: Outcome) -> Answer:
    """Answer.msg of a question that has ended, however it did."""
    message = Answer(
        camera=outcome.camera,
        question=outcome.request.text,
        status=int(outcome.status),
        status_text=outcome.status_text,
        model=outcome.model,
        choice_index=-1,
        evidence_age=outcome.evidence_age,
        latency=outcome.latency,
    )
    said, token = outcome.answer, outcome.token
    if said is None:
        if token is not None:
            message.answer, message.time_to_first_token = token.text, token.time_to_first_token
            if outcome.status == Status.TIMEOUT:
                message.finish_reason = Answer.FINISH_TIMEOUT
        return message
    _put(said.evidence, message)
    _copy(said, message, without=('evidence', 'cameras', 'token_ids', 'latency'))
    message.newest_evidence_stamp = message.header.stamp
    names = outcome.request.named or (outcome.camera,)
    message.cameras = [CameraEvidence(camera=name) for name in names[: len(said.cameras)]]
    for evidence, of_camera in zip(said.cameras, message.cameras, strict=True):
        _put(evidence, of_camera)
        of_camera.evidence_age = evidence.age
    return message


def _put(evidence: Evidence, message: Answer | CameraEvidence) -> None:
    """What is said of evidence in the same words, of all cameras and of each."""
    _copy(evidence, message, without=('oldest_stamp', 'newest_stamp', 'frame_id', 'age'))
    message.header = Header(stamp=to_time(evidence.newest_stamp), frame_id=evidence.frame_id)
    message.oldest_evidence_stamp = to_time(evidence.oldest_stamp)


def to_failed_answer(outcome: Outcome, error: BaseException) -> Answer:
    """Answer.msg in place of one that cannot be put into a message."""
    return Answer(
        camera=outcome.camera,
        question=ascii(outcome.request.text),
        status=int(Status.MODEL_ERROR),
        status_text=ascii(f'the answer cannot be sent: {type(error).__name__}: {error}'),
        choice_index=-1,
    )


def _copy(values: Any, message: Any, *, without: tuple[str, ...]) -> None:
    """Copy a dataclass's fields into those of the same names: no numpy scalars."""
    for spec in fields(values):
        if spec.name in without:
            continue
        value, kind = getattr(values, spec.name), type(getattr(message, spec.name))
        setattr(message, spec.name, kind('d', value) if kind is array.array else kind(value))


def to_budget(perceived: Perceived) -> FreshBudget:
    """FreshBudget.msg of one image."""
    arrival, budget, counts = perceived.arrival, perceived.budget, perceived.counts
    message = FreshBudget()
    _copy(budget, message, without=('plan',))
    message.header = Header(stamp=to_time(arrival.stamp), frame_id=arrival.frame_id)
    message.camera = perceived.camera
    message.convert_time = perceived.convert_time
    message.background_duty = perceived.duty
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
