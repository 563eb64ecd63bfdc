# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The report in sentences: what the reference arm is better and what it is worse at.

Every sentence is made from figures of the report; none is left out for being unwelcome.
"""

from __future__ import annotations

from typing import Any

_BASELINES = ('dense_last4', 'low_fps', 'screenshot')
_SINCE = {'ttft': 'question', 'with_admission': 'arrival of the newest frame'}


def verdict(report: dict[str, Any]) -> list[str]:
    """Sentences about the reference arm, plain text."""
    name = report['reference']
    arms = {n: a for n, a in report['arms'].items() if 'unavailable' not in a}
    ours = arms[name]
    return [
        *_accuracy(name, ours),
        *(line for other in _BASELINES if other in arms for line in _against(name, other, arms)),
        *_speed(name, ours),
        *_session(name, ours),
    ]


def _accuracy(name: str, ours: dict[str, Any]) -> list[str]:
    drift = ours['drift']['answer']
    lines = [
        f'{name} answers {drift["count"]} of {drift["of"]} questions unlike cold dense on the same '
        f'frames ({100 * drift["share"]:.1f} %); {ours["drift"]["not_exact"]} of all were answered '
        'from a cache that was not exact.'
    ]
    figures = ours['accuracy']
    if figures['questions']:
        low, high = figures['difference_interval']
        lines.append(
            f'{name} is right on {100 * figures["accuracy"]:.1f} % of {figures["questions"]} '
            f'questions, {100 * figures["difference"]:+.1f} points against cold dense '
            f'(95 %: {100 * low:+.1f} to {100 * high:+.1f}).'
        )
    return lines


def _against(name: str, other: str, arms: dict[str, Any]) -> list[str]:
    ours, theirs = arms[name], arms[other]
    parts = []
    if ours['accuracy']['questions']:
        gap = ours['accuracy']['accuracy'] - theirs['accuracy']['accuracy']
        word = 'better' if gap > 0 else 'worse' if gap < 0 else 'no different'
        parts.append(f'{word} in accuracy ({100 * gap:+.1f} points)')
    live = theirs['against_reference']['live']
    if live['questions']:
        for key, since in _SINCE.items():
            parts.append(
                f'{_times(live[key]["p50"], "faster", "slower")} from {since} to first token'
            )
        parts[-1] += ' (live questions, medians)'
    mine, its = (sum(arm['stages'].values()) for arm in (ours, theirs))
    cpu, its_cpu = (arm['perception']['processor_seconds'] for arm in (ours, theirs))
    if its and its_cpu:
        parts.append(
            f'dearer over the whole recordings, every frame included: {mine / its:.2f}x the time, '
            f'{cpu / its_cpu:.2f}x the CPU time'
            if mine > its
            else f'cheaper over the whole recordings: {mine / its:.2f}x the time, '
            f'{cpu / its_cpu:.2f}x the CPU time'
        )
    return [f'Against {other}, {name} is ' + '; '.join(parts) + '.'] if parts else []


def _times(factor: float, more: str, less: str) -> str:
    return f'{factor:.2f}x {more}' if factor >= 1 else f'{1 / factor:.2f}x {less}'


def _speed(name: str, ours: dict[str, Any]) -> list[str]:
    lines = []
    words = {'first': 'first', 'live': 'live', 'follow_up': 'follow-up'}
    for kind, word in words.items():
        figures = ours['denominators'][kind]
        if figures['questions']:
            lines.append(
                f'{word.capitalize()} questions ({figures["questions"]}): first token '
                f'{figures["ttft_speedup"]["p50"]:.1f}x sooner than cold dense, '
                f"{figures['with_admission_speedup']['p50']:.1f}x with the newest frame's "
                'admission.'
            )
    return lines


def _session(name: str, ours: dict[str, Any]) -> list[str]:
    observed = ours['ceiling']['session']['observed']
    if observed < 1:
        return [
            f'Over the whole recordings {name} costs {1 / observed:.1f}x what asking cold dense '
            'does: it pays for every frame, asked about or not.'
        ]
    return [f'Over the whole recordings {name} costs {observed:.1f}x less than asking cold dense.']
