# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""~/query and ~/ask: questions from ROS to the worker, answers back.

No callback waits: each one hands its question over and is resumed when the answer is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.serialization import serialize_message
from rclpy.task import Future

from vlmaxxing_msgs.action import Ask
from vlmaxxing_msgs.msg import Answer
from vlmaxxing_msgs.srv import Query
from vlmaxxing_ros.engine.question import Token
from vlmaxxing_ros.ros.askers import Askers
from vlmaxxing_ros.ros.awaiting import complete
from vlmaxxing_ros.ros.messages import to_answer, to_failed_answer, to_request
from vlmaxxing_ros.ros.pace import Pace
from vlmaxxing_ros.ros.question_qos import ACTION_SERVER, QUESTIONS
from vlmaxxing_ros.ros.ticket import Outcome, Request, Ticket
from vlmaxxing_ros.ros.worker import Worker


class QuestionServers:
    """The query service and the ask action of a node.

    Args:
        node: that offers them.
        worker: that answers.
        on_answer: told every answer, on whatever thread it came about.
    """

    def __init__(self, node: Node, worker: Worker, on_answer: Callable[[Answer], None]) -> None:
        self._node = node
        self._worker = worker
        self._on_answer = on_answer
        self._tickets: dict[bytes, Ticket] = {}
        self._open = 0
        self._pace = Pace(node)
        # Reentrant: questions are awaited side by side.
        group = ReentrantCallbackGroup()
        service = node.create_service(
            Query, '~/query', self._query, qos_profile=QUESTIONS, callback_group=group
        )
        self._action = ActionServer(
            node,
            Ask,
            '~/ask',
            self._ask,
            goal_callback=self._accept,
            cancel_callback=self._cancel,
            callback_group=group,
            **ACTION_SERVER,
        )
        self._askers = Askers(node, service, f'{node.get_fully_qualified_name()}/ask')

    def destroy(self) -> None:
        """End the action, which rclpy does not do with its node: it would keep that in being."""
        self._action.destroy()

    @property
    def open(self) -> int:
        """Questions whose askers have no answer yet."""
        return self._open

    async def _query(self, request: Query.Request, response: Query.Response) -> Query.Response:
        answered = Future()
        ticket = self._submit(to_request(request), answered, lambda _token: None)
        key = self._askers.asked(request, ticket.cancel)
        response.answer = await answered
        self._askers.done(key)
        await self._pace.turn()
        self._open -= 1
        return response

    async def _ask(self, goal: ServerGoalHandle) -> Ask.Result:
        def feed_back(token: Token) -> None:
            try:
                goal.publish_feedback(Ask.Feedback(**asdict(token)))
            except Exception as error:  # no reason to end the answer
                self._worker.failures.add('a token could not be sent', error)

        answered = Future()
        key = bytes(goal.goal_id.uuid)
        ticket = self._tickets[key] = self._submit(to_request(goal.request), answered, feed_back)
        if goal.is_cancel_requested:
            ticket.cancel()
        asker = self._askers.sent(goal, ticket.cancel, ticket.doubt)
        answer = await answered
        self._askers.done(asker)
        await self._pace.turn()
        del self._tickets[key]
        self._open -= 1
        if answer.status == Answer.OK:
            goal.succeed()
        elif goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        return Ask.Result(answer=answer)

    async def _accept(self, _goal: Ask.Goal) -> GoalResponse:
        """Accept every goal; its result says what became of it."""
        await self._pace.turn()
        return GoalResponse.ACCEPT

    def _submit(
        self, request: Request, answered: Future, on_token: Callable[[Token], None]
    ) -> Ticket:
        def on_done(outcome: Outcome) -> None:
            answer = self._to_answer(outcome)
            complete(self._node, answered, answer)
            self._publish(answer)

        self._open += 1
        return self._worker.submit(request, on_token=on_token, on_done=on_done)

    def watched(self, outcome: Outcome) -> None:
        """A watch's question has ended: its answer is told to everybody, too."""
        self._publish(self._to_answer(outcome))

    def _to_answer(self, outcome: Outcome) -> Answer:
        try:
            answer = to_answer(outcome)
            serialize_message(answer)  # otherwise what fails in it would lose the response
        except Exception as error:
            self._worker.failures.add('an answer could not be sent', error, outcome.camera)
            answer = to_failed_answer(outcome, error)
        return answer

    def _publish(self, answer: Answer) -> None:
        try:
            self._on_answer(answer)
        except Exception as error:
            self._worker.failures.add('an answer could not be published', error, answer.camera)

    def _cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        if ticket := self._tickets.get(bytes(goal.goal_id.uuid)):
            ticket.cancel()
        return CancelResponse.ACCEPT
