# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What a planner needs of a camera, in plain rclpy: a condition and an action.

`python examples/planner.py` decides by what the gripper does, and then has the scene described.
Knows the interfaces alone, nothing of the package: copy it into any node.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.action import ActionClient
from rclpy.node import Node

from vlmaxxing_msgs.action import Ask
from vlmaxxing_msgs.msg import Answer
from vlmaxxing_msgs.srv import Query

WAY = 2.0  # s for a request and its response, on top of the deadline


class NotKnown(RuntimeError):
    """The node did not answer, or not in a way to act upon."""


class Eyes:
    """Asks `/vlmaxxing` for a node that is spun here, while it waits."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._query = node.create_client(Query, '/vlmaxxing/query')
        self._ask = ActionClient(node, Ask, '/vlmaxxing/ask')

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` s for the node."""
        return self._query.wait_for_service(timeout) and self._ask.wait_for_server(timeout)

    def is_true(
        self, question: str, *, holds: str, unless: str, sure: float = 0.8, within: float = 5.0
    ) -> bool:
        """A condition: whether the answer is `holds` and not `unless`, within so many seconds.

        Raises:
            NotKnown: no answer, or one that is less probable than `sure`.
        """
        request = Query.Request(question=question, choices=[holds, unless], deadline=within)
        answer = self._result(self._query.call_async(request), within).answer
        if answer.status != Answer.OK:
            raise NotKnown(answer.status_text)
        if max(answer.choice_probabilities) < sure:
            raise NotKnown(f'{question} {answer.answer}, perhaps')
        return answer.choice_index == 0

    def tell(self, question: str, *, show: Callable[[str], None], within: float = 30.0) -> str:
        """An action: the answer, shown word by word while it is found.

        Raises:
            NotKnown: no answer; what had been begun is cancelled.
        """
        goal = Ask.Goal(question=question, deadline=within)
        sent = self._ask.send_goal_async(goal, lambda told: show(told.feedback.token_text))
        handle = self._result(sent, within)
        try:
            answer = self._result(handle.get_result_async(), within).result.answer
        except BaseException:  # Ctrl-C, too
            handle.cancel_goal_async()
            raise
        if answer.status != Answer.OK:
            raise NotKnown(answer.status_text)
        return answer.answer

    def _result(self, future: Any, seconds: float) -> Any:
        """Spin until it is there: in a callback await it instead."""
        rclpy.spin_until_future_complete(self._node, future, timeout_sec=seconds + WAY)
        if not future.done():
            raise NotKnown('the node does not answer: is it running?')
        return future.result()


def main() -> int:
    """Look, decide, tell; 1 where it cannot be known."""
    rclpy.init()
    node = Node('planner')
    eyes = Eyes(node)
    try:
        if not eyes.wait(30.0):
            raise NotKnown('there is no /vlmaxxing')
        free = eyes.is_true('Is the gripper open or closed?', holds='open', unless='closed')
        print('pick a block' if free else 'put the block down', flush=True)
        eyes.tell('Describe what you see.', show=lambda text: print(text, end='', flush=True))
        print()
    except NotKnown as error:
        print(f'wait: {error}', file=sys.stderr)
        return 1
    finally:
        node.destroy_node()
        rclpy.shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
