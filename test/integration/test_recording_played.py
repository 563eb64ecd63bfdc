# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""A recording played to the node in its own time: /clock, a loop, evidence as old as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from integration.recordings import START, write_bag
from integration.ros_process import NODE, PLAYER, Peer, node_arguments, wait_until

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.ros.messages import to_ns


def test_a_looped_recording_is_watched_in_its_own_time(
    spawn: Callable[..., Any], peer: Peer, tmp_path: Path, model: str
) -> None:
    bag = write_bag(tmp_path / 'clip', images=20, rate=10.0)
    arguments = node_arguments(model=model, autostart=True, use_sim_time=True)
    node = spawn(*NODE, *arguments)
    budgets = peer.collect(FreshBudget, '/vlmaxxing/fresh_budget', 100)
    node.wait_for('active: ')
    player = spawn(*PLAYER, bag, '--clock', '--loop', '--wait-for-subscribers', '1')
    wait_until(lambda: budgets, what='a budget')
    answer = peer.query('what colors are the blocks?', max_evidence_age=1.0)
    assert answer.status == Answer.OK, answer.status_text
    assert answer.evidence_age <= 1.0
    assert START <= to_ns(answer.header.stamp) < START + 2 * 10**9
    wait_until(
        lambda: any('stamps went backwards' in budget.status_text for budget in budgets),
        what='the second round',
    )
    again = peer.query('what colors are the blocks?', max_evidence_age=1.0)
    assert again.status == Answer.OK, again.status_text
    assert player.interrupt() == 0
    assert node.interrupt() == 0, node.output
