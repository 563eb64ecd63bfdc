# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The lifecycle node `vlmaxxing`: configure loads the model, activate looks and answers.

Callbacks only store and wake; images are seen on one thread, the model runs on another.  One
executor thread is enough, because nothing in it waits: transitions, which may take long, run in
threads of their own.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from vlmaxxing_msgs.msg import Answer, Changed, FreshBudget
from vlmaxxing_ros.ros.awaiting import in_thread, result_of
from vlmaxxing_ros.ros.camera import Perceived
from vlmaxxing_ros.ros.diagnostics import Diagnostics, without_numbers
from vlmaxxing_ros.ros.image_topics import ImageTopics
from vlmaxxing_ros.ros.messages import to_budget, to_changed
from vlmaxxing_ros.ros.motion_topics import MotionTopics
from vlmaxxing_ros.ros.note_server import NoteServer
from vlmaxxing_ros.ros.overlay import to_overlay
from vlmaxxing_ros.ros.parameters import ParameterError, Parameters
from vlmaxxing_ros.ros.question_servers import QuestionServers
from vlmaxxing_ros.ros.region_topics import RegionTopics
from vlmaxxing_ros.ros.settings import Settings
from vlmaxxing_ros.ros.watch_server import WatchServer
from vlmaxxing_ros.ros.worker import Worker

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
_REMARK_PERIOD = 10.0  # s between two remarks of one kind about images
_MAX_REMARKS = 100
_CLOSING = 1.5  # s that the model may take to end what it is doing


