# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What came of it: figures per family and arm, the verdict in sentences, tables.

Every sentence is made from the figures; none is left out for being unwelcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vlmaxxing_ros.evaluation.markdown import table_lines
from vlmaxxing_ros.evaluation.replay import ArmRun
from vlmaxxing_ros.evaluation.streaming.arms import LOW_FPS, NATIVE, ORACLE
from vlmaxxing_ros.evaluation.streaming.corpus import SET_UP, EventVideo
from vlmaxxing_ros.evaluation.streaming.figures import Answered, figures
from vlmaxxing_ros.evaluation.streaming.gates import CLOSURE_ACCURACY, FEWER_CALLS
from vlmaxxing_ros.evaluation.streaming.runs import charges
from vlmaxxing_ros.evaluation.table import Table, ms, share

ALL = 'all'
SECONDS_PER_FRAME = 1.0
"""Of the imagined slower model: a 7B model on a laptop."""


def summarise(
    videos: Sequence[EventVideo], runs: Mapping[str, Sequence[ArmRun]], speed: float
) -> dict[str, Any]:
    """Figures by family (and `all`) and arm, and what the start of the streams cost."""
    answered = {arm: _answered(videos, runs, arm) for arm in runs}
    families = list(dict.fromkeys(video.family for video in videos))
    report: dict[str, Any] = {'families': {}, 'set_up': {}}
    for family in [*families, ALL]:
        report['families'][family] = {
            arm: figures([a for a in items if family in (ALL, a.family)], speed)
            for arm, items in answered.items()
        }
    for arm, members in runs.items():
        first = [charges(run)[0] for run in members]
        report['set_up'][arm] = {
            'windows': sum(charge.windows for charge in first) / len(first),
            'rows': sum(charge.rows for charge in first) / len(first),
        }
    return report


def _answered(
    videos: Sequence[EventVideo], runs: Mapping[str, Sequence[ArmRun]], arm: str
) -> list[Answered]:
    found = []
    for number, video in enumerate(videos):
        ours, oracle, low_fps = (
            {charge.question.id: charge for charge in charges(runs[name][number])}
            for name in (arm, ORACLE, LOW_FPS)
        )
        for case in video.cases:
            name = case.question.id
            found.append(
                Answered(video.family, video.name, case, ours[name], oracle[name], low_fps[name])
            )
    return found


def verdict(report: dict[str, Any]) -> list[str]:
    """Per family: earned or not, and why."""
    return [
        _family_verdict(family, arms) for family, arms in report['families'].items()
    ] + _remarks(report)


def _family_verdict(family: str, arms: dict[str, Any]) -> str:
    ours, oracle = arms[NATIVE], arms[ORACLE]
    events = ours['events']
    gap = (ours['right'] - oracle['right']) / events
    fewer = ours['fewer_windows']
    held = {
        f'accuracy {gap:+.3f} against the fresh oracle': abs(gap) <= CLOSURE_ACCURACY,
        f'{ours["flips"]} answers unlike the oracle': ours['flips'] == 0,
        f'{FEWER_CALLS:g}x fewer tower windows than low-fps dense at {fewer["halved"]} of {events} '
        f'events (median {fewer["p50"]:.2f}x, worst {fewer["worst"]:.2f}x)': fewer['halved']
        == events,
    }
    word = 'earned' if all(held.values()) else 'not earned'
    facts = '; '.join(f'{fact}{"" if kept else " (fails)"}' for fact, kept in held.items())
    return f'{family}: {word}. {facts}.'


def _remarks(report: dict[str, Any]) -> list[str]:
    arms = report['families'][ALL]
    ours, low = arms[NATIVE], arms[LOW_FPS]
    gap = ours['right'] - low['right']
    lines = [
        f'Against low-fps dense, the baseline that beat the authors: {ours["right"]} right against '
        f'{low["right"]} of {ours["events"]} ({gap:+d}), '
        f'{ours["per_event"]["windows"]:.1f} tower windows per event against '
        f'{low["per_event"]["windows"]:.1f}, {ours["per_event"]["rows"]:.0f} rows against '
        f'{low["per_event"]["rows"]:.0f}, {ours["per_event"]["rows_after_question"]:.0f} of them '
        'after the question.',
    ]
    calls = ours['fewer_calls']
    lines.append(
        f'Counted as runs of the tower, however few windows each: half of low-fps dense or less at '
        f'{calls["halved"]} of {ours["events"]} events (median {calls["p50"]:.2f}x).'
    )
    load = ours['slower_model']['load']
    if load >= 1:
        lines.append(
            f'With a model of {ours["slower_model"]["rows_per_second"]:g} rows per second it would '
            f'not keep up: {load:.1f} s of work per second.'
        )
    return lines


def tables(report: dict[str, Any]) -> list[Table]:
    """Every table, in the order of the report."""
    families = report['families']
    return [
        _right(families),
        _work(families),
        _floor(report['floor']),
        _robot(families),
        _set_up(report['set_up']),
    ]


def _by_arm(families: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(family, arm, f) for family, arms in families.items() for arm, f in arms.items()]


