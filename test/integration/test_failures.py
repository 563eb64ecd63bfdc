# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Whatever is raised in whatever thread of the node: it is named, and the node goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from integration.ros_process import Peer, TestCamera, node_arguments, wait_until
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from vlmaxxing_msgs.msg import Answer

BROKEN = """
import threading
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.ros import question_servers, running
from vlmaxxing_ros.ros.node import VlmaxxingNode

def fail(where):
    raise ZeroDivisionError(f'in {where}')

def keyframe(self, request, response):
    threading.Thread(target=fail, args=('a thread',)).start()
    return response

def perceived(self, told, publish=VlmaxxingNode._perceived):
    publish(self, told)
    if told.counts.planned == 2:
        fail('the seeing thread')

def background(self, real=StreamSession.background):
    if getattr(self, 'failed', False):
        return real(self)
    self.failed = True
    fail('the model thread')

def to_answer(outcome, real=question_servers.to_answer):
    return fail('an answer') if outcome.request.text == 'fail' else real(outcome)

question_servers.to_answer = to_answer
VlmaxxingNode._reset = lambda self, request, response: fail('a callback')
VlmaxxingNode._keyframe = keyframe
VlmaxxingNode._perceived = perceived
StreamSession.background = background
running.main()
"""


def test_what_nobody_expected_is_an_error_in_the_diagnostics_and_the_node_goes_on(
    spawn: Callable[..., Any], peer: Peer, model: str
) -> None:
    told = node_arguments(model=model, autostart=True, diagnostics_period=0.1)
    process = spawn(sys.executable, '-c', BROKEN, *told)
    seen = peer.collect(DiagnosticArray, '/diagnostics')

    def named(where: str) -> None:
        def there() -> bool:
            return any(
                f'ZeroDivisionError: in {where}' in message.status[0].message
                and message.status[0].level == DiagnosticStatus.ERROR
                for message in seen
                if message.status[0].hardware_id == '/vlmaxxing'
            )

        wait_until(there, 30.0, f'the error in {where}')
        assert f'in {where}' in process.output

    camera = TestCamera(peer, Image)
    camera.show()
    named('the model thread')
    camera.show()
    named('the seeing thread')
    assert peer.call(Trigger, '/vlmaxxing/keyframe', Trigger.Request()) is not None
    named('a thread')
    client = peer.create_client(Trigger, '/vlmaxxing/reset')
    assert client.wait_for_service(30.0)
    client.call_async(Trigger.Request())
    named('a callback')
    assert peer.query('fail').status == Answer.MODEL_ERROR, 'whoever asked is told all the same'
    named('an answer')
    camera.show()
    assert peer.query('what colors are the blocks?').status == Answer.OK
    assert process.interrupt() == 0, process.output
    assert 'Traceback' not in process.output
