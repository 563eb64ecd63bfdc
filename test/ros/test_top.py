# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The terminal page shows what the node publishes, and says so where it publishes nothing."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rich.console import Console

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.ros.top import WINDOW, Page


def shown(page: Page, now: float = 0.0, width: int = 120) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(page.draw(now))
    return console.file.getvalue()


def budget(**fields: Any) -> FreshBudget:
    given = {'camera': 'front', 'kind': FreshBudget.TAIL, 'blocks_total': 48, 'blocks_admitted': 12}
    return FreshBudget(**{**given, 'tokens_added': 100, 'background_duty': 0.2, **fields})


def test_nothing_heard_is_said() -> None:
    assert 'is it running?' in shown(Page())


def test_a_camera_s_row_is_of_the_newest_seconds_only() -> None:
    page = Page()
    page.budget(0.0, budget(blocks_admitted=48))
    for second in (6.0, 7.0):
        page.budget(
            second, budget(blocks_owed=7, frames_received=30, frames_dropped=3, perception_rate=9.5)
        )
    row = next(line for line in shown(page, 7.0).splitlines() if line.startswith('front'))
    for cell in ('9.5', 'tail', '25%', '7 of 48', '40', '20%', '3 of 30'):
        assert cell in row.split('  ') or cell in row, row


def test_a_camera_that_fell_silent_is_named() -> None:
    page = Page()
    page.budget(0.0, budget())
    assert 'no frame for 20 s' in shown(page, WINDOW + 15)


def test_answers_stand_newest_first_and_failures_by_name() -> None:
    page = Page()
    page.answer(Answer(question='old?', answer='yes', reused_tokens=90, prompt_tokens=100))
    page.answer(Answer(question='new?', status=Answer.STALE, status_text='no fresh image'))
    text = shown(page)
    assert text.index('new?') < text.index('old?')
    assert 'STALE: no fresh image' in text
    assert '90%' in text
    failed = next(line for line in text.splitlines() if 'STALE' in line)
    assert 'refreshed' not in failed


def test_diagnostics_of_other_nodes_are_not_ours() -> None:
    page = Page()
    good = DiagnosticStatus(
        name='robot/vlmaxxing: model',
        message='active',
        values=[KeyValue(key='model', value='nano')],
    )
    bad = DiagnosticStatus(
        name='robot/vlmaxxing: camera front', level=DiagnosticStatus.WARN, message='no image'
    )
    other = DiagnosticStatus(name='battery: cell', message='empty')
    page.diagnostics('/robot/vlmaxxing', DiagnosticArray(status=[good, bad, other]))
    text = shown(page)
    assert 'model: ok active' in text
    assert 'camera front: warn no image' in text
    assert 'nano' in text
    assert 'battery' not in text


@pytest.mark.parametrize('width', [60, 200])
def test_it_fits_any_terminal(width: int) -> None:
    page = Page()
    page.budget(0.0, budget())
    page.answer(Answer(question='Where is the red block? ' * 5, answer='left ' * 20))
    assert max(map(len, shown(page, width=width).splitlines())) <= width


def test_the_program_listens_prints_and_ends(spawn: Callable[..., Any]) -> None:
    top = spawn(sys.executable, '-m', 'vlmaxxing_ros.ros.top', '--node', 'nobody', '--once', '0.3')
    assert top.wait() == 0
    assert 'is it running?' in top.output
