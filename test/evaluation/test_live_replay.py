# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The node fed by a player does what the offline run does: same plans, same answers.

Whatever frames the node missed are left out offline, too: the two are compared on what both saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip('rclpy', reason='needs rclpy')

from integration.ros_process import NODE, PLAYER, Peer, node_arguments, wait_until

from vlmaxxing_msgs.msg import FreshBudget
from vlmaxxing_ros.engine.config import EngineConfig
from vlmaxxing_ros.engine.families import load_family
from vlmaxxing_ros.engine.question import Question
from vlmaxxing_ros.engine.stream.session import StreamSession
from vlmaxxing_ros.evaluation.arms.base import finish
from vlmaxxing_ros.evaluation.recordings import read_images
from vlmaxxing_ros.ros.messages import to_ns

if TYPE_CHECKING:
    from vlmaxxing_msgs.msg import Answer

PLANNED = (
    'blocks_total',
    'blocks_static',
    'blocks_shifted',
    'blocks_novel',
    'blocks_expired',
    'blocks_owed',
)
QUESTION = 'Describe what you see.'
# Without a duty all that is paid is paid when somebody asks: nothing depends on idle time.
SETTINGS = {
    'keyframe_interval': 0.6,
    'keep_keyframes': 32,
    'audit_interval': 0.0,
    'max_duty': 0.0,
    'max_tokens': 12,
}


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A spinning node to subscribe and call with."""
    node = Peer('watcher')
    yield node
    node.close()


@pytest.mark.parametrize('tail_mode', ['exact', 'refresh'])
def test_the_node_plans_and_answers_as_the_offline_run_does(
    spawn: Callable[..., Any], peer: Peer, recording: Path, tail_mode: str
) -> None:
    node = spawn(
        *NODE, *node_arguments(model='nano', autostart=True, tail_mode=tail_mode, **SETTINGS)
    )
    budgets: list[FreshBudget] = peer.collect(FreshBudget, '/vlmaxxing/fresh_budget', 100)
    node.wait_for('active: ')
    wait_until(lambda: peer.count_publishers('/vlmaxxing/fresh_budget'), what='budgets')
    player = spawn(*PLAYER, recording, '--rate', '0.5', '--wait-for-subscribers', '1')
    answers: list[Answer] = []
    for count in (1, 6, 12, 18):
        wait_until(lambda count=count: len(budgets) >= count, what=f'{count} frames')
        answers.append(peer.query(QUESTION))
    assert player.wait() == 0, player.output
    images = {image.stamp: image for image in read_images(recording)}
    last = max(images)
    wait_until(lambda: to_ns(budgets[-1].header.stamp) == last, what='the last frame')
    assert node.interrupt() == 0, node.output

    seen = [to_ns(budget.header.stamp) for budget in budgets]
    print(f'{len(seen)} of {len(images)} frames seen')
    assert seen == sorted(set(seen) & set(images))
    assert len(seen) >= len(images) / 2

    config = EngineConfig(tail_mode=tail_mode, **SETTINGS)  # type: ignore[arg-type]
    session = StreamSession(load_family('nano'), config)
    told: dict[int, Answer] = {}
    for answer in answers:  # a second question about a frame finds it paid
        told.setdefault(to_ns(answer.header.stamp), answer)
    assert len(told) >= 2
    paid = False  # a question in flight: when it is taken up among the images is not to be told
    for stamp, live in zip(seen, budgets, strict=True):
        offline = session.see(session.frame(images[stamp].pixels, stamp=stamp))
        for name in PLANNED:
            if paid and name != 'blocks_total':
                continue
            assert getattr(live, name) == getattr(offline, name), (name, stamp)
        paid = stamp in told
        if paid:
            expected = finish(session.ask(Question(text=QUESTION)))
            assert told[stamp].answer == expected.answer
            assert told[stamp].prompt_tokens == expected.prompt_tokens
            assert told[stamp].rows_paid == expected.rows_paid > 0
