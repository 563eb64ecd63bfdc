# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The node's life as a process: transitions, failures that it survives, and its end."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from integration.ros_process import (
    NODE,
    Peer,
    TestCamera,
    node_arguments,
    questions_waiting,
    wait_until,
)
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from sensor_msgs.msg import Image

from vlmaxxing_msgs.msg import Answer
from vlmaxxing_msgs.srv import Note, Query
from vlmaxxing_ros.random_models.families import random_family
from vlmaxxing_ros.random_models.folder import save

Spawn = Callable[..., Any]
WHAT = 'what colors are the blocks?'


def change(peer: Peer, transition: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=transition))
    return bool(peer.call(ChangeState, '/vlmaxxing/change_state', request).success)


def state(peer: Peer) -> str:
    response = peer.call(GetState, '/vlmaxxing/get_state', GetState.Request())
    return str(response.current_state.label)


def test_a_whole_life(spawn: Spawn, peer: Peer, model: str) -> None:
    process = spawn(*NODE, *node_arguments(model=model))
    assert state(peer) == 'unconfigured'
    assert peer.query(WHAT).status == Answer.NOT_ACTIVE
    assert not change(peer, Transition.TRANSITION_ACTIVATE), 'not from unconfigured'
    assert change(peer, Transition.TRANSITION_CONFIGURE)
    assert state(peer) == 'inactive'
    assert peer.query(WHAT).status == Answer.NOT_ACTIVE
    taken = peer.call(Note, '/vlmaxxing/note', Note.Request(text='the gripper is open'))
    assert taken.status == Note.Response.NOT_ACTIVE
    for _ in range(2):
        assert change(peer, Transition.TRANSITION_ACTIVATE)
        camera = TestCamera(peer, Image)
        assert peer.query(WHAT, deadline=0.3).status == Answer.NO_EVIDENCE, (
            'every activation begins anew'
        )
        assert camera.show().frames_received == 1
        assert peer.query(WHAT).status == Answer.OK
        assert change(peer, Transition.TRANSITION_DEACTIVATE)
        assert peer.query(WHAT).status == Answer.NOT_ACTIVE
        for topic in ('image', 'twist', 'camera_info', 'regions'):
            assert peer.count_subscribers(f'/camera/{topic}') == 0
    assert change(peer, Transition.TRANSITION_CLEANUP)
    assert state(peer) == 'unconfigured'
    assert change(peer, Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)
    assert state(peer) == 'finalized'
    assert process.interrupt() == 0, process.output
    assert 'Traceback' not in process.output


@pytest.mark.parametrize('broken', ['missing', 'no config', 'bad weights', 'no weights'])
def test_a_model_that_cannot_be_loaded_is_said_so_and_survived(
    spawn: Spawn, peer: Peer, tmp_path: Path, model: str, broken: str
) -> None:
    folder = broken_model(tmp_path / 'model', model, broken)
    process = spawn(*NODE, *node_arguments(model=folder, diagnostics_period=0.2))
    diagnostics = peer.collect(DiagnosticArray, '/diagnostics')
    assert not change(peer, Transition.TRANSITION_CONFIGURE)
    assert state(peer) == 'unconfigured'
    said = process.wait_for('not configured: ')
    assert str(folder) in said
    wait_until(
        lambda: diagnostics and diagnostics[-1].status[0].level == DiagnosticStatus.ERROR,
        what='an error in diagnostics',
    )
    assert str(folder) in diagnostics[-1].status[0].message
    assert peer.query(WHAT).status == Answer.NOT_ACTIVE
    assert process.interrupt() == 0, process.output


