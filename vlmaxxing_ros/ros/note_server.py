# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""~/note: lines of text for the cameras' histories.

The model's thread, which knows the tokenizer, takes each one or says why not; nothing waits here.
"""

from __future__ import annotations

from concurrent.futures import CancelledError

from rclpy.node import Node

from vlmaxxing_msgs.srv import Note
from vlmaxxing_ros.engine.errors import EngineError, NoEvidence, Unsupported
from vlmaxxing_ros.ros.awaiting import result_of
from vlmaxxing_ros.ros.messages import to_time
from vlmaxxing_ros.ros.question_qos import QUESTIONS
from vlmaxxing_ros.ros.worker import Worker

_REFUSED: dict[type[Exception], int] = {
    NoEvidence: Note.Response.NO_EVIDENCE,
    Unsupported: Note.Response.UNSUPPORTED,
}


class NoteServer:
    """The service of a node.

    Args:
        node: that offers it.
        worker: whose cameras have histories.
    """

    def __init__(self, node: Node, worker: Worker) -> None:
        self._node = node
        self._worker = worker
        node.create_service(Note, '~/note', self._serve, qos_profile=QUESTIONS)

    async def _serve(self, request: Note.Request, response: Note.Response) -> Note.Response:
        names = [camera.name for camera in self._worker.cameras]
        camera = request.camera or next(iter(names), '')
        status, text = Note.Response.NOT_ACTIVE, 'the node is not active: configure, activate'
        if names and camera not in names:
            status = Note.Response.INVALID_REQUEST
            text = f'no camera {camera!r}: there is {", ".join(names)}'
        elif names:
            try:
                stamp = await result_of(self._node, self._worker.note(camera, request.text))
                status, text, response.stamp = Note.Response.OK, '', to_time(stamp)
            except EngineError as error:
                status = _REFUSED.get(type(error), Note.Response.INVALID_REQUEST)
                text = str(error)
            except CancelledError:
                pass  # deactivated meanwhile
            except BaseException as error:  # a tokenizer's panic is no Exception
                self._worker.failures.add('a note could not be taken', error, camera)
                status = Note.Response.MODEL_ERROR
                text = f'the note could not be taken: {type(error).__name__}: {error}'
        response.status, response.status_text = status, text
        return response
