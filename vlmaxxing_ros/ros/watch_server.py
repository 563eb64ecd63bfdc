# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""~/watch and ~/events: standing questions come and go, changes of their answers are told.

Every watch has a publisher of its own on the one topic.  DDS keeps what is latched per publisher:
with a depth of 1 each keeps exactly its watch's newest event, whatever the others do, and a watch
that is removed takes its event along.
"""

from __future__ import annotations

from collections.abc import Mapping

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSDurabilityPolicy, QoSProfile

from vlmaxxing_msgs.msg import WatchEvent
from vlmaxxing_msgs.srv import Watch
from vlmaxxing_ros.engine.errors import InvalidRequest
from vlmaxxing_ros.ros.failures import Failures
from vlmaxxing_ros.ros.question_qos import QUESTIONS
from vlmaxxing_ros.ros.watch import Change
from vlmaxxing_ros.ros.watch_messages import to_config, to_event, to_state
from vlmaxxing_ros.ros.watch_settings import WatchConfig
from vlmaxxing_ros.ros.watches import TooManyWatches, UnknownWatch, Watches, WatchExists

_LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
_REFUSED: dict[type[Exception], int] = {
    WatchExists: Watch.Response.EXISTS,
    UnknownWatch: Watch.Response.UNKNOWN_ID,
    TooManyWatches: Watch.Response.TOO_MANY,
}


class WatchServer:
    """The watches of a node, as ROS sees them.

    Args:
        node: that offers them.
        watches: that are kept; none yet.
        given: those of the parameter file, by id.
        failures: what went wrong.
    """

    def __init__(
        self,
        node: Node,
        watches: Watches,
        given: Mapping[str, WatchConfig],
        failures: Failures,
    ) -> None:
        self._node = node
        self._watches = watches
        self._failures = failures
        self._publishers: dict[str, Publisher] = {}
        for name, config in given.items():
            self._add(name, config)
        node.create_service(Watch, '~/watch', self._serve, qos_profile=QUESTIONS)

    def publish(self, change: Change) -> None:
        """Tell a change; on whatever thread it came about."""
        try:
            self._publishers[change.watch].publish(to_event(change))
        except Exception as error:  # a text that is none, for example
            self._failures.add('an event could not be published', error, change.config.camera)

    def _serve(self, request: Watch.Request, response: Watch.Response) -> Watch.Response:
        name = request.watch.id
        try:
            if request.operation == Watch.Request.ADD:
                self._add(name, to_config(request.watch))
            elif request.operation == Watch.Request.REMOVE:
                self._remove(name)
            elif request.operation != Watch.Request.LIST:
                raise InvalidRequest(
                    f'operation must be LIST 0, ADD 1 or REMOVE 2, not {request.operation}'
                )
        except (ValueError, InvalidRequest) as error:
            response.status = _REFUSED.get(type(error), Watch.Response.INVALID_REQUEST)
            response.status_text = str(error)
        except Exception as error:  # a topic that security forbids, for example
            self._failures.add('a watch could not be changed', error, request.watch.camera)
            response.status = Watch.Response.INVALID_REQUEST
            response.status_text = f'{type(error).__name__}: {error}'
        else:
            states = map(to_state, self._watches.look_up())
            everything = request.operation == Watch.Request.LIST
            response.watches = [s for s in states if everything or s.settings.id == name]
        return response

    def _add(self, name: str, config: WatchConfig) -> None:
        def begin() -> None:
            publisher = self._node.create_publisher(WatchEvent, '~/events', _LATCHED)
            self._publishers[name] = publisher

        self._watches.add(name, config, begin)

    def _remove(self, name: str) -> None:
        self._watches.remove(name)
        self._node.destroy_publisher(self._publishers.pop(name))