def _right(families: dict[str, Any]) -> Table:
    rows = []
    for family, arm, f in _by_arm(families):
        low, high = f['interval']
        parts = [f'{f[key]["right"]} of {f[key]["events"]}' for key in ('brief', 'earlier_event')]
        drift = f['divergence']
        nats = [_number(drift[key]) for key in ('mean', 'max')]
        rows.append(
            (
                family,
                arm,
                f'{f["right"]} of {f["events"]}',
                f'{100 * low:.0f} to {100 * high:.0f} %',
                *parts,
                str(f['stale']),
                str(f['flips']),
                *nats,
            )
        )
    return Table(
        'Right answers and drift',
        "Wilson's 95 % interval. Stale: what was true before the event. Flips: answers unlike the "
        "oracle's; divergence of the first answer token from the oracle's in nats. The arms are "
        'shown other frames than the oracle: this is not only error.',
        (
            'family',
            'arm',
            'right',
            '95 %',
            'brief',
            'after another',
            'stale',
            'flips',
            'KL mean',
            'KL max',
        ),
        rows,
    )


def _work(families: dict[str, Any]) -> Table:
    rows = []
    for family, arm, f in _by_arm(families):
        each, fewer, calls = f['per_event'], f['fewer_windows'], f['fewer_calls']
        rows.append(
            (
                family,
                arm,
                f'{f["frames_shown"]:.1f}',
                f'{each["windows"]:.1f}',
                f'{each["calls"]:.1f}',
                f'{each["rows"]:.0f}',
                f'{each["rows_after_question"]:.0f}',
                f'{each["busy"]:.3f}',
                f'{fewer["p50"]:.2f}x ({fewer["worst"]:.2f}x)',
                f'{fewer["halved"]} of {f["events"]}',
                f'{calls["p50"]:.2f}x',
            )
        )
    return Table(
        'Work per event',
        'Everything since the question before, every frame included. Windows through the vision '
        'tower, runs of it, rows through the language model, busy seconds (energy proxy). Fewer: '
        'low-fps dense over the arm in windows, median (worst event), and events where it is twice '
        'or more; in runs of the tower.',
        (
            'family',
            'arm',
            'frames shown',
            'windows',
            'runs',
            'rows',
            'after question',
            'busy s',
            'fewer windows',
            'halved',
            'fewer runs',
        ),
        rows,
    )


def _floor(floor: dict[str, Any]) -> Table:
    rows = []
    for family, f in floor.items():
        half = 4 * f['whole'] / FEWER_CALLS
        rows.append(
            (family, f'{f["mean"]:.1f} ({f["max"]})', str(f['whole']), f'{half - f["mean"]:.1f}')
        )
    return Table(
        'The least for the present',
        'Windows of the newest frame that differ from what stood there at the last question, mean '
        '(max): what a native arm pays that buys nothing before it is asked. Left: of half of '
        "low-fps dense's windows, for all of its history.",
        ('family', 'windows', 'of a frame', 'left for history'),
        rows,
    )


def _robot(families: dict[str, Any]) -> Table:
    rows = []
    for family, arm, f in _by_arm(families):
        slow = f['slower_model']
        owed = f['robot']['owed']
        rows.append(
            (
                family,
                arm,
                *(ms(f['ttft'][p]) for p in ('p50', 'p99')),
                ms(f['ttft_with_newest_frame']['p50']),
                ' / '.join(share(v, 0) for v in f['robot']['misses'].values()),
                ' / '.join(share(v, 0) for v in slow['misses'].values()),
                f'{_number(slow["latency"]["p50"])} / {_number(slow["latency"]["p99"])}',
                f'{_number(slow["load"])}',
                f'{_number(f["event_to_right"]["p50"])} / '
                f'{_number(slow["event_to_right"]["p50"])} ({f["event_to_right"]["never"]})',
                '–' if owed['mean'] is None else f'{owed["mean"]:.1f}',
            )
        )
    return Table(
        "Robot's numbers",
        'TTFT in ms as measured, without and with the admission of the newest frame. Misses at '
        '0.1 / 0.25 / 0.5 / 1 s as measured, and for a model of '
        f'{_speed(families):g} rows per second (a whole frame in {SECONDS_PER_FRAME:g} s) that has '
        'nothing else to do: seconds are rows after the question over its speed. Load: all work '
        'over all time at that speed; from 1 on the arm does not keep up. Event to right answer: '
        'median seconds from the end of the event, measured / slower model (never right). Owed: '
        'blocks, where the arm says so.',
        (
            'family',
            'arm',
            'TTFT p50',
            'p99',
            'with frame p50',
            'misses',
            'misses, slower',
            'latency p50 / p99, slower',
            'load',
            'event to right',
            'owed',
        ),
        rows,
    )


def _speed(families: dict[str, Any]) -> float:
    return float(families[ALL][NATIVE]['slower_model']['rows_per_second'])


def _set_up(set_up: dict[str, Any]) -> Table:
    rows = [(arm, f'{f["windows"]:.1f}', f'{f["rows"]:.0f}') for arm, f in set_up.items()]
    return Table(
        'Set-up',
        f'What the first 1.5 s of a recording and its `{SET_UP}` question cost, per recording; not '
        'in the figures above.',
        ('arm', 'windows', 'rows'),
        rows,
    )


def _number(value: float | None) -> str:
    return '–' if value is None else f'{value:.2g}'


def to_markdown(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    lines = ['# Native-rate streaming', '', *(f'- {line}' for line in report['verdict']), '']
    for gate, faults in report['gates'].items():
        lines.append(f'- {gate}: {"passed" if not faults else f"{len(faults)} faults, the first:"}')
        lines += [f'  - {fault}' for fault in faults[:5]]
    lines.append('')
    for table in tables(report):
        lines += table_lines(table)
    return '\n'.join(lines).rstrip() + '\n'
