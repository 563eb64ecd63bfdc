# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The worker's audits: when their turn comes, and how they end."""

from __future__ import annotations

from typing import Any

import pytest
from ros.requests import asks
from ros.workers import LONG, WAIT, AWorker, wait_until

from vlmaxxing_ros.ros.ticket import Status


def test_a_question_goes_before_an_audit(scene: AWorker) -> None:
    scene.show()
    scene.ask(asks('what colors are the blocks?')).outcome  # noqa: B018 (it has been seen)
    ended: list[str] = []
    blocking = scene.ask(LONG)
    wait_until(lambda: blocking.tokens)
    report = scene.worker.audit()
    report.add_done_callback(lambda _: ended.append('audit'))
    scene.worker.submit(
        asks('what colors are the blocks?'),
        on_token=lambda _: None,
        on_done=lambda _: ended.append('question'),
    )
    blocking.ticket.cancel()
    camera, well, text = report.result(WAIT)[0]
    assert (camera, well) == ('camera', True), text
    wait_until(lambda: len(ended) == 2)
    assert ended == ['question', 'audit']


def test_closing_ends_an_audit(scene: AWorker) -> None:
    scene.show()
    blocking = scene.ask(LONG)
    wait_until(lambda: blocking.tokens)
    report, closed = scene.worker.audit(), scene.worker.close('closing time')
    closed.result(WAIT)
    with pytest.raises(RuntimeError, match='closing time'):
        report.result(WAIT)


def test_a_model_that_fails_in_an_audit_ends_only_that(
    scene: AWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.show()
    assert scene.ask(asks('what colors are the blocks?')).outcome.status is Status.OK

    def fail(*_: Any) -> None:
        raise RuntimeError('out of memory')

    with monkeypatch.context() as broken:
        broken.setattr(scene.worker._family, 'hidden', fail)
        with pytest.raises(RuntimeError, match='out of memory'):
            scene.worker.audit().result(WAIT)
    assert scene.show().budget.plan is not None


def test_two_who_ask_for_an_audit_both_get_one(scene: AWorker) -> None:
    scene.show()
    reports = [scene.worker.audit() for _ in range(2)]
    assert [report.result(WAIT)[0][1] for report in reports] == [True, True]


def test_an_audit_of_nothing_says_so(scene: AWorker) -> None:
    _, well, text = scene.worker.audit().result(WAIT)[0]
    assert not well
    assert 'nothing to audit' in text