class VlmaxxingNode(LifecycleNode):
    """The node; `running.main` spins it.

    Raises:
        ParameterError: a parameter given at start cannot be used.
    """

    def __init__(self, **arguments: Any) -> None:
        # Awaiting callbacks stand side by side, so that a transition holds up nothing else.
        self._group = ReentrantCallbackGroup()
        super().__init__('vlmaxxing', **arguments)
        self.stopping = threading.Event()
        self._transition = threading.Lock()
        self._remarks: dict[str, float] = {}  # kind: s of time.monotonic
        try:
            self.parameters = Parameters(self, self._settings_changed, self._settings_refused)
        except ParameterError:
            self.destroy_node()
            raise
        settings = self.parameters.settings
        self._motions = MotionTopics(self, settings.cameras)
        self._regions = RegionTopics(self, settings.cameras)
        self.worker = Worker(
            settings,
            clock=lambda: self.get_clock().now().nanoseconds,
            camera_velocity=self._motions.velocity,
            protected=self._regions.regions,
            on_perceived=self._perceived,
            on_change=lambda change: self._watching.publish(change),
            on_watched=lambda outcome: self.servers.watched(outcome),
            log=self.get_logger(),
        )
        self._topics = ImageTopics(
            self, settings.cameras, self.worker.offer, settings.node.max_image_pixels
        )
        self._answers = self.create_lifecycle_publisher(Answer, '~/answers', 10)
        self._budgets = self.create_lifecycle_publisher(FreshBudget, '~/fresh_budget', 10)
        self._changes = self.create_lifecycle_publisher(Changed, '~/changed', 100)
        # Depth 1: a slow viewer gets the newest picture, not a queue of them.
        self._overlays = self.create_lifecycle_publisher(Image, '~/overlay', QoSProfile(depth=1))
        self.servers = QuestionServers(self, self.worker, self._answered)
        self._watching = WatchServer(
            self, self.worker.watches, settings.watches, self.worker.failures
        )
        NoteServer(self, self.worker)
        for name, callback in (
            ('reset', self._reset),
            ('keyframe', self._keyframe),
            ('audit', self._audit),
        ):
            self.create_service(Trigger, f'~/{name}', callback)
        self._diagnostics = Diagnostics(
            self,
            self.worker,
            period=settings.node.diagnostics_period,
            state=lambda: self.state,
            hint=self._topics.hint,
            conversion=lambda: self._topics.conversion,
        )
        self._diagnostics.warn('parameters', self.parameters.unknown())
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(0.1, self.worker.finish_overdue, clock=steady)
        service: Any = self._service_change_state
        self._change_state, service.callback = service.callback, self._change_state_aside

    @property
    def default_callback_group(self) -> ReentrantCallbackGroup:
        """Used by everything that names no other."""
        return self._group

    @property
    def state(self) -> str:
        """The lifecycle state's name."""
        return str(self._state_machine.current_state[1])

    # Transitions

    def start(self) -> None:
        """Configure and activate without a lifecycle manager."""
        with self._transition:
            if self.trigger_configure() == SUCCESS:
                self.trigger_activate()

    def finish(self) -> None:
        """Go to the finalized state; questions end as CANCELLED."""
        self.stopping.set()
        with self._transition:
            if self.state in ('unconfigured', 'inactive', 'active'):
                self.trigger_shutdown()

    def destroy_node(self) -> None:
        """Leave the domain; `servers.destroy` comes before.

        rclpy forgets the state machine here, which keeps the participant in being: others would
        take this node for alive until its lease ends, and its shared memory would stay behind.
        """
        super().destroy_node()
        machine: Any = self._state_machine
        machine.destroy_when_not_in_use()

    async def _change_state_aside(self, request: Any, response: Any) -> Any:
        """Serve a transition without holding up the executor."""

        def change() -> Any:
            with self._transition:
                return self._change_state(request, response)

        try:
            return await in_thread(self, change)
        except Exception as error:  # rclpy raises RCLError for a transition that does not exist
            self.get_logger().warning(f'no such transition from {self.state}: {error}')
            response.success = False
            return response

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model."""
        log, model = self.get_logger(), self.parameters.settings.engine.model
        log.info(f'loading the model {model}')
        start = time.monotonic()
        try:
            self._wait(self.worker.load())
        except Exception as error:
            self._diagnostics.configure_error = str(error)
            log.error(f'not configured: {error}')
            return FAILURE
        self._diagnostics.configure_error = ''
        log.info(f'configured: {model} loaded in {time.monotonic() - start:.1f} s')
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to look."""
        result = super().on_activate(state)
        try:
            self._wait(self.worker.open(self._topics.converters()))
            self._motions.subscribe()
            self._regions.subscribe()
            self._topics.subscribe()
        except Exception as error:
            self._diagnostics.configure_error = str(error)
            self.get_logger().error(f'not activated: {error}')
            self._stop_looking('the node could not be activated')
            super().on_deactivate(state)
            return FAILURE
        self._diagnostics.configure_error = ''
        self.get_logger().info(f'active: looking at {", ".join(self._topics.names)}')
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Look no more, and forget what was seen."""
        self._stop_looking('the node was deactivated')
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give the model's memory back."""
        self._wait(self.worker.unload())
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End everything, from whatever state."""
        self._stop_looking('the node is shutting down')
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """A transition failed halfway: back to unconfigured."""
        self.get_logger().error('a transition failed: back to unconfigured')
        self._stop_looking('the node failed')
        self.worker.unload()
        return SUCCESS

    def _stop_looking(self, why: str) -> None:
        self._topics.unsubscribe()
        self._motions.unsubscribe()
        self._regions.unsubscribe()
        if not futures.wait([self.worker.close(why)], timeout=_CLOSING).done:
            self.worker.abandon(why)  # the model is busy: it closes when it can

    def _wait(self, future: futures.Future[Any]) -> Any:
        """The result of the worker's call; gives up when the process is to end."""
        while not futures.wait([future], timeout=0.2).done:
            if self.stopping.is_set():
                raise RuntimeError('interrupted')
        return future.result()

    # Callbacks

    def _settings_refused(self, settings: Settings) -> str:
        return self.worker.refuses(settings)

    def _settings_changed(self, settings: Settings) -> None:
        def report(future: futures.Future[None]) -> None:
            if not future.cancelled() and (error := future.exception()):
                self.get_logger().error(f'the changed parameters are not in use: {error}')

        if settings.engine.keep_keyframes:
            self._diagnostics.warn('keyframe', '')
        self.worker.configure(settings).add_done_callback(report)

    async def _reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return await self._trigger(self.worker.reset, response, 'everything seen is forgotten')

    async def _keyframe(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self.parameters.settings.engine.keep_keyframes == 0:
            text = '~/keyframe was asked for, and none is kept: set keep_keyframes to 1 or more'
            self._diagnostics.warn('keyframe', text)
            response.success, response.message = False, text
            return response
        return await self._trigger(self.worker.keyframe, response, 'the next frame is a keyframe')

    async def _audit(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return await self._trigger(self.worker.audit, response)

    async def _trigger(
        self,
        function: Callable[[], futures.Future[Any]],
        response: Trigger.Response,
        done: str = '',
    ) -> Trigger.Response:
        """Have the worker do something to every session; whatever comes of it is answered."""
        response.success, response.message = False, 'the node is not active'
        if not self.worker.cameras:
            return response
        try:
            reports = await result_of(self, function()) or []
        except Exception as error:
            response.message = f'{type(error).__name__}: {error}'
            return response
        response.success = all(ok for _, ok, _ in reports)
        response.message = done or '; '.join(f'{camera}: {text}' for camera, _, text in reports)
        return response

    def _perceived(self, perceived: Perceived) -> None:
        """Publish what became of an image; on the seeing thread."""
        self._diagnostics.perceived(perceived)
        self._budgets.publish(to_budget(perceived))
        for changed in to_changed(perceived):
            self._changes.publish(changed)
        plan = perceived.budget.plan
        if plan is not None and self._overlays.get_subscription_count():
            self._overlays.publish(to_overlay(perceived, plan, self._topics.bridge))
        if text := perceived.budget.status_text:
            self._remark(perceived.camera, text, dropped=plan is None)

    def _remark(self, camera: str, text: str, *, dropped: bool) -> None:
        """Log what was said about an image; the same again, but for its numbers, now and then."""
        kind, now = f'{camera}: {without_numbers(text)}', time.monotonic()
        if now - self._remarks.get(kind, -math.inf) < _REMARK_PERIOD:
            return
        if len(self._remarks) > _MAX_REMARKS:  # texts may quote what a broken driver sends
            self._remarks.clear()
        self._remarks[kind] = now
        if dropped:
            self.get_logger().warning(f'image dropped: {camera}: {text}')
        elif 'token_budget' in text:
            self.get_logger().warning(f'{camera}: {text}')
        else:
            self.get_logger().info(f'{camera}: {text}')

    def _answered(self, answer: Answer) -> None:
        """Publish an answer; on whatever thread it came about."""
        self._diagnostics.answered(answer)
        self._answers.publish(answer)
