# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""What was measured, in lines for people and in a file to send us."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vlmaxxing_ros.engine.families.base import Family
from vlmaxxing_ros.evaluation.machine import machine
from vlmaxxing_ros.measure.exactness import ROWS, Exactness, long_cache
from vlmaxxing_ros.measure.speed import CAMERAS, CHANGED, Speed, measure_speed, outlook
from vlmaxxing_ros.random_models.configs import CONFIGS
from vlmaxxing_ros.random_models.families import random_family

FILE = Path('vlmaxxing_measure.json')

Line = tuple[str, str]
"""A verdict (good, note or bad) and a text."""


def measured(family: Family, out: Path, architectures: tuple[str, ...] = ()) -> Iterator[Line]:
    """Measure, say what was found line by line, and write `out` at the end.

    Args:
        family: the model.
        out: the file to write.
        architectures: of the random models that are tested besides; empty: all.
    """
    tests = [long_cache(family)]
    yield exactness_line(tests[0])
    for kind in architectures or tuple(CONFIGS):
        tests.append(long_cache(random_family(kind), compare_cpu=True))
        yield exactness_line(tests[-1])
    speed = measure_speed(family)
    for text in speed_lines(speed):
        yield 'good', text
    contents: dict[str, Any] = {
        'schema': 'vlmaxxing_measure/1',
        'machine': machine(),
        'model': family.name,
        'exactness': {test.model: test.asdict() for test in tests},
        'speed': asdict(speed),
        'outlook': [asdict(outlook(speed, rate)) for rate in CAMERAS],
    }
    out.write_text(json.dumps(contents, indent=2) + '\n')
    yield 'good', f'all of it is in {out}: attach it to an issue, whatever it says'


def exactness_line(test: Exactness) -> Line:
    """One model's test in a line."""
    text = f'{test.model}: decoding behind {test.rows} cached rows is off by {test.difference:.1g}'
    if test.against_cpu is not None:
        text += f', the CPU by {test.against_cpu:.1g},'
    text += ' of the largest logit at most'
    if test.ok:
        return 'good', text
    why = 'it is too much' if test.finite else 'some logits are not finite'
    return 'bad', (
        f'{text}: {why}. Do not trust answers behind {ROWS} rows on this machine; keep '
        'token_budget below 1024 and send us the file'
    )


def speed_lines(speed: Speed) -> Iterator[str]:
    """The figures and what they mean."""
    yield (
        f'a whole frame ({speed.frame_rows} rows, {speed.frame_windows} windows): '
        f'{speed.frame:.3g} s, of which the tower {speed.encode:.3g} s; '
        f'{speed.rows_per_second:.0f} rows/s, {speed.windows_per_second:.0f} windows/s; '
        f'{speed.slice_rows} rows in a slice of 0.05 s'
    )
    yield (
        f'a question on a warm cache: first token after {speed.question:.3g} s, then '
        f'{1 / speed.token:.0f} tokens/s; with one whole frame owed about '
        f'{speed.question + speed.frame:.3g} s; four frames dense about '
        f'{speed.question + 4 * speed.frame:.3g} s'
    )
    yield f'peak memory {speed.peak_memory / 2**30:.2f} GiB, model included'
    shares = ', '.join(f'{share:.0%}' for share in CHANGED)
    for rate in CAMERAS:
        seen = outlook(speed, rate)
        duties = ', '.join(f'{duty:.0%}' for duty in seen.duty)
        yield (
            f'{rate:g} Hz camera: {seen.planned:.0%} of the images can be planned, '
            f'{seen.whole:.0%} taken whole; model busy {duties} of the time where {shares} of '
            'the blocks change (estimates, in proportion)'
        )