def broken_model(folder: Path, model: str, broken: str) -> Path:
    """A folder that is not quite a model."""
    from vlmaxxing_ros.engine.families.loading import NANO

    if broken == 'missing':
        return folder
    shutil.copytree(NANO if model == 'nano' else model, folder)
    os.chmod(folder, 0o755)
    if broken == 'no config':
        (folder / 'config.json').unlink()
    elif broken == 'bad weights':
        weights = (folder / 'model.safetensors').read_bytes()
        (folder / 'model.safetensors').unlink()
        (folder / 'model.safetensors').write_bytes(weights[: len(weights) // 2])
    else:
        (folder / 'model.safetensors').unlink()
    return folder


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_nobody_waits_in_vain(
    spawn: Spawn, peer: Peer, model: str, number: int
) -> None:
    arguments = node_arguments(model=model, autostart=True, diagnostics_period=0.2)
    process = spawn(*NODE, *arguments)
    camera = TestCamera(peer, Image)
    camera.show(stamp=camera.now() - 60 * 10**9)
    client = peer.client(Query, '/vlmaxxing/query')
    pending = client.call_async(Query.Request(question=WHAT, max_evidence_age=1.0))
    wait_until(lambda: questions_waiting(peer) == '1', what='the question waits')
    os.kill(process.pid, number)
    wait_until(pending.done, what='the answer')
    assert pending.result().answer.status == Answer.CANCELLED
    assert 'shutting down' in pending.result().answer.status_text
    assert process.wait() == 0, process.output
    # It says goodbye: nobody takes it for alive until its lease of 10 s ends.
    wait_until(lambda: 'vlmaxxing' not in peer.get_node_names(), 5.0, 'the node has left')


HANGS = """
import time
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.ros import running
StreamSession.background = lambda self: time.sleep(600) if self.newest_stamp else None
running.main()
"""


def test_a_model_that_hangs_does_not_keep_it_from_ending(
    spawn: Spawn, peer: Peer, model: str
) -> None:
    process = spawn(sys.executable, '-c', HANGS, *node_arguments(model=model, autostart=True))
    camera = TestCamera(peer, Image)
    camera.show()
    client = peer.client(Query, '/vlmaxxing/query')
    pending = client.call_async(Query.Request(question=WHAT, deadline=300.0))
    time.sleep(1.0)  # it is on its way
    os.kill(process.pid, signal.SIGTERM)
    wait_until(pending.done, what='the answer')
    assert pending.result().answer.status == Answer.CANCELLED
    assert process.wait() == 0, process.output
    assert 'leaving without it' in process.output


NEVER_LOADS = """
import time
from vlmaxxing_ros.engine import families
from vlmaxxing_ros.ros import running
families.load_family = lambda *_: time.sleep(600)
running.main()
"""


def test_a_model_that_never_loads_does_not_keep_it_from_ending(
    spawn: Spawn, peer: Peer, model: str
) -> None:
    process = spawn(sys.executable, '-c', NEVER_LOADS, *node_arguments(model=model, autostart=True))
    process.wait_for('loading the model')
    assert peer.query(WHAT).status == Answer.NOT_ACTIVE, 'it is there meanwhile'
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(10.0) == 0, process.output
    assert 'leaving without it' in process.output


@pytest.mark.parametrize(
    ('parameters', 'said'),
    [
        ({'tail_mode': 'sometimes'}, 'tail_mode must be one of auto, exact, refresh'),
        ({'low': 300.0}, 'low'),
        ({'cameras': '["a b"]'}, "'a b' is no usable name"),
    ],
)
def test_bad_parameters_at_start_end_it_with_a_reason(
    spawn: Spawn, parameters: dict[str, Any], said: str
) -> None:
    process = spawn(*NODE, *node_arguments(**parameters))
    assert process.wait() == 1
    assert said in process.output
    assert 'Traceback' not in process.output


def test_parameters_change_while_it_runs_and_keep_what_was_seen(
    spawn: Spawn, peer: Peer, model: str
) -> None:
    process = spawn(*NODE, *node_arguments(model=model, autostart=True))
    camera = TestCamera(peer, Image)
    camera.show()
    assert set_parameter(peer, 'max_tokens', 1) == ''
    answer = peer.query(WHAT)
    assert (answer.status, answer.answer_tokens) == (Answer.OK, 1)
    assert answer.finish_reason == Answer.FINISH_LENGTH
    assert 'max_tokens' in set_parameter(peer, 'max_tokens', 0)
    assert 'read-only' in set_parameter(peer, 'max_blocks', 4)
    assert process.interrupt() == 0, process.output


@pytest.mark.filterwarnings('ignore:At least one mel filter')  # Gemma 4's audio, unused
def test_a_change_that_the_model_cannot_follow_is_refused_and_the_next_one_is_not(
    spawn: Spawn, peer: Peer, tmp_path: Path
) -> None:
    save(random_family('lfm2_vl'), 'lfm2_vl', tmp_path)
    process = spawn(*NODE, *node_arguments(model=tmp_path, autostart=True))
    process.wait_for('active: looking at')
    assert 'set tail_mode to auto or exact' in set_parameter(peer, 'tail_mode', 'refresh')
    assert set_parameter(peer, 'max_tokens', 1) == ''
    assert process.interrupt() == 0, process.output
    assert 'not in use' not in process.output


def set_parameter(peer: Peer, name: str, value: int | str) -> str:
    """Set a parameter of the node; why it was refused, empty if it was not."""
    if isinstance(value, str):
        new = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)
    else:
        new = ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=value)
    request = SetParameters.Request(parameters=[Parameter(name=name, value=new)])
    return str(peer.call(SetParameters, '/vlmaxxing/set_parameters', request).results[0].reason)


def test_a_qos_override_that_cannot_be_is_said_so_and_survived(
    spawn: Spawn, peer: Peer, model: str
) -> None:
    bad = {'qos_overrides./camera/image.subscription.reliability': 'maybe'}
    diagnostics = peer.collect(DiagnosticArray, '/diagnostics')
    process = spawn(*NODE, *node_arguments(model=model, autostart=True, **bad))
    process.wait_for('not activated: ')
    wait_until(lambda: state(peer) == 'inactive', what='the inactive state')
    wait_until(
        lambda: diagnostics and diagnostics[-1].status[0].level == DiagnosticStatus.ERROR,
        what='an error in the diagnostics',
    )
    assert peer.query(WHAT).status == Answer.NOT_ACTIVE
    assert process.interrupt() == 0, process.output
