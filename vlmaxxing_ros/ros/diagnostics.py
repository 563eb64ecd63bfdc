# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""/diagnostics: how the model, the cache and each camera are doing, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Header

from vlmaxxing_msgs.msg import Answer
from vlmaxxing_ros.ros.camera import Camera, Perceived
from vlmaxxing_ros.ros.namesakes import namesakes
from vlmaxxing_ros.ros.worker import Worker


def without_numbers(text: str) -> str:
    """What a text says, whatever its figures are: the same again is no news."""
    return re.sub('[0-9.]+', '#', text)


class Diagnostics:
    """Publishes the node's state at a fixed period of a clock that never stops.

    Args:
        node: on whose behalf.
        worker: whose state it is.
        period: s.
        state: the lifecycle state's name.
        hint: why a camera's images do not come, empty if they do.
        conversion: what converts the images.

    Attributes:
        configure_error: why the node could not be configured or activated; empty if it could.
    """

    def __init__(
        self,
        node: Node,
        worker: Worker,
        *,
        period: float,
        state: Callable[[], str],
        hint: Callable[[str], str],
        conversion: Callable[[], str],
    ) -> None:
        self._node = node
        self._worker = worker
        self._state = state
        self._hint = hint
        self._conversion = conversion
        self._hinted: dict[str, str] = {}
        self._warnings: dict[str, str] = {}  # by what they are about
        self._newest: dict[str, Perceived] = {}
        self._answers: dict[str, Answer] = {}
        self.configure_error = ''
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(period, self.publish, clock=clock)

    def perceived(self, newest: Perceived) -> None:
        """Remember a camera's newest image."""
        self._newest[newest.camera] = newest

    def answered(self, newest: Answer) -> None:
        """Remember a camera's newest answer."""
        if any(camera.name == newest.camera for camera in self._worker.cameras):
            self._answers[newest.camera] = newest

    def warn(self, about: str, text: str) -> None:
        """Something is wrong that does no harm, or is no longer: then the text is empty.

        In the log when it begins, here as long as it lasts.
        """
        self._say(text, self._warnings.pop(about, ''))
        if text:
            self._warnings[about] = text

    def publish(self) -> None:
        """Publish the state of the model and of each camera."""
        self.warn('name', namesakes(self._node))
        now = self._node.get_clock().now()
        statuses = [self._of_model()]
        statuses += [self._of_camera(camera, now.nanoseconds) for camera in self._worker.cameras]
        header = Header(stamp=now.to_msg())
        self._publisher.publish(DiagnosticArray(header=header, status=statuses))

    def _of_model(self) -> DiagnosticStatus:
        worker, state = self._worker, self._state()
        troubles = [f'failed before: {worker.failures.last}'] if worker.failures.last else []
        troubles += self._warnings.values()
        if self.configure_error:
            level, message = DiagnosticStatus.ERROR, self.configure_error
        elif worker.failures.recent:
            level, message = DiagnosticStatus.ERROR, worker.failures.last
        elif troubles:
            level, message = DiagnosticStatus.WARN, '; '.join(troubles)
        else:
            level, message = DiagnosticStatus.OK, state
        values: dict[str, Any] = {'state': state, 'model': worker.model}
        values |= {'questions': worker.questions, 'watches': len(worker.watches)}
        values['failures'] = worker.failures.count
        values['image conversion'] = self._conversion()
        values |= {title: 'yes' if can else 'no' for title, can in worker.capabilities.items()}
        return self._status('model', level, message, values)

    def _of_camera(self, camera: Camera, now: int) -> DiagnosticStatus:
        counts = camera.counts()
        values: dict[str, Any] = {
            'frames received': counts.received,
            'frames planned': counts.planned,
            'frames admitted': counts.admitted,
            'frames dropped': counts.dropped,
            'perception rate (Hz)': f'{counts.rate:.2f}',
        }
        level, message = DiagnosticStatus.OK, 'images come in'
        newest = self._newest.get(camera.name)
        if newest is not None and counts.received:
            budget = newest.budget
            values['image age (s)'] = f'{(now - newest.arrival.stamp) * 1e-9:.3f}'
            values['tokens cached'] = f'{budget.tokens_cached} of {budget.tokens_budget}'
            values['generation'] = budget.generation
            values['last remark'] = budget.status_text
            if budget.plan is None:
                level, message = DiagnosticStatus.WARN, f'image dropped: {budget.status_text}'
            elif 'token_budget' in budget.status_text:
                level, message = DiagnosticStatus.WARN, budget.status_text
        if answer := self._answers.get(camera.name):
            values['last answer'] = (
                f'{"exact" if answer.exact else "not exact"}, {answer.reused_tokens} of '
                f'{answer.prompt_tokens} tokens reused, {answer.time_to_first_token:.3f} s'
                if answer.status == Answer.OK
                else answer.status_text
            )
        if hint := self._hint(camera.name):
            level, message = DiagnosticStatus.WARN, hint
        self._say(hint, self._hinted.get(camera.name, ''))
        self._hinted[camera.name] = hint
        audit = camera.session.last_audit
        if audit is not None:
            values['last audit'] = audit.text
            if not audit.ok:
                level, message = DiagnosticStatus.ERROR, f'audit: {audit.text}'
        return self._status(f'camera {camera.name}', level, message, values)

    def _say(self, text: str, before: str) -> None:
        """Log what is said for the first time; its numbers change with every second of silence."""
        if text and without_numbers(text) != without_numbers(before):
            self._node.get_logger().warning(text)

    def _status(
        self, name: str, level: bytes, message: str, values: Mapping[str, Any]
    ) -> DiagnosticStatus:
        node = self._node.get_fully_qualified_name()
        return DiagnosticStatus(
            level=level,
            name=f'{node.lstrip("/")}: {name}',
            message=message,
            hardware_id=node,
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
