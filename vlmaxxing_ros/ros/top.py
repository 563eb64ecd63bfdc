# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""`vlmaxxing_top`: a running node on one terminal page, as `top` shows processes.

Listens to what the node publishes anyway (~/fresh_budget, ~/answers, /diagnostics) and asks
nothing of it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from dataclasses import dataclass, field

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from vlmaxxing_msgs.msg import Answer, FreshBudget
from vlmaxxing_ros.palette import BAD, OWED, PAID, REUSED, hexadecimal

WINDOW = 5.0
"""Seconds of frames behind a camera's figures."""

ANSWERS = 8
"""Newest answers shown."""

_PAID, _REUSED, _OWED, _BAD = map(hexadecimal, (PAID, REUSED, OWED, BAD))
_LEVELS = {DiagnosticStatus.WARN: ('warn', OWED), DiagnosticStatus.ERROR: ('error', BAD)}


@dataclass
class Page:
    """What has been published lately, and how it is shown.  Knows no node: times are given."""

    budgets: dict[str, deque[tuple[float, FreshBudget]]] = field(default_factory=dict)
    answers: deque[Answer] = field(default_factory=lambda: deque(maxlen=ANSWERS))
    statuses: dict[str, DiagnosticStatus] = field(default_factory=dict)

    def budget(self, now: float, message: FreshBudget) -> None:
        """Take a frame's budget; `now` in seconds of any steady clock."""
        kept = self.budgets.setdefault(message.camera, deque())
        kept.append((now, message))
        while kept[0][0] < now - WINDOW:
            kept.popleft()

    def answer(self, message: Answer) -> None:
        """Take an answer, whoever asked."""
        self.answers.append(message)

    def diagnostics(self, node: str, message: DiagnosticArray) -> None:
        """Take what the node `node` says of itself; others publish on the topic, too."""
        for status in message.status:
            owner, _, part = status.name.partition(': ')
            if owner == node.lstrip('/'):
                self.statuses[part] = status

    def draw(self, now: float) -> Group:
        """The page as it stands at `now`."""
        return Group(self._head(), self._cameras(now), self._answers())

    def _head(self) -> Text:
        if not self.statuses:
            return Text('no /diagnostics from this node yet: is it running?', style=_BAD)
        line = Text()
        for part, status in self.statuses.items():
            word, colour = _LEVELS.get(status.level, ('ok', REUSED))
            line.append(f'{part}: ').append(word, style=hexadecimal(colour))
            line.append(f' {status.message}   ')
        model = self.statuses.get('model')
        values = {pair.key: pair.value for pair in model.values} if model else {}
        for key in ('model', 'questions', 'duty', 'watches'):
            if key in values:
                line.append(f'{key} {values[key]}   ', style='dim')
        return line

    def _cameras(self, now: float) -> Table:
        table = Table(box=None, pad_edge=False, title_justify='left')
        titles = ('camera', 'Hz', 'kind', 'fresh', 'owed', 'rows/s', 'busy', 'cache', 'dropped')
        for title in titles:
            table.add_column(title, justify='left' if title in ('camera', 'kind') else 'right')
        for camera, kept in sorted(self.budgets.items()):
            table.add_row(camera, *_figures(now, [b for _, b in kept], kept[-1][0]))
        return table

    def _answers(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for title in ('camera', 'question', 'answer', 'first token', 'evidence', 'reused', ''):
            table.add_column(title, overflow='fold')
        for answer in reversed(self.answers):
            good = answer.status == Answer.OK
            name = _named(Answer, answer.status)
            table.add_row(
                answer.camera,
                answer.question,
                answer.answer if good else Text(f'{name}: {answer.status_text}', style=_BAD),
                *_contract(answer),
            )
        return table


def _contract(answer: Answer) -> list[Text | str]:
    """What the answer rests on, a cell each; nothing, of one that saw nothing."""
    if not answer.prompt_tokens:
        return ['–', '–', '–', '']
    owed = f', {answer.blocks_owed} blocks owed' if answer.blocks_owed else ''
    return [
        f'{answer.time_to_first_token * 1e3:.0f} ms',
        f'{answer.evidence_age:.2f} s old',
        Text(f'{answer.reused_tokens / answer.prompt_tokens:.0%}', style=_REUSED),
        ('exact' if answer.exact else 'refreshed') + owed,
    ]


def _figures(now: float, budgets: list[FreshBudget], newest: float) -> list[Text | str]:
    """The cells of one camera's row."""
    last = budgets[-1]
    if now - newest > WINDOW:
        return [Text(f'no frame for {now - newest:.0f} s', style=_BAD), *[''] * 7]
    total = max(1, sum(b.blocks_total for b in budgets))
    fresh = sum(b.blocks_admitted for b in budgets) / total
    return [
        f'{last.perception_rate:.1f}',
        _named(FreshBudget, last.kind).lower(),
        Text(f'{fresh:.0%}', style=_PAID),
        Text(f'{last.blocks_owed} of {last.blocks_total}', style=_OWED),
        f'{sum(b.tokens_added for b in budgets) / WINDOW:.0f}',
        f'{last.background_duty:.0%}',
        f'{last.tokens_cached} of {last.tokens_budget}',
        f'{last.frames_dropped} of {last.frames_received}',
    ]


def _named(message: type, value: int) -> str:
    """The constant of a message type that has this value."""
    names = (n for n in dir(message) if n.isupper() and getattr(message, n) == value)
    return next(names, str(value))


def main(arguments: list[str] | None = None) -> int:
    """Show the page until Ctrl-C; with `--once SECONDS` collect for so long, print and end."""
    parser = argparse.ArgumentParser(prog='vlmaxxing_top', description='Watch a running node.')
    parser.add_argument('--node', default='/vlmaxxing', help='its name, with its namespace')
    parser.add_argument('--once', type=float, metavar='SECONDS', help='print once and end')
    options = parser.parse_args(arguments)
    node_name = '/' + options.node.strip('/')
    page = Page()
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('vlmaxxing_top', context=context)
    node.create_subscription(
        FreshBudget, f'{node_name}/fresh_budget', lambda m: page.budget(time.monotonic(), m), 50
    )
    node.create_subscription(Answer, f'{node_name}/answers', page.answer, 50)
    node.create_subscription(
        DiagnosticArray, '/diagnostics', lambda m: page.diagnostics(node_name, m), 50
    )
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    console = Console(highlight=False)
    try:
        if options.once is not None:
            _spin(executor, options.once)
            console.print(page.draw(time.monotonic()))
            return 0
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                _spin(executor, 0.25)
                live.update(page.draw(time.monotonic()), refresh=True)
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()


def _spin(executor: SingleThreadedExecutor, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        executor.spin_once(timeout_sec=left)


if __name__ == '__main__':
    sys.exit(main())
