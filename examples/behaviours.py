# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Behaviours for py_trees: a condition that is always up to date, and a question that takes time.

`python examples/behaviours.py` waits until the gripper is open, and has the scene described then.
No tick ever waits: the condition is a standing question, the node tells when it changes.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from py_trees.behaviour import Behaviour
from py_trees.common import Status
from py_trees.composites import Sequence
from py_trees.trees import BehaviourTree

from vlmaxxing_msgs.msg import Answer
from vlmaxxing_ros.client import Client, Events, PendingAnswer


class Stands(Behaviour):
    """SUCCESS while the answer to a question is `holds`, FAILURE otherwise; RUNNING: not known yet.

    Args:
        name: of the behaviour.
        client: to the node.
        question: what is watched.
        holds: the answer that makes it true.
        settings: further fields of WatchSettings.msg, such as `choices` and `hold`.
    """

    def __init__(
        self, name: str, client: Client, question: str, *, holds: str, **settings: Any
    ) -> None:
        super().__init__(name)
        self._client = client
        self._question = question
        self._holds = holds
        self._settings = settings
        self._events: Events | None = None
        self._known = Status.RUNNING

    def setup(self, **_: Any) -> None:
        """Begin the watch."""
        self._events = self._client.watch(self._question, **self._settings)

    def update(self) -> Status:
        """Take what has been told since the last tick."""
        while self._events is not None:
            try:
                event = self._events.get(0.0)
            except TimeoutError:
                break
            self.feedback_message = event.to_answer
            self._known = Status.SUCCESS if event.to_answer == self._holds else Status.FAILURE
        return self._known

    def shutdown(self) -> None:
        """End the watch."""
        if self._events is not None:
            self._events.close()


class Look(Behaviour):
    """Ask; SUCCESS with the answer as feedback message.  Halted, the question is cancelled.

    Args:
        name: of the behaviour.
        client: to the node.
        question: what is asked.
        fields: further fields of the goal, such as `deadline`.
    """

    def __init__(self, name: str, client: Client, question: str, **fields: Any) -> None:
        super().__init__(name)
        self._client = client
        self._question = question
        self._fields = fields
        self._pending: PendingAnswer | None = None

    def initialise(self) -> None:
        """Ask."""
        self._pending = self._client.begin(self._question, **self._fields)

    def update(self) -> Status:
        """Whether the answer is there."""
        if self._pending is None or not self._pending.done:
            return Status.RUNNING
        answer = self._pending.result()
        well = answer.status == Answer.OK
        self.feedback_message = answer.answer if well else answer.status_text
        return Status.SUCCESS if well else Status.FAILURE

    def terminate(self, new_status: Status) -> None:
        """Nobody waits for the answer any more."""
        if new_status is Status.INVALID and self._pending is not None:
            self._pending.cancel()


def make_tree(client: Client) -> BehaviourTree:
    """Describe the scene whenever the gripper is open."""
    gripper = 'Is the gripper open or closed?'
    free = Stands('gripper open', client, gripper, holds='open', choices=['open', 'closed'])
    look = Look('describe', client, 'Describe what you see.')
    return BehaviourTree(Sequence('describe when free', memory=False, children=[free, look]))


def main() -> int:
    """Tick at 10 Hz until the tree succeeds."""
    with Client() as client:
        if not client.wait(30.0):
            print('there is no /vlmaxxing', file=sys.stderr)
            return 1
        tree = make_tree(client)
        tree.setup()
        while tree.root.status is not Status.SUCCESS:
            tree.tick()
            time.sleep(0.1)
        print(tree.root.children[-1].feedback_message)
        tree.shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
