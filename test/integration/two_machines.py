# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The camera on one machine, node and planner on another: the link is narrow, cut and restored.

`test_two_machines.py` runs this on an island (`bench.far_machine`); nowhere else can it be run.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from integration.ros_process import Peer, spinning_peer, wait_until
from std_srvs.srv import Trigger

from bench.far_machine import FAR, NEAR, FarMachine
from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.ros.messages import to_ns

ROOT = Path(__file__).resolve().parents[2]
LEASE = 3  # s, in place of our profile's ten: the link is cut for longer
WHAT = 'what colors are the blocks?'


@pytest.fixture(scope='module', autouse=True)
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarMachine]:
    """The robot; discovery as two_machines.launch.py has it, our profile but for the lease."""
    profile = (ROOT / 'config' / 'fastdds_shm.xml').read_text()
    shorter = tmp_path_factory.mktemp('dds') / 'profile.xml'
    shorter.write_text(profile.replace('<sec>10</sec>', f'<sec>{LEASE}</sec>'))
    os.environ['FASTRTPS_DEFAULT_PROFILES_FILE'] = str(shorter)
    os.environ['FASTDDS_DEFAULT_PROFILES_FILE'] = str(shorter)
    os.environ['ROS_STATIC_PEERS'] = FAR
    far = FarMachine()
    yield far
    far.close()


@pytest.fixture(scope='module', autouse=True)
def node(far: FarMachine, start_node: Callable[..., None], model: str) -> None:
    start_node(model=model, camera__transport='compressed', diagnostics_period=0.2)


@pytest.fixture(scope='module')
def peer(far: FarMachine) -> Iterator[Peer]:
    """The planner."""
    yield from spinning_peer()


@pytest.fixture
def camera(far: FarMachine, spawn: Callable[..., Any]) -> Any:
    """The robot's camera, 30 images of 640x480 in JPEG per second."""
    program = (sys.executable, '-m', 'bench.soak_peers', 'camera', 'camera', 'compressed')
    env = {'ROS_STATIC_PEERS': NEAR, 'PYTHONPATH': str(ROOT)}
    return spawn(*far.command(*program), env=env)


def asked_until(peer: Peer, status: int, **fields: Any) -> Answer:
    """Ask until it ends so; the answer."""
    answers: list[Answer] = []

    def ended() -> bool:
        answers.append(peer.query(WHAT, deadline=2.0, **fields))
        return answers[-1].status == status

    try:
        wait_until(ended, 120.0)  # the node may still be loading
    except AssertionError as error:
        raise AssertionError(f'not {status}, but {answers[-1]}') from error
    return answers[-1]


def test_a_link_that_is_cut_makes_evidence_old_and_no_more(
    peer: Peer, far: FarMachine, camera: Any, node_log: Path
) -> None:
    budgets = peer.collect(FreshBudget, '/vlmaxxing/fresh_budget')
    seen = peer.collect(DiagnosticArray, '/diagnostics')

    def hint() -> str:
        return str(seen[-1].status[-1].message) if seen else ''

    asked_until(peer, Answer.OK, max_evidence_age=1.0)
    far.cut()
    stale = asked_until(peer, Answer.STALE, max_evidence_age=1.0)
    assert 'is the camera publishing' in stale.status_text
    old = peer.query(WHAT, max_evidence_age=math.inf)
    assert (old.status, old.rows_paid) == (Answer.OK, 0)
    assert old.evidence_age > 1.0, 'it says how old what it saw is'
    wait_until(lambda: 'no image on /camera/image' in hint(), what='a word about the silence')
    wait_until(lambda: 'nobody publishes there' in hint(), what='the camera is given up')
    before = budgets[-1]
    far.restore()
    answer = asked_until(peer, Answer.OK, max_evidence_age=1.0)
    assert to_ns(answer.newest_evidence_stamp) > to_ns(old.newest_evidence_stamp)
    assert budgets[-1].frames_received > before.frames_received, 'the same session goes on'
    wait_until(lambda: hint() == 'images come in', what='all is well')
    assert peer.call(Trigger, '/vlmaxxing/audit', Trigger.Request()).success
    assert 'restarted' not in node_log.read_text()
